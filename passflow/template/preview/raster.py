"""SVG to PNG with the shipped fonts, so that a picture looks the same on every machine."""

from __future__ import annotations

from typing import Final

from passflow.errors import ConfigError
from passflow.template.preview.text import FONTS, needs_system_fonts

_MIN: Final = 0.25
_MAX: Final = 4


def render_png(svg: str, seen: str, scale: float) -> bytes:
    """Renders an SVG of our own making.

    Args:
        svg: the file's text.
        seen: all text in it; fonts of the system are loaded only for letters that the shipped ones lack.
        scale: pixels to the point.

    Raises:
        ConfigError: the scale is not between 0.25 and 4.
    """
    import resvg_py

    if not _MIN <= scale <= _MAX:
        raise ConfigError(
            f"A preview's scale is {scale:g}.", fix=f"Use {_MIN} to {_MAX} pixels to the point.", code="preview.scale"
        )
    files = sorted(str(file) for file in FONTS.iterdir() if file.suffix in (".otf", ".ttf"))
    png: bytes = resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=scale,
        skip_system_fonts=not needs_system_fonts(seen),
        font_files=files,
        font_family="Inter",
        sans_serif_family="Inter",
    )
    return bytes(png)
