"""Images of a pass inside its picture: the right file of a language, decoded under limits, embedded as data."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from passflow.errors import ConfigError
from passflow.template.decode import decode_image

if TYPE_CHECKING:
    from PIL.Image import Image

_SCALES: Final = (("@3x", 3), ("@2x", 2), ("", 1))


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image and its size on the pass in points."""

    image: Image
    width: float
    height: float

    def href(self, width: float, height: float, scale: float = 3) -> str:
        """The image, cut to fill a box of points from its middle, as a ``data:`` URI."""
        from PIL import Image as Images
        from PIL import ImageOps

        # never larger than it is: the renderer enlarges as well as we do
        shrink = min(1.0, self.image.width / (width * scale), self.image.height / (height * scale))
        size = (max(1, round(width * scale * shrink)), max(1, round(height * scale * shrink)))
        return _data_uri(ImageOps.fit(self.image, size, Images.Resampling.LANCZOS))

    def blurred_href(self, width: float, height: float) -> str:
        """The image filling a box, blurred as Wallet blurs the background of an event ticket."""
        from PIL import Image as Images
        from PIL import ImageFilter, ImageOps

        small = ImageOps.fit(self.image.convert("RGB"), (round(width), round(height)), Images.Resampling.BILINEAR)
        return _data_uri(small.filter(ImageFilter.GaussianBlur(9)))


def find_picture(
    images: Mapping[str, bytes], name: str, language: str | None, box: tuple[float, float]
) -> Picture | None:
    """The image that a device would take, or None when there is none that can be read.

    A file at the top wins over a localised one of the same name, as on devices; then the language's folder; then any
    density, the sharpest first.

    Args:
        images: bytes by file name, such as ``logo@2x.png`` or ``de.lproj/logo.png``.
        name: Apple's name of the image.
        language: tag such as ``de`` or ``pt-BR``.
        box: the most points it may take, width and height.
    """
    lower = {path.lower(): data for path, data in images.items() if isinstance(path, str)}
    for folder in _folders(language):
        for suffix, scale in _SCALES:
            data = lower.get(f"{folder}{name}{suffix}.png".lower())
            if not isinstance(data, bytes):
                continue
            try:
                image = decode_image(data, name)
            except ConfigError:
                continue  # a device skips what it cannot read, too
            width, height = image.width / scale, image.height / scale
            ratio = min(1.0, box[0] / width, box[1] / height)
            return Picture(image, width * ratio, height * ratio)
    return None


def _folders(language: str | None) -> tuple[str, ...]:
    tags = [language, language.split("-")[0]] if language else []
    return ("", *(f"{tag}.lproj/" for tag in tags), "en.lproj/", "base.lproj/")


def _data_uri(image: Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
