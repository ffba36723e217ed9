"""Decoding pictures from strangers: bounded, complete, upright, in sRGB, first frame only."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Final

from passflow.errors import ConfigError
from passflow.security.media import media_type

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES: Final = 20_000_000
MAX_PIXELS: Final = 25_000_000
"""Five times the largest picture of a pass at @3x; 100 MB once decoded."""
MAX_SIDE: Final = 16_000

_FORMATS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}


def image_error(name: str, what: str, fix: str, code: str = "invalid") -> ConfigError:
    """A ConfigError about one image, with the code ``image.<code>``."""
    return ConfigError(f"Image {name}: {what}.", fix=fix, code=f"image.{code}")


def open_image(data: bytes, name: str) -> Image:
    """Opens an image and reads its header only; size and format are checked, pixels are not read yet.

    Args:
        data: the file's bytes.
        name: the image's name, for messages.

    Raises:
        ConfigError: no known image format, too many bytes or pixels, or a broken header.
    """
    from PIL import Image, UnidentifiedImageError

    if len(data) > MAX_BYTES:
        raise image_error(name, f"is larger than {MAX_BYTES // 1_000_000} MB", "Use a smaller file.", "too_large")
    found = media_type(data)
    if found not in _FORMATS:
        raise image_error(name, f"is {found}, not an image passflow reads", "Use PNG or JPEG.", "format")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning starts above our limit
            image = Image.open(io.BytesIO(data), formats=(_FORMATS[found],))
    except Image.DecompressionBombError:
        raise _too_many(name) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError):
        raise image_error(name, "cannot be read", "Export it again as PNG.", "broken") from None
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_many(name)
    return image


def decode_image(data: bytes, name: str) -> Image:
    """The first frame, turned as its EXIF says, in sRGB, as 8-bit RGB or RGBA without metadata.

    Raises:
        ConfigError: as `open_image`, or the pixels break off.
    """
    from PIL import ImageOps

    image = open_image(data, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.seek(0)
            image.load()
            upright = ImageOps.exif_transpose(image)
        return _to_srgb(upright)
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, MemoryError, OverflowError):
        # Pillow's decoders raise all of these on broken files; the message may quote the file's text
        raise image_error(name, "is broken or breaks off", "Export it again as PNG.", "broken") from None


def _to_srgb(image: Image) -> Image:
    from PIL import Image as Images

    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":
        image = _reduce_depth(image)
    transparent = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    if profile:
        image = _apply_profile(image, profile, "RGBA" if transparent else "RGB")
    image = image.convert("RGBA" if transparent else "RGB")
    if transparent and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    clean = Images.new(image.mode, image.size)
    clean.paste(image)
    return clean


def _reduce_depth(image: Image) -> Image:
    """16 bits to 8 by scaling; Pillow's own conversion clips everything above 255 to white."""
    from PIL import Image as Images

    if image.mode == "F":
        return image.convert("L")
    wide = image.convert("I")
    top = wide.getextrema()[1]
    if not isinstance(top, int | float) or top <= 255:
        return wide.convert("L")
    reduced: Images.Image = wide.point(lambda value: value * (1 / 257)).convert("L")
    return reduced


def _apply_profile(image: Image, profile: bytes, mode: str) -> Image:
    """Converts by the image's own colour profile; a profile that cannot be used is as good as none."""
    from PIL import ImageCms

    source = image if image.mode in ("RGB", "RGBA", "CMYK", "L") else image.convert(mode)
    alpha = source.getchannel("A") if source.mode == "RGBA" else None
    flat = source.convert("RGB") if source.mode == "RGBA" else source
    try:
        converted = ImageCms.profileToProfile(
            flat, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _too_many(name: str) -> ConfigError:
    return image_error(name, f"has more than {MAX_PIXELS // 1_000_000} million pixels", "Scale it down.", "too_large")
