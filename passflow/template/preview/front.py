"""The front of a pass, style by style.

Where each style puts its fields: https://developer.apple.com/design/human-interface-guidelines/wallet
All measures are points on a pass 375 wide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from passflow.template.preview.canvas import Canvas, number
from passflow.template.preview.colors import BLACK, WHITE, Color
from passflow.template.preview.model import Card, Shown
from passflow.template.preview.panel import WIDTH, draw_code, draw_ended, panel_size
from passflow.template.preview.pictures import Picture
from passflow.template.preview.rows import AUXILIARY, HEADER, SECONDARY, Type, draw_field, draw_row
from passflow.template.preview.shapes import TRANSIT, outline
from passflow.template.preview.text import fit, width

HEIGHT: Final = 476.0
MARGIN: Final = 30.0
"""Room for the shadow around a pass."""

_SIDE: Final = 16.0
_ROOM: Final = WIDTH - 2 * _SIDE
_HEADER: Final = 68.0
_STRIP: Final = 144.0
_PRIMARY: Final = Type(11, 27, 17, 400, 6)
_TRAVEL: Final = Type(11, 46, 18, 300, 5)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a layout draws with."""

    canvas: Canvas
    card: Card
    pictures: Mapping[str, Picture]

    @property
    def colors(self) -> tuple[Color, Color]:
        """Of labels and of values."""
        return self.card.label, self.card.foreground

    def fields(self, group: str, most: int) -> tuple[Shown, ...]:
        """The fields of a group that a device shows."""
        return self.card.fields[group][:most]


def draw_front(card: Card, pictures: Mapping[str, Picture], language: str | None) -> Canvas:
    """Draws a pass with its shadow; the canvas is ``WIDTH`` and its height, plus ``MARGIN`` on every side."""
    inner = Canvas()
    sheet = Sheet(inner, card, pictures)
    _draw_header(sheet)
    content_end, notch = _LAYOUTS[card.style](sheet)
    panel = panel_size(card.code)
    footer = pictures.get("footer") if card.style == "boardingPass" else None
    foot = (panel[1] + 22 if panel else 0) + (footer.height + 12 if footer else 0)
    height = max(HEIGHT, content_end + 18 + foot)
    if footer:
        y = height - (panel[1] + 22 if panel else 10) - footer.height - 10
        inner.image(
            ((WIDTH - footer.width) / 2, y, footer.width, footer.height), footer.href(footer.width, footer.height)
        )
    if card.code and panel:
        draw_code(inner, card, card.code, height - panel[1] - 22, language)
    elif card.voided or card.expired:
        draw_ended(inner, card, height - 60, language)
    return _frame(inner, card, pictures, height, notch)


def _frame(inner: Canvas, card: Card, pictures: Mapping[str, Picture], height: float, notch: float) -> Canvas:
    """Puts shadow, paper and edge around what is on the pass."""
    canvas = Canvas()
    shape = outline(card.style, WIDTH, height, notch)
    canvas.raw(
        f'<defs><clipPath id="card"><path d="{shape}"/></clipPath>'
        '<filter id="soft" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="11"/></filter>'
        '<filter id="near" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="2"/></filter>'
        '<linearGradient id="light" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#fff" stop-opacity=".10"/>'
        '<stop offset=".5" stop-color="#fff" stop-opacity="0"/></linearGradient></defs>'
    )
    canvas.raw(f'<g transform="translate({number(MARGIN)} {number(MARGIN)})">')
    canvas.path(shape, "#000", 'opacity=".26" filter="url(#soft)" transform="translate(0 9)"')
    canvas.path(shape, "#000", 'opacity=".18" filter="url(#near)" transform="translate(0 1)"')
    canvas.path(shape, card.background.css)
    canvas.raw('<g clip-path="url(#card)">')
    background = pictures.get("background")
    if background:
        canvas.image((-14, -14, WIDTH + 28, height + 28), background.blurred_href(WIDTH + 28, height + 28))
    else:
        canvas.rect((0, 0, WIDTH, height), "url(#light)")
    canvas.include(inner)
    canvas.raw("</g>")
    edge = BLACK if card.background.is_light else WHITE
    canvas.path(shape, "none", f'stroke="{edge.css}" stroke-opacity=".10" stroke-width="1"')
    canvas.raw("</g>")
    canvas.height = height + 2 * MARGIN
    return canvas


