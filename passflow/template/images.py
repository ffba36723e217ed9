"""Images of an Apple pass: one source picture becomes the @1x, @2x and @3x files that devices expect.

Sizes in points: https://developer.apple.com/design/human-interface-guidelines/wallet and the image specifications of
Apple's pass-builder. Files already named ``…@2x`` or ``…@3x`` are the designer's word: checked, then taken as they are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from passflow.security.media import media_type
from passflow.template.decode import decode_image, image_error, open_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["BOXES", "Box", "image_warnings", "media_type", "prepare_image", "prepare_images"]

SCALES: Final = (1, 2, 3)
_NAME: Final = re.compile(r"(?P<base>[A-Za-z]+)(?:@(?P<scale>[23])x)?(?P<ending>\.[A-Za-z]{1,5})?")


@dataclass(frozen=True, slots=True)
class Box:
    """The room an image has on a pass.

    Attributes:
        width: points.
        height: points.
        fixed: True: the image fills the box and is cropped to it; False: it is fitted inside, whole.
        also: other point sizes that older guidelines gave, accepted in files of an exact scale.
    """

    width: int
    height: int
    fixed: bool
    also: tuple[tuple[int, int], ...] = ()


BOXES: Final[Mapping[str, Box]] = {
    "icon": Box(38, 38, True, ((29, 29),)),
    "logo": Box(160, 50, False),
    "strip": Box(375, 144, True, ((375, 98), (375, 123), (320, 84), (320, 110), (320, 123), (312, 84), (312, 110))),
    "thumbnail": Box(90, 90, False),
    "footer": Box(286, 15, False),
    "background": Box(345, 505, True, ((180, 220),)),
    "artwork": Box(358, 448, True),
    "primaryLogo": Box(126, 30, False),
    "secondaryLogo": Box(135, 12, False),
    "personalizationLogo": Box(150, 40, False),
    "venueMap": Box(345, 345, False),
}
"""Apple's image names; a thumbnail may be upright or lengthwise inside its square."""


def prepare_image(data: bytes, name: str) -> dict[str, bytes]:
    """Makes the files of one image.

    Args:
        data: a PNG, JPEG, GIF, WebP, BMP or TIFF; for a name with a scale, a PNG that is kept byte for byte.
        name: Apple's name of the image, such as ``logo``, ``logo.png`` or ``logo@2x.png``.

    Returns:
        PNG bytes by file name: all three scales, or the one that the name says. The same input gives the same bytes.

    Raises:
        ConfigError: an unknown name, or a picture that is broken, too large or of the wrong kind.
    """
    base, scale, box = _parse(name)
    if scale:
        return {_file_name(base, scale): _check_exact(data, name, box, scale)}
    image = decode_image(data, name)
    return {_file_name(base, each): encode_png(_fit(image, box, each)) for each in SCALES}


def prepare_images(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Makes the files of several images; a file of an exact scale wins over the one scaled from its base.

    Args:
        files: picture bytes by Apple's image name, with or without scale.

    Raises:
        ConfigError: as `prepare_image`.
    """
    made: dict[str, bytes] = {}
    for name in sorted(files, key=lambda name: _parse(name)[1] or 0):
        made |= prepare_image(files[name], name)
    return dict(sorted(made.items()))


def image_warnings(data: bytes, name: str) -> tuple[str, ...]:
    """What a designer should know of one source picture, a sentence with its fix each; reads the header only.

    Raises:
        ConfigError: an unknown name, or no readable picture.
    """
    base, scale, box = _parse(name)
    image = open_image(data, name)
    width, height = image.size
    if image.getexif().get(0x0112, 1) >= 5:  # EXIF 2.3 orientations 5 to 8 lie on their side
        width, height = height, width
    found = []
    if getattr(image, "is_animated", False):
        found.append(f"Image {name} moves; a pass shows its first frame only.")
    wanted = scale or SCALES[-1]
    need_width, need_height = _target(width, height, box, wanted)
    if (
        scale
        and (width, height) not in _exact_sizes(box, scale)
        and (box.fixed or not _inside(width, height, box, scale))
    ):
        found.append(f"Image {name} is {width}×{height} pixels; a device scales it to {need_width}×{need_height}.")
    elif not scale and (width < need_width or height < need_height):
        soft = [f"@{each}x" for each in SCALES if _enlarges(width, height, box, each)]
        found.append(
            f"Image {base} is {width}×{height} pixels and gets enlarged for {', '.join(soft)}: "
            f"use at least {need_width}×{need_height} for a sharp picture."
        )
    return tuple(found)


def encode_png(image: Image) -> bytes:
    """PNG bytes without any metadata, small without loss: a palette where 256 colours suffice."""
    if image.mode == "RGB" and image.getcolors(256):
        from PIL import Image as Images

        palette = image.quantize(256, method=Images.Quantize.MEDIANCUT, dither=Images.Dither.NONE)
        if palette.convert("RGB").tobytes() == image.tobytes():
            image = palette
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _parse(name: str) -> tuple[str, int | None, Box]:
    found = _NAME.fullmatch(name)
    base = found["base"] if found else ""
    if found is None or base not in BOXES:
        raise image_error(name[:60], "is not an image of a pass", f"Name it one of: {', '.join(BOXES)}.", "name")
    return base, int(found["scale"]) if found["scale"] else None, BOXES[base]


def _file_name(base: str, scale: int) -> str:
    return f"{base}.png" if scale == 1 else f"{base}@{scale}x.png"


def _target(width: int, height: int, box: Box, scale: int) -> tuple[int, int]:
    """The pixels an image of this shape gets at a scale."""
    if box.fixed:
        return box.width * scale, box.height * scale
    ratio = min(box.width * scale / width, box.height * scale / height)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def _enlarges(width: int, height: int, box: Box, scale: int) -> bool:
    need_width, need_height = _target(width, height, box, scale)
    return width < need_width or height < need_height


def _fit(image: Image, box: Box, scale: int) -> Image:
    from PIL import Image as Images
    from PIL import ImageOps

    size = _target(image.width, image.height, box, scale)
    if image.size == size:
        return image
    if box.fixed:
        return ImageOps.fit(image, size, Images.Resampling.LANCZOS)
    return image.resize(size, Images.Resampling.LANCZOS, reducing_gap=3.0)


def _check_exact(data: bytes, name: str, box: Box, scale: int) -> bytes:
    """Apple reads PNG (or PDF) there; the pixels are read to their end, because a device shows nothing for half a file."""
    if media_type(data) != "image/png":
        raise image_error(name, "is not a PNG", "Export it as PNG, or leave the scale out of its name.", "format")
    width, height = decode_image(data, name).size
    limit = 4 * max(box.width, box.height) * scale
    if max(width, height) > limit:
        raise image_error(
            name, f"is {width}×{height} pixels", f"Scale it to {box.width * scale}×{box.height * scale}.", "too_large"
        )
    return data


def _exact_sizes(box: Box, scale: int) -> set[tuple[int, int]]:
    return {(width * scale, height * scale) for width, height in ((box.width, box.height), *box.also)}


def _inside(width: int, height: int, box: Box, scale: int) -> bool:
    return width <= box.width * scale and height <= box.height * scale
