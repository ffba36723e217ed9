"""The picture of a pass: what a phone will show, drawn from pass.json and its images alone.

It works on any pass, also a stranger's: nothing in it is trusted, nothing outside it is loaded, and what cannot be
shown is left out as a phone would leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from passflow.template.preview.back import draw_back
from passflow.template.preview.canvas import Canvas
from passflow.template.preview.front import MARGIN, draw_front
from passflow.template.preview.model import Card, read_card
from passflow.template.preview.panel import WIDTH
from passflow.template.preview.pictures import Picture, find_picture
from passflow.template.preview.raster import render_png

__all__ = ["preview_png", "preview_svg"]

_BOXES: Final = {
    "logo": (160.0, 50.0),
    "strip": (375.0, 144.0),
    "thumbnail": (90.0, 90.0),
    "footer": (286.0, 15.0),
    "background": (345.0, 505.0),
}
_USED: Final = {
    "boardingPass": ("logo", "footer"),
    "coupon": ("logo", "strip"),
    "eventTicket": ("logo", "strip", "background", "thumbnail"),
    "generic": ("logo", "thumbnail"),
    "storeCard": ("logo", "strip"),
}
"""What each style shows; an event ticket with a strip shows neither background nor thumbnail."""


def preview_svg(
    pass_json: Mapping[str, Any],
    images: Mapping[str, bytes],
    *,
    side: Literal["front", "back"] = "front",
    language: str | None = None,
    strings: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> str:
    """Draws a pass as SVG: self-contained, 435 points wide with its shadow.

    Args:
        pass_json: the decoded pass.json.
        images: PNG bytes by file name, such as ``logo@2x.png``; unreadable ones are left out.
        side: front or back.
        language: tag that dates, numbers and localised images follow.
        strings: the ``pass.strings`` table of that language.
        now: when it is looked at, which decides whether it has expired; by default this moment.
    """
    return _draw(pass_json, images, side=side, language=language, strings=strings, now=now)[0]


def preview_png(
    pass_json: Mapping[str, Any],
    images: Mapping[str, bytes],
    *,
    side: Literal["front", "back"] = "front",
    language: str | None = None,
    strings: Mapping[str, str] | None = None,
    now: datetime | None = None,
    scale: float = 2,
) -> bytes:
    """Draws a pass as PNG with a transparent margin, ``scale`` pixels to the point; otherwise as `preview_svg`.

    Raises:
        ConfigError: the scale is not between 0.25 and 4.
    """
    svg, seen = _draw(pass_json, images, side=side, language=language, strings=strings, now=now)
    return render_png(svg, seen, scale)


def _draw(
    pass_json: Mapping[str, Any],
    images: Mapping[str, bytes],
    *,
    side: str,
    language: str | None,
    strings: Mapping[str, str] | None,
    now: datetime | None,
) -> tuple[str, str]:
    """The SVG, and all text in it."""
    card = read_card(pass_json, language=language, strings=strings, now=now, dark=False)
    if side == "back":
        canvas = draw_back(card)
    else:
        pictures = _find_pictures(card, images, language)
        if "background" in pictures and not card.has_background_color:
            card = read_card(pass_json, language=language, strings=strings, now=now, dark=True)
        canvas = draw_front(card, pictures, language)
    return _document(canvas, card), canvas.seen


def _find_pictures(card: Card, images: Mapping[str, bytes], language: str | None) -> dict[str, Picture]:
    found = {name: find_picture(images, name, language, _BOXES[name]) for name in _USED[card.style]}
    pictures = {name: picture for name, picture in found.items() if picture}
    if card.style == "eventTicket" and "strip" in pictures:
        pictures = {name: picture for name, picture in pictures.items() if name in ("logo", "strip")}
    return pictures


def _document(canvas: Canvas, card: Card) -> str:
    title = ": ".join(part for part in (card.organization, card.description) if part) or "Pass"
    return canvas.document(WIDTH + 2 * MARGIN, canvas.height, title)
