"""The back of a pass: its details as a list."""

from __future__ import annotations

from typing import Final

from passflow.template.preview.canvas import Canvas, number
from passflow.template.preview.colors import INK, WHITE, Color
from passflow.template.preview.model import Card
from passflow.template.preview.text import fit, wrap

WIDTH: Final = 375.0
MARGIN: Final = 30.0
_SIDE: Final = 16.0
_PAD: Final = 16.0
_ROOM: Final = WIDTH - 2 * (_SIDE + _PAD)
_PAPER: Final = Color(242, 242, 247)
_GREY: Final = Color(110, 110, 115)
_LINK: Final = Color(0, 102, 204)
_LINES: Final = 24
_LEADING: Final = 20.0


def draw_back(card: Card) -> Canvas:
    """Draws the list of back fields; long values end after 24 lines."""
    inner = Canvas()
    y = 44.0
    inner.text(WIDTH / 2, y, fit(card.organization, _ROOM, 17, 600, 13)[0], 17, INK, weight=600, anchor="middle")
    inner.text(WIDTH / 2, y + 20, fit(card.description, _ROOM, 13, 400, 11)[0], 13, _GREY, anchor="middle")
    top = y + 40
    rows = Canvas()
    y = _draw_fields(rows, card, top)
    inner.rect((_SIDE, top, WIDTH - 2 * _SIDE, y - top), WHITE.css, 12)
    return _frame(inner, rows, max(y + 28, 240.0))


def _draw_fields(rows: Canvas, card: Card, top: float) -> float:
    y = top
    for position, field in enumerate(card.fields["backFields"]):
        if position:
            left, right = _SIDE + _PAD, WIDTH - _SIDE
            rows.raw(f'<path d="M{left} {number(y)}H{right}" stroke="#000" stroke-opacity=".12" stroke-width=".5"/>')
        y += 13
        if field.label:
            label, size = fit(field.label, _ROOM, 13, 500, 11)
            rows.text(_SIDE + _PAD, y + 12, label, size, _GREY, weight=500)
            y += 21
        for line in wrap(field.value, _ROOM, 15.5, 400, _LINES):
            x = _SIDE + _PAD + {"start": 0.0, "middle": _ROOM / 2, "end": _ROOM}[field.anchor]
            rows.text(x, y + 14.5, line, 15.5, _LINK if field.link else INK, anchor=field.anchor)
            y += _LEADING
        y += 11
    return max(y, top + 56)


def _frame(inner: Canvas, rows: Canvas, height: float) -> Canvas:
    canvas = Canvas()
    size = f'width="{number(WIDTH)}" height="{number(height)}" rx="14"'
    canvas.raw(
        '<defs><filter id="soft" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="11"/></filter>'
        f'</defs><g transform="translate({number(MARGIN)} {number(MARGIN)})">'
        f'<rect {size} fill="#000" opacity=".24" filter="url(#soft)" transform="translate(0 9)"/>'
        f'<rect {size} fill="{_PAPER.css}"/>'
    )
    canvas.include(inner)
    canvas.include(rows)
    canvas.raw(f'<rect {size} fill="none" stroke="#000" stroke-opacity=".1"/></g>')
    canvas.height = height + 2 * MARGIN
    return canvas
