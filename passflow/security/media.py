"""Media types by their first bytes; what a server or a file name claims is not asked."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "application/octet-stream"

# https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern, and PDF, which Apple takes as an image
_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"PK\x03\x04", "application/zip"),
)


def media_type(data: bytes) -> str:
    """The media type of these bytes, ``application/octet-stream`` when their start is unknown."""
    for offset, magic, name in _MAGIC:
        if data.startswith(magic, offset):
            return name if name != "image/webp" or data.startswith(b"RIFF") else UNKNOWN
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"<svg", b"<?xml")) and b"<svg" in data[:4096].lower():
        return "image/svg+xml"
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "text/html"
    return UNKNOWN