def _draw_header(sheet: Sheet) -> None:
    canvas, card = sheet.canvas, sheet.card
    fields = [field for field in sheet.fields("headerFields", 3) if field.label or field.value]
    wanted = sum(
        max(width(field.label.upper(), HEADER.label, 600), width(field.value, HEADER.value, 400)) + 14
        for field in fields
    )
    x, logo = _SIDE, sheet.pictures.get("logo")
    if logo:
        canvas.image((x, 9 + (50 - logo.height) / 2, logo.width, logo.height), logo.href(logo.width, logo.height))
        x += logo.width + 10
    fields_room = min(wanted, max(_ROOM * 0.5, WIDTH - _SIDE - x - width(card.logo_text, 18, 600) - 12))
    if card.logo_text:
        text, size = fit(card.logo_text, WIDTH - _SIDE - x - fields_room - 8, 18, 600, 14)
        canvas.text(x, 40.5, text, size, card.foreground, weight=600)
    draw_row(canvas, fields, (WIDTH - _SIDE - fields_room, 17, fields_room), HEADER, sheet.colors, trailing=True)


def _layout_strip(sheet: Sheet) -> tuple[float, float]:
    """Coupons and store cards: the primary field large on a strip, all others in one row below."""
    end = _draw_strip(sheet, _STRIP)
    fields = (*sheet.fields("secondaryFields", 4), *sheet.fields("auxiliaryFields", 4))[:4]
    return _row(sheet, fields, end + 13, SECONDARY), 0


def _layout_generic(sheet: Sheet) -> tuple[float, float]:
    """A primary field beside a thumbnail; one row with a square code, two without."""
    end = _draw_beside_thumbnail(sheet, with_secondary=False)
    secondary, auxiliary = sheet.fields("secondaryFields", 4), sheet.fields("auxiliaryFields", 4)
    code = sheet.card.code
    if code and code.symbol and code.symbol.square:
        return _row(sheet, (*secondary, *auxiliary)[:4], end, SECONDARY), 0
    return _row(sheet, auxiliary, _row(sheet, secondary, end, SECONDARY), AUXILIARY), 0


def _layout_event(sheet: Sheet) -> tuple[float, float]:
    """A strip, or a background with a thumbnail; auxiliary fields may fill two rows."""
    if "strip" in sheet.pictures:
        strip = sheet.pictures["strip"]
        end = _draw_strip(sheet, min(_STRIP, max(84.0, WIDTH * strip.height / strip.width))) + 13
        end = _row(sheet, sheet.fields("secondaryFields", 4), end, SECONDARY)
    else:
        end = _draw_beside_thumbnail(sheet, with_secondary=True)
    auxiliary = sheet.card.fields["auxiliaryFields"]
    for row in (0, 1):
        end = _row(sheet, [field for field in auxiliary if field.row == row][:4], end, AUXILIARY)
    return end, 0


