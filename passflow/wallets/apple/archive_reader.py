"""Reads a stranger's ZIP archive without trusting it."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from passflow.wallets.apple.findings import Finding, error, shown, warning

MAX_ARCHIVE = 150_000_000  # Apple's limit of a .pkpasses bundle
MAX_ENTRIES = 1_000
MAX_UNPACKED = 200_000_000
_MAX_NAME = 255
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, IndexError, OverflowError,
)  # fmt: skip
_JUNK = re.compile(r"(?:^|/)(?:\.DS_Store|__MACOSX|Thumbs\.db)(?:/|$)")
_UNIX = 3


@dataclass
class Unpacked:
    """What could be read of an archive.

    Attributes:
        files: content by path.
        findings: what is wrong with the archive itself.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_archive(data: bytes) -> Unpacked:
    """Unpack an archive in memory; whatever is wrong with it becomes a finding, never an exception.

    Args:
        data: the bytes of a ``.pkpass`` or ``.pkpasses``.
    """
    unpacked = Unpacked()
    unpacked.findings.extend(_read(data, unpacked.files))
    return unpacked


def _read(data: bytes, files: dict[str, bytes]) -> Iterator[Finding]:
    if len(data) > MAX_ARCHIVE:
        yield error(
            "zip.too_large", "archive", f"It has more than {MAX_ARCHIVE // 1_000_000} MB.", "Shrink the images."
        )
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _UNREADABLE:
        yield error("zip.unreadable", "archive", "This is not a ZIP archive.", "Give the .pkpass file itself.")
        return
    with archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            yield error(
                "zip.too_many", "archive", f"It has more than {MAX_ENTRIES} entries.", "Remove what is not needed."
            )
            return
        if not data.startswith(b"PK\3\4"):
            yield warning("zip.prefix", "archive", "Something stands before the first entry.", "Pack the files anew.")
        seen: set[str] = set()
        left = MAX_UNPACKED
        for entry in entries:
            found = list(_check_entry(entry, seen))
            seen.add(entry.filename.lower())
            yield from found
            if entry.filename.endswith("/") or any(each.level == "error" for each in found):
                continue
            content = _content(archive, entry, left)
            if isinstance(content, Finding):
                yield content
                continue
            left -= len(content)
            files[entry.filename] = content


def _check_entry(entry: zipfile.ZipInfo, seen: set[str]) -> Iterator[Finding]:
    name, where = entry.filename, shown(entry.filename)
    parts = name.split("/")
    unsafe = name.startswith("/") or ".." in parts or "\\" in name or re.match(r"[A-Za-z]:", name)
    # zipfile cuts names at a NUL; the name as written is in orig_filename
    if (
        unsafe
        or "\0" in entry.orig_filename
        or any(ord(sign) < 0x20 for sign in name)
        or not 0 < len(name) <= _MAX_NAME
    ):
        yield error("zip.path", where, "The path leads outside the pass or has forbidden signs.", "Use plain names.")
    if name.lower() in seen:
        yield error("zip.twice", where, "The archive holds this path twice.", "Keep one.")
    mode = entry.external_attr >> 16
    if entry.create_system == _UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield error("zip.link", where, "The entry is a link or a device, not a file.", "Pack the file it points to.")
    if entry.flag_bits & 0x1:
        yield error("zip.encrypted", where, "The entry is encrypted.", "Pack it without a password.")
    elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield error("zip.method", where, "The entry is neither stored nor deflated.", "Pack it with deflate.")
    if name.endswith("/"):
        yield warning("zip.directory", where, "Passes have no entries for folders.", "Pack with `zip -D`.")
    elif _JUNK.search(name):
        yield warning("zip.junk", where, "This file is a leftover of the operating system.", "Remove it.")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes | Finding:
    where = shown(entry.filename)
    too_large = error("zip.bomb", where, f"Unpacked, there are more than {MAX_UNPACKED // 1_000_000} MB.", "Shrink it.")
    if entry.file_size > left:
        return too_large
    try:
        with archive.open(entry) as stream:
            content = stream.read(left + 1)
            # reading to the end is what makes zipfile compare the CRC
            return too_large if len(content) > left or stream.read(1) else content
    except _UNREADABLE:
        return error("zip.damaged", where, "The entry cannot be unpacked, or its checksum is wrong.", "Pack it anew.")
