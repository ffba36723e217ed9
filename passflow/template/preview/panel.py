"""The code of a pass on its white panel, and how a pass looks that is over."""

from __future__ import annotations

from typing import Final

from passflow.template.preview.canvas import Canvas, number
from passflow.template.preview.colors import BLACK, INK, WHITE
from passflow.template.preview.model import Card, Code
from passflow.template.preview.text import fit, width

WIDTH: Final = 375.0
"""Points across a pass: those of Apple's strip image."""

_PADDING: Final = 12.0
_ENDED: Final = {
    "en": ("Expired", "Void"),
    "de": ("Abgelaufen", "Ungültig"),
    "fr": ("Expiré", "Annulé"),
    "es": ("Caducado", "Anulado"),
    "it": ("Scaduto", "Annullato"),
    "nl": ("Verlopen", "Ongeldig"),
    "pt": ("Expirado", "Anulado"),
    "pl": ("Wygasła", "Unieważniona"),
}


def panel_size(code: Code | None) -> tuple[float, float] | None:
    """Width and height of the panel in points; None without a code."""
    if code is None:
        return None
    wide, tall = _code_size(code)
    side = 16.0 if code.symbol and not code.symbol.square else _PADDING  # linear codes ask for a wider quiet zone
    return wide + 2 * side, tall + 2 * _PADDING + (16 if code.alt_text else 0)


def draw_code(canvas: Canvas, card: Card, code: Code, y: float, language: str | None) -> None:
    """Draws the panel with its top at y; faded, with a word across it, when the pass is over."""
    wide, tall = _code_size(code)
    full, high = panel_size(code) or (wide, tall)
    # whole half points keep the modules on whole pixels
    x, y = round(WIDTH - full) / 2, round(y * 2) / 2
    ended = card.voided or card.expired
    if ended:
        canvas.raw('<g opacity=".4">')
    rim = 'stroke="#000" stroke-opacity=".1"' if card.background.is_light else ""
    canvas.rect((x, y, full, high), WHITE.css, 8, rim)
    if code.symbol:
        scale = f"{number(wide / code.symbol.width)} {number(tall / code.symbol.height)}"
        canvas.raw(f'<g transform="translate({number(x + (full - wide) / 2)} {number(y + _PADDING)}) scale({scale})">')
        canvas.path(code.symbol.path(), BLACK.css, 'shape-rendering="crispEdges"')
        canvas.raw("</g>")
    else:
        canvas.text(WIDTH / 2, y + 46, "This code cannot be drawn", 11, INK, weight=500, anchor="middle")
    text, size = fit(code.alt_text, full - 16, 11.5, 400, 8)
    canvas.text(x + full / 2, y + high - 9, text, size, INK, anchor="middle")
    if ended:
        canvas.raw("</g>")
        draw_ended(canvas, card, y + high / 2 - 17, language)


def draw_ended(canvas: Canvas, card: Card, top: float, language: str | None) -> None:
    """Draws the word that says why a pass is no longer good."""
    words = _ENDED.get((language or "en").split("-")[0].lower(), _ENDED["en"])
    word = words[1] if card.voided else words[0]
    room = width(word, 17, 600) + 40
    canvas.rect(((WIDTH - room) / 2, top, room, 34), INK.css, 17, 'fill-opacity=".92"')
    canvas.text(WIDTH / 2, top + 23, word, 17, WHITE, weight=600, anchor="middle")


def _code_size(code: Code) -> tuple[float, float]:
    """A module is a whole number of points (half a one if need be), so that it covers whole pixels."""
    symbol = code.symbol
    if symbol is None:
        return 160.0, 60.0
    target = 148.0 if symbol.square else 290.0
    module = target / symbol.width
    module = float(int(module)) if module >= 1 else 0.5
    module = min(module, 7.0 if symbol.square else 3.0)
    return symbol.width * module, 64.0 if symbol.linear else symbol.height * module