def _layout_boarding(sheet: Sheet) -> tuple[float, float]:
    """From, icon, to; then auxiliary above secondary fields."""
    canvas, primary = sheet.canvas, sheet.fields("primaryFields", 2)
    top, side = _HEADER + 8, (_ROOM - 62) / 2
    for field, x, anchor in zip(primary, (_SIDE, WIDTH - _SIDE - side), ("start", "end"), strict=False):
        draw_field(canvas, field, (x, top, side), _TRAVEL, sheet.colors, anchor=anchor)
    icon = TRANSIT.get(sheet.card.transit, TRANSIT["Generic"])
    if len(primary) == 2:
        canvas.raw(f'<g transform="translate({number(WIDTH / 2 - 17)} {number(top + 25)}) scale(1.06)">')
        canvas.path(icon, sheet.card.label.css, 'fill-rule="evenodd"')
        canvas.raw("</g>")
    notch = top + _TRAVEL.height + 14
    canvas.raw(
        f'<path d="M{_SIDE} {number(notch)}H{WIDTH - _SIDE}" stroke="{sheet.card.foreground.css}" stroke-opacity=".22" '
        'stroke-width="1" stroke-dasharray="1.500 4" stroke-linecap="round" fill="none"/>'
    )
    end = _row(sheet, sheet.fields("auxiliaryFields", 5), notch + 14, AUXILIARY)
    return _row(sheet, sheet.fields("secondaryFields", 4), end, SECONDARY), notch


_LAYOUTS: Final[Mapping[str, Callable[[Sheet], tuple[float, float]]]] = {
    "boardingPass": _layout_boarding,
    "coupon": _layout_strip,
    "eventTicket": _layout_event,
    "generic": _layout_generic,
    "storeCard": _layout_strip,
}
"""Each returns where its content ends and where the side notches are."""


def _row(sheet: Sheet, fields: tuple[Shown, ...] | list[Shown], top: float, kind: Type) -> float:
    if not any(field.label or field.value for field in fields):
        return top
    draw_row(sheet.canvas, fields, (_SIDE, top, _ROOM), kind, sheet.colors)
    return top + kind.height + 16


def _draw_strip(sheet: Sheet, height: float) -> float:
    canvas, strip = sheet.canvas, sheet.pictures.get("strip")
    if strip:
        canvas.image((0, _HEADER, WIDTH, height), strip.href(WIDTH, height))
    for field in sheet.fields("primaryFields", 1):
        value, size = fit(field.value, _ROOM, min(58.0, height * 0.42), 300, 24)
        middle = _HEADER + height / 2 + (size * 0.36 if not field.label else size * 0.36 - 11)
        canvas.text(_SIDE, middle, value, size, sheet.card.foreground, weight=300)
        label, label_size = fit(field.label, _ROOM, 15, 500, 12)
        color = sheet.card.foreground if strip else sheet.card.label
        canvas.text(_SIDE, middle + 24, label, label_size, color, weight=500)
    return _HEADER + height if strip or sheet.fields("primaryFields", 1) else _HEADER


def _draw_beside_thumbnail(sheet: Sheet, *, with_secondary: bool) -> float:
    canvas, thumbnail, top, room = sheet.canvas, sheet.pictures.get("thumbnail"), _HEADER + 10, _ROOM
    if thumbnail:
        room -= thumbnail.width + 14
        x = WIDTH - _SIDE - thumbnail.width
        canvas.raw(
            f'<defs><clipPath id="thumb"><rect x="{number(x)}" y="{number(top)}" width="{number(thumbnail.width)}" '
            f'height="{number(thumbnail.height)}" rx="6"/></clipPath></defs>'
        )
        href = thumbnail.href(thumbnail.width, thumbnail.height)
        canvas.image((x, top, thumbnail.width, thumbnail.height), href, 'clip-path="url(#thumb)"')
    y = top
    for field in sheet.fields("primaryFields", 1):
        draw_field(canvas, field, (_SIDE, y, room), _PRIMARY, sheet.colors, anchor=field.anchor)
        y += _PRIMARY.height + 13
    if with_secondary:
        fields = sheet.fields("secondaryFields", 4)
        if any(field.label or field.value for field in fields):
            draw_row(canvas, fields, (_SIDE, y, room), SECONDARY, sheet.colors)
            y += SECONDARY.height + 13
    return max(y, top + thumbnail.height + 16 if thumbnail else y)
