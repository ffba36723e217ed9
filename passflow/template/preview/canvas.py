"""Writing SVG: every text escaped, every number short, nothing that points outside the file."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr

from passflow.template.preview.colors import Color
from passflow.template.preview.text import clean, spacing

_FAMILY: Final = "Inter, -apple-system, 'SF Pro Text', 'Helvetica Neue', 'DejaVu Sans', sans-serif"
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def number(value: float) -> str:
    """A coordinate with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


Box = tuple[float, float, float, float]
"""Left, top, width and height in points."""


class Canvas:
    """Collects SVG elements in the order they are painted."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.seen = ""
        """All text drawn so far, to choose fonts by."""
        self.height = 0.0
        """Points, once the whole is drawn."""

    def include(self, other: Canvas) -> None:
        """Paints another canvas here."""
        self._parts.extend(other._parts)
        self.seen += other.seen

    def raw(self, markup: str) -> None:
        """Adds markup of our own making; never a pass's text."""
        self._parts.append(markup)

    def path(self, data: str, fill: str, extra: str = "") -> None:
        """Adds a path of our own making."""
        self._parts.append(f'<path d="{data}" fill="{fill}" {extra}/>')

    def rect(self, box: Box, fill: str, radius: float = 0, extra: str = "") -> None:
        """Adds a rectangle, with round corners where a radius is given."""
        corners = f' rx="{number(radius)}"' if radius else ""
        self._parts.append(f'<rect {_place(box)}{corners} fill="{fill}" {extra}/>')

    def image(self, box: Box, href: str, extra: str = "") -> None:
        """Adds an image that fills a box; only ``data:`` URIs are let through."""
        if not href.startswith("data:image/png;base64,"):
            raise ValueError("only embedded images may be drawn")
        self._parts.append(f'<image {_place(box)} preserveAspectRatio="none" href="{href}" {extra}/>')

    def text(
        self, x: float, y: float, text: str, size: float, fill: Color, *, weight: int = 400, anchor: str = "start"
    ) -> None:
        """Adds one line with its baseline at y; ``anchor`` is start, middle or end of the visible line."""
        line = clean(text)
        if not line:
            return
        self.seen += line
        tight = f' letter-spacing="{number(spacing(size))}"' if spacing(size) else ""
        self._parts.append(
            f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" font-weight="{weight}" '
            f'fill="{fill.css}" text-anchor="{anchor}"{tight}>{line.translate(_ESCAPES)}</text>'
        )

    def document(self, width: float, height: float, title: str) -> str:
        """The whole SVG file, sized in points."""
        size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
        name = clean(title)[:300]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family={quoteattr(_FAMILY)} role="img" '
            f'aria-label="{name.translate(_ESCAPES)}">{"".join(self._parts)}</svg>'
        )


def _place(box: Box) -> str:
    x, y, width, height = (number(value) for value in box)
    return f'x="{x}" y="{y}" width="{width}" height="{height}"'
