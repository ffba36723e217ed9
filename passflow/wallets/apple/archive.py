"""Writes stored (uncompressed) ZIP archives whose bytes depend on names and contents alone.

APPNOTE.TXT 6.3 sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end record). PNGs do not shrink, and
deflating them costs four times the signature, so nothing is compressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from passflow.errors import PackageError

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_MADE_BY_UNIX = 3 << 8 | _VERSION
_REGULAR_FILE_0644 = 0o100644 << 16
_DOS_DATE = 0x0021  # 1980-01-01 00:00, the zero of ZIP: no clock in the bytes
_MAX_SIZE = 0xFFFF_FFFF  # beyond it ZIP64 would be needed
_MAX_ENTRIES = 0xFFFF


@dataclass(frozen=True, slots=True)
class Entries:
    """A run of archive members, ready to be joined.

    Attributes:
        data: local headers and contents.
        directory: their central directory entries, with offsets from the start of the archive.
        count: how many there are.
    """

    data: bytes
    directory: bytes
    count: int


def encode_entries(files: Iterable[tuple[str, bytes]], offset: int = 0) -> Entries:
    """Encode files as archive members.

    Args:
        files: (ASCII path, content) in the order of the archive.
        offset: where in the archive the first of them starts, in bytes.
    """
    data: list[bytes] = []
    directory: list[bytes] = []
    count = 0
    for path, content in files:
        name, crc, size = path.encode("ascii"), zlib.crc32(content), len(content)
        local = _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DOS_DATE, crc, size, size, len(name), 0)
        data += (local, name, content)
        directory += (
            _CENTRAL.pack(
                b"PK\1\2", _MADE_BY_UNIX, _VERSION, 0, 0, 0, _DOS_DATE, crc, size, size, len(name),
                0, 0, 0, 0, _REGULAR_FILE_0644, offset,
            ),
            name,
        )  # fmt: skip
        offset += len(local) + len(name) + size
        count += 1
    return Entries(b"".join(data), b"".join(directory), count)


def join_entries(*runs: Entries) -> bytes:
    """Join runs whose offsets follow each other into one archive.

    Raises:
        PackageError: when it would need ZIP64.
    """
    size = sum(len(run.data) for run in runs)
    directory = sum(len(run.directory) for run in runs)
    count = sum(run.count for run in runs)
    if size + directory > _MAX_SIZE or count > _MAX_ENTRIES:
        raise PackageError("The archive would exceed 4 GiB or 65,535 files.", fix="Use fewer and smaller images.")
    end = _END.pack(b"PK\5\6", 0, 0, count, count, directory, size, 0)
    return b"".join((*(run.data for run in runs), *(run.directory for run in runs), end))
