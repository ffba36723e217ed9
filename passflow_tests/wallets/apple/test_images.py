"""Images: sizes from Apple's tables, damage, scales, and what a style does not show."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from passflow.wallets.apple.images import check_images

from .helpers import chunk, png

ICONS = {"icon@2x.png": png(76, 76), "icon@3x.png": png(114, 114)}


def found(files: dict[str, bytes], style: str = "generic", **document: Any) -> list[tuple[str, str, str]]:
    findings = check_images({**ICONS, **files}, {style: {}, **document})
    return [(each.level, each.code, each.where) for each in findings]


def test_exact_sizes_have_no_finding() -> None:
    assert found({"icon.png": png(38, 38), "logo@2x.png": png(320, 100), "thumbnail.png": png(90, 90)}) == []
    assert found({"strip@3x.png": png(1125, 432)}, "storeCard") == []
    assert found({"background.png": png(345, 505)}, "eventTicket") == []
    assert found({"footer@2x.png": png(572, 30)}, "boardingPass") == []


@pytest.mark.parametrize("size", [(29, 29), (58, 58), (87, 87)])
def test_archived_sizes_are_accepted(size: tuple[int, int]) -> None:
    scale = {29: "", 58: "@2x", 87: "@3x"}[size[0]]
    assert found({f"icon{scale}.png": png(*size)}) == []
    assert found({"strip.png": png(375, 123)}, "storeCard") == []


@pytest.mark.parametrize(
    ("path", "size", "style"),
    [
        ("icon.png", (40, 40), "generic"), ("icon@2x.png", (38, 38), "generic"), ("logo.png", (161, 50), "generic"),
        ("logo@2x.png", (320, 101), "generic"), ("thumbnail.png", (91, 90), "generic"), ("strip.png", (400, 100), "coupon"),
        ("de.lproj/logo.png", (500, 50), "generic"),
    ],
)  # fmt: skip
def test_other_sizes_are_warned_of(path: str, size: tuple[int, int], style: str) -> None:
    assert found({path: png(*size)}, style) == [("warning", "image.size", path)]


def test_smaller_logos_are_fine() -> None:
    assert found({"logo.png": png(20, 50)}) == []


def other(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (38, 38)).save(buffer, kind)
    return buffer.getvalue()


WHOLE = png(38, 38)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x89PNG\r\n\x1a\n", other("JPEG"), other("GIF"), WHOLE[:-1], WHOLE[:40], WHOLE.replace(b"IDAT", b"IDAX"),
        WHOLE[:29] + b"\0\0\0\0" + WHOLE[33:], WHOLE[:-30] + b"\0" * 18 + WHOLE[-12:], png(38, 0),
        WHOLE[:33] + chunk(b"IDAT", b"garbage") + chunk(b"IEND", b""),
    ],
)  # fmt: skip
def test_damaged_images_are_errors(content: bytes) -> None:
    assert ("error", "image.invalid", "icon.png") in found({"icon.png": content})


def test_pillows_own_pngs_are_read() -> None:
    assert found({"icon.png": other("PNG")}) == []


def test_huge_images_are_not_decoded() -> None:
    header = chunk(b"IHDR", (60_000).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0")
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IEND", b"")
    assert found({"icon.png": bomb}) == [("error", "image.huge", "icon.png")]


def test_pdf() -> None:
    assert found({"logo.pdf": b"%PDF-1.7 ..."}) == []
    assert found({"logo.pdf": b"<svg/>"}) == [("error", "image.invalid", "logo.pdf")]


def test_the_icon_and_its_scales() -> None:
    """RequiredImagesValidator of pass-builder: no icon is an error, a missing scale a warning."""
    none = [(each.level, each.code) for each in check_images({}, {})]
    assert none == [("error", "image.icon_missing")]
    plain = [(each.level, each.code, each.where) for each in check_images({"icon.png": png(38, 38)}, {})]
    assert plain == [
        ("warning", "image.icon_scale", "icon@2x.png"),
        ("warning", "image.icon_scale", "icon@3x.png"),
    ]


@pytest.mark.parametrize(
    ("style", "image", "size"),
    [
        ("storeCard", "thumbnail", (90, 90)), ("generic", "strip", (375, 144)), ("boardingPass", "background", (345, 505)),
        ("coupon", "footer", (286, 15)), ("eventTicket", "footer", (286, 15)),
    ],
)  # fmt: skip
def test_images_that_a_style_does_not_show(style: str, image: str, size: tuple[int, int]) -> None:
    assert found({f"{image}.png": png(*size)}, style) == [("warning", "image.unused", f"{image}.png")]


def test_an_event_ticket_has_a_strip_or_a_background() -> None:
    files = {"strip.png": png(375, 98), "background.png": png(180, 220)}
    assert found(files, "eventTicket") == [("warning", "image.unused", "strip.png")]


def test_posters_use_more_images() -> None:
    files = {"artwork.png": png(358, 448), "secondaryLogo.png": png(135, 12)}
    assert found(files, "eventTicket", preferredStyleSchemes=["posterEventTicket", "eventTicket"]) == []


def test_unknown_names_are_mentioned() -> None:
    assert found({"hero.png": png(1, 1)}) == [("info", "image.unknown", "hero.png")]
    assert found({"a/b/icon.png": b"", "icon@4x.png": b""})[0][:2] == ("info", "image.unknown")
