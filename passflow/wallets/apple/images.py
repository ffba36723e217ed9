"""Rules for the images of a pass: which, in which sizes and scales, for which style.

Sizes in points: https://developer.apple.com/documentation/walletpasses (pass-builder's descriptors), and the archived
design guide, whose older sizes are still accepted.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Collection, Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, info, shown, warning
from passflow.wallets.apple.rules.keys import POSTER_GENERIC
from passflow.wallets.apple.rules.schemes import legacy_style

_NAME = re.compile(r"(?:(?P<locale>[^/]+\.lproj)/)?(?P<name>[A-Za-z]+)(?:@(?P<scale>[23])x)?\.(?P<kind>png|pdf)")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LAST_CHUNK = b"IEND\xaeB`\x82"
_MAX_PIXELS = 4_000_000  # the largest image, artwork@3x, has 1.4 million
_FIXED = {
    "icon": ((38, 38), (29, 29)),
    "strip": ((375, 144), (375, 123), (375, 98), (320, 123), (320, 110), (320, 84)),
    "background": ((345, 505), (180, 220)),
    "artwork": ((358, 448),),
}
_LARGEST = {
    "logo": (160, 50),
    "thumbnail": (90, 90),
    "footer": (286, 15),
    "primaryLogo": (126, 30),
    "secondaryLogo": (135, 12),
    "personalizationLogo": (150, 40),
}
_KNOWN = frozenset({*_FIXED, *_LARGEST, "venueMap"})
_EVERY_STYLE = frozenset({"icon", "logo", "personalizationLogo"})
_STYLE_IMAGES = {
    "boardingPass": frozenset({"footer"}),
    "coupon": frozenset({"strip"}),
    "storeCard": frozenset({"strip"}),
    "generic": frozenset({"thumbnail"}),
    "eventTicket": frozenset({"strip", "background", "thumbnail"}),
}


def check_images(files: Mapping[str, bytes], document: Mapping[str, object]) -> Iterator[Finding]:
    """Check all images of a pass.

    Args:
        files: content by path.
        document: pass.json, empty when it could not be read.
    """
    names: set[str] = set()
    for path, content in files.items():
        if not path.lower().endswith((".png", ".pdf")):
            continue
        match = _NAME.fullmatch(path)
        if match is None or match["name"] not in _KNOWN:
            yield info(
                "image.unknown", shown(path), "Wallet does not know an image of this name.", "Rename or remove it."
            )
            continue
        names.add(match["name"])
        if match["kind"] == "png":
            yield from _check_png(path, match["name"], int(match["scale"] or 1), content)
        elif not content.startswith(b"%PDF-"):
            yield error("image.invalid", path, "This is not a PDF.", "Export it again.")
    yield from _check_icon(files)
    yield from _check_use(names, document)


def _check_icon(files: Collection[str]) -> Iterator[Finding]:
    scales = {scale for scale in ("", "@2x", "@3x") for kind in ("png", "pdf") if f"icon{scale}.{kind}" in files}
    if not scales:
        yield error(
            "image.icon_missing", "icon@2x.png", "Every pass needs an icon.", "Add icon@2x.png and icon@3x.png."
        )
        return
    for scale in sorted({"@2x", "@3x"} - scales):
        yield warning("image.icon_scale", f"icon{scale}.png", "The icon lacks this scale.", f"Add icon{scale}.png.")


def _check_png(path: str, name: str, scale: int, content: bytes) -> Iterator[Finding]:
    size = _png_size(content)
    if size is None:
        yield error("image.invalid", path, "This is not a PNG.", "Export it as PNG.")
        return
    if size[0] * size[1] > _MAX_PIXELS:
        yield error("image.huge", path, f"{size[0]}×{size[1]} pixels are too many.", "Shrink it.")
        return
    if not _is_whole(content):
        yield error("image.invalid", path, "The PNG is damaged.", "Export it again.")
    fixed, largest = _FIXED.get(name), _LARGEST.get(name)
    if fixed and not any(size == (width * scale, height * scale) for width, height in fixed):
        wanted = f"{fixed[0][0] * scale}×{fixed[0][1] * scale}"
        message = f"{size[0]}×{size[1]} pixels; Wallet scales or crops it to {wanted}."
        yield warning("image.size", path, message, f"Export it with {wanted} pixels.")
    elif largest and (size[0] > largest[0] * scale or size[1] > largest[1] * scale):
        message = f"{size[0]}×{size[1]} pixels; at most {largest[0] * scale}×{largest[1] * scale} fit."
        yield warning("image.size", path, message, "Shrink it.")


def _png_size(content: bytes) -> tuple[int, int] | None:
    # PNG specification section 11.2.2: IHDR comes first, width and height are its first 8 bytes
    if not content.startswith(_SIGNATURE) or content[12:16] != b"IHDR" or len(content) < 33:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if width and height else None


def _is_whole(content: bytes) -> bool:
    from PIL import Image

    if _LAST_CHUNK not in content:  # Pillow forgives a cut tail
        return False
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.verify()  # checksums, to the last chunk
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.load()  # pixels
    except (
        OSError,
        SyntaxError,
        ValueError,
        struct.error,
        IndexError,
        MemoryError,
        OverflowError,
        EOFError,
        zlib.error,
    ):
        return False
    return True


def _check_use(names: set[str], document: Mapping[str, object]) -> Iterator[Finding]:
    style = legacy_style(document)
    schemes = document.get("preferredStyleSchemes")
    if style is None or POSTER_GENERIC in document or (isinstance(schemes, list) and schemes):
        return  # posters and semantic passes use images that Apple lists per system version
    for name in sorted(names - _EVERY_STYLE - _STYLE_IMAGES[style]):
        yield warning("image.unused", f"{name}.png", f"{style} does not show this image.", "Remove it.")
    if style == "eventTicket" and "strip" in names and names & {"background", "thumbnail"}:
        message = "With a strip, an event ticket shows neither background nor thumbnail."
        yield warning("image.unused", "strip.png", message, "Keep the strip, or the other two.")
