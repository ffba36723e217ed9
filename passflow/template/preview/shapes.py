"""Outlines that tell the five styles apart, and the icons of travel."""

from __future__ import annotations

from typing import Final

from passflow.template.preview.canvas import number

RADIUS: Final = 14
NOTCH: Final = 7
_TOOTH: Final = 6.25
_TOOTH_DEPTH: Final = 3.4


def outline(style: str, width: float, height: float, notch_y: float) -> str:
    """SVG path data of a pass whose top left corner is 0,0.

    Args:
        style: Apple's style key.
        width: points.
        height: points.
        notch_y: where a boarding pass has its side notches.
    """
    if style == "coupon":
        return _toothed(width, height)
    radius = RADIUS
    top = f"M{radius} 0H{number(width - radius)}"
    if style == "eventTicket":
        left, right = number(width / 2 - 27), number(width / 2 + 27)
        top = f"M{radius} 0H{left}c5 0 7.5 3.4 10.5 7.2c3.8 4.8 9 7.8 16.5 7.8s12.7-3 16.5-7.8c3-3.8 5.500-7.2 10.5-7.2"
        top += f"H{right}H{number(width - radius)}"
    corner = f"a{radius} {radius} 0 0 1 "
    right_side, left_side = f"V{number(height - radius)}", f"V{radius}"
    if style == "boardingPass":
        bite = f"a{NOTCH} {NOTCH} 0 0 0 0 "
        right_side = f"V{number(notch_y - NOTCH)}{bite}{2 * NOTCH}{right_side}"
        left_side = f"V{number(notch_y + NOTCH)}{bite}-{2 * NOTCH}{left_side}"
    return (
        f"{top}{corner}{radius} {radius}{right_side}{corner}-{radius} {radius}H{radius}"
        f"{corner}-{radius} -{radius}{left_side}{corner}{radius} -{radius}z"
    )


def _toothed(width: float, height: float) -> str:
    """A coupon torn off a roll: a fine zigzag along its upper and lower edge."""
    count = round(width / _TOOTH)
    half = width / count / 2
    down, up = f"l{number(half)} {_TOOTH_DEPTH}", f"l{number(half)} -{_TOOTH_DEPTH}"
    back_up, back_down = f"l-{number(half)} -{_TOOTH_DEPTH}", f"l-{number(half)} {_TOOTH_DEPTH}"
    return f"M0 0{(down + up) * count}V{number(height)}{(back_up + back_down) * count}z"


TRANSIT: Final = {
    # each in a box of 32 by 32, drawn for passflow
    "Air": "M30 16c0-1.500-1.300-2.600-2.900-2.600h-6.600L13.300 2.500h-3.100l3.600 10.900H7.300L5 10.300H2.600L4.100 16l-1.500 5.700H5"
    "l2.300-3.100h6.500l-3.600 10.900h3.100l7.200-10.900h6.600c1.600 0 2.900-1.100 2.900-2.600z",
    "Train": "M10 3h12a4 4 0 0 1 4 4v13a4 4 0 0 1-4 4h-.6l3.400 5h-3l-1.400-2H11.600l-1.400 2h-3l3.400-5H10a4 4 0 0 1-4-4V7"
    "a4 4 0 0 1 4-4zM9.500 8v6.500h13V8zM11 17.200a1.900 1.900 0 1 0 0 3.800a1.900 1.900 0 1 0 0-3.800z"
    "M21 17.200a1.900 1.900 0 1 0 0 3.800a1.900 1.900 0 1 0 0-3.800z",
    "Bus": "M8 4h16a3 3 0 0 1 3 3v17a2 2 0 0 1-2 2v2.500h-3.500V26h-11v2.500H7V26a2 2 0 0 1-2-2V7a3 3 0 0 1 3-3zM8 8.500v8.500h16V8.500z"
    "M9.800 19.500a1.800 1.800 0 1 0 0 3.600a1.800 1.800 0 1 0 0-3.600zM22.200 19.500a1.800 1.800 0 1 0 0 3.600a1.800 1.800 0 1 0 0-3.600z",
    "Boat": "M15 3h2v3.500h5.500V13l4.800 1.900l-3.200 8.300c-1.200 0-2-.5-3.100-1.200c-1.300 0-2.600 1.200-5 1.200s-3.700-1.200-5-1.200"
    "c-1.100.7-1.900 1.200-3.100 1.200L4.700 14.900L9.500 13V6.500H15zM12 9v3L16 10.400L20 12V9zM4 25.500c3 0 3.500 1.500 6 1.500s3.500-1.500 6-1.500"
    "s3.500 1.500 6 1.500s3-1.500 6-1.500v2.500c-3 0-3.500 1.500-6 1.500s-3.500-1.500-6-1.500s-3.500 1.500-6 1.500s-3-1.500-6-1.500z",
    "Generic": "M4 14.300h18.200l-6.700-6.700l2.400-2.400L28.700 16L17.900 26.800l-2.400-2.400l6.700-6.700H4z",
}
