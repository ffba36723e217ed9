"""Colours of a pass: read as Wallet reads them, with readable ones where the pass says nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RGB: Final = re.compile(r"\s*rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)\s*", re.IGNORECASE)
_HEX: Final = re.compile(r"\s*#([0-9a-f]{3}|[0-9a-f]{6})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Color:
    """One colour, each part 0 to 255."""

    red: int
    green: int
    blue: int

    @property
    def css(self) -> str:
        """As ``#rrggbb``."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 to 1 (WCAG 2.2)."""

        def linear(part: int) -> float:
            share = part / 255
            return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

        return 0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)

    @property
    def is_light(self) -> bool:
        """True when black text reads better on it than white (contrast by WCAG 2.2)."""
        return (self.luminance + 0.05) ** 2 > 1.05 * 0.05

    def mix(self, other: Color, share: float) -> Color:
        """This colour with a share, 0 to 1, of another."""
        return Color(
            round(self.red + (other.red - self.red) * share),
            round(self.green + (other.green - self.green) * share),
            round(self.blue + (other.blue - self.blue) * share),
        )


WHITE: Final = Color(255, 255, 255)
BLACK: Final = Color(0, 0, 0)
INK: Final = Color(28, 28, 30)


def parse_color(value: object) -> Color | None:
    """Reads ``rgb(r, g, b)``, ``#RGB`` or ``#RRGGBB``; None for anything else."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    if found := _RGB.fullmatch(value):
        parts = [int(part) for part in found.groups()]
        return Color(*parts) if max(parts) <= 255 else None
    if found := _HEX.fullmatch(value):
        digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
        return Color(int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16))
    return None
