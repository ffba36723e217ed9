"""Text of a picture: cleaned, measured with the fonts it is drawn in, shrunk or cut until it fits."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONTS: Final = Path(__file__).parent.parent / "fonts"
WEIGHTS: Final = {300: "Inter-Light.otf", 400: "Inter-Regular.otf", 500: "Inter-Medium.otf", 600: "Inter-SemiBold.otf"}
ELLIPSIS: Final = "…"
MAX_LENGTH: Final = 2000
"""Characters looked at: no pass shows more, and a value of megabytes must cost nothing."""

_FALLBACK: Final = "DejaVuSans.ttf"
_EM: Final = 100
_TIGHT_FROM: Final = 24
# controls, marks that reorder what follows (a name could dress up as another), and what XML 1.0 forbids
_DROPPED: Final = frozenset(
    [
        *range(0x20),
        *range(0x7F, 0xA0),
        0xAD,
        0x061C,
        0x200B,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
        0xFFFE,
        0xFFFF,
    ]
)


def clean(value: object) -> str:
    """One line of printable text: white space collapsed, control and reordering characters dropped."""
    text = value if isinstance(value, str) else ""
    return " ".join(clean_lines(text).split())


def clean_lines(text: str) -> str:
    """As `clean`, with line ends and spaces kept."""
    short = text[:MAX_LENGTH].replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(
        letter
        for letter in short
        if letter == "\n" or (ord(letter) not in _DROPPED and not 0xD800 <= ord(letter) < 0xE000)
    )


def is_right_to_left(text: str) -> bool:
    """True when the first letter with a direction is Hebrew, Arabic or another right-to-left one (UAX 9, P2)."""
    import unicodedata

    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def needs_system_fonts(text: str) -> bool:
    """True when the text holds letters that the shipped fonts do not draw (Indic, CJK, emoji …)."""
    return any(not _shipped(ord(letter)) for letter in text)


def width(text: str, size: float, weight: int) -> float:
    """Width of one line in points; pairs that the renderer kerns may come out a little narrower."""
    return _em_width(text, weight) * size / _EM + len(text) * spacing(size)


def spacing(size: float) -> float:
    """Points between letters beyond the font's own: large type is set tighter."""
    return -0.014 * size if size >= _TIGHT_FROM else 0.0


def fit(text: str, room: float, size: float, weight: int, smallest: float | None = None) -> tuple[str, float]:
    """The text and font size that fit into a width: first smaller, then cut with an ellipsis.

    Args:
        text: one clean line.
        room: points.
        size: the size wanted, in points.
        weight: 300, 400, 500 or 600.
        smallest: the size below which the text is cut instead; by default it does not shrink.
    """
    least = min(smallest or size, size)
    needed = width(text, size, weight)
    if needed <= room:
        return text, size
    if needed * least / size <= room:
        return text, size * room / needed
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle].rstrip() + ELLIPSIS, least, weight) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + ELLIPSIS, least


def wrap(text: str, room: float, size: float, weight: int, most: int) -> list[str]:
    """Lines that fit into a width, at most ``most`` of them; what is left out ends in an ellipsis."""
    lines: list[str] = []
    for paragraph in clean_lines(text).split("\n"):
        line = ""
        for word in paragraph.split() or [""]:
            longer = f"{line} {word}" if line else word
            if width(longer, size, weight) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while width(line, size, weight) > room and len(lines) <= most:
                piece = _head(line, room, size, weight)
                lines.append(piece)
                line = line[len(piece) :]
        lines.append(line)
        if len(lines) > most:
            break
    if len(lines) > most:
        lines = [*lines[: most - 1], fit(lines[most - 1] + ELLIPSIS, room, size, weight)[0]]
    return lines


def _head(text: str, room: float, size: float, weight: int) -> str:
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle], size, weight) <= room else (low, middle - 1)
    return text[:low]


def _shipped(code: int) -> bool:
    return code < 0x0700 or 0x1D00 <= code < 0x2C00 or 0xFB1D <= code < 0xFE00 or 0xFE70 <= code < 0xFF00


@lru_cache(maxsize=4096)
def _em_width(text: str, weight: int) -> float:
    if all(ord(letter) < 0x0590 for letter in text):
        return _font(WEIGHTS[weight]).getlength(text)
    total = 0.0
    for letter in text:
        code = ord(letter)
        if code < 0x0590 or 0x1E00 <= code < 0x2070 or 0x20A0 <= code < 0x20D0:
            total += _font(WEIGHTS[weight]).getlength(letter)
        elif _shipped(code):
            total += _font(_FALLBACK).getlength(letter)
        else:
            total += _EM  # ideographs and emoji fill their em
    return total


@lru_cache(maxsize=8)
def _font(name: str) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(FONTS / name, _EM, layout_engine=ImageFont.Layout.BASIC)
