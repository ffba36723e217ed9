"""Splits a read by shard in bounded memory, so that a diff sees one shard at a time.

Small reads stay in memory. What does not fit goes to one temporary file that has no name (nobody else can open it, and it
is gone when the process is, however it ends), as Arrow streams under AES-GCM. The key lives in the object only.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passflow.errors import CryptoError, PassflowError
from passflow.sync.fingerprint import shard_ranges

if TYPE_CHECKING:
    import polars as pl

IN_MEMORY_ROWS: Final = 60_000
FLUSH_ROWS: Final = 65_000
"""Rows gathered before a spill: about 15 MB, and shards in pieces of a thousand rows that are worth a system call."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Where one encrypted piece of a shard lies in the file; its number is its nonce."""

    number: int
    offset: int
    length: int


class Spill:
    """Takes mapped frames in any order and gives each shard back as one frame.

    Use it as a context manager; leaving it forgets everything. Frames have ``id_hash`` (16 bytes) and the same columns
    throughout.

    Args:
        shards: a power of two from 1 to 256.
        directory: where the temporary file goes; the system's temporary directory by default.
        in_memory_rows: rows up to which nothing is written.
        fields: the Utf8 columns of a frame, so that a read without any row gives complete, empty frames too.
    """

    def __init__(
        self,
        shards: int,
        *,
        directory: Path | None = None,
        in_memory_rows: int = IN_MEMORY_ROWS,
        fields: Iterable[str] = (),
    ) -> None:
        self._width = 256 // len(shard_ranges(shards))
        self._shards = shards
        self._directory = directory
        self._limit = in_memory_rows
        self._fields = tuple(fields)
        self._empty: pl.DataFrame | None = None
        self._pending: list[pl.DataFrame] = []
        self._pending_rows = 0
        self._parts: dict[int, pl.DataFrame] | None = None
        self._chunks: dict[int, list[_Chunk]] = {}
        self._file: IO[bytes] | None = None
        self._end = 0
        self._cipher: AESGCM | None = None
        self._numbers = 0
        self._closed = False
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Spill(shards={self._shards}, rows={self.rows}, on_disk={self._end})"

    @property
    def bytes_on_disk(self) -> int:
        """Bytes written to the temporary file so far."""
        return self._end

    def add(self, frame: pl.DataFrame) -> None:
        """Takes the next rows.

        Raises:
            PassflowError: the temporary file cannot be written (disk full).
        """
        if self._closed or self._parts is not None:
            raise RuntimeError("this spill is closed, or a shard was asked for already; add all frames first")
        if self._empty is None:
            self._empty = frame.clear()
        if not frame.height:
            return
        self._pending.append(frame)
        self._pending_rows += frame.height
        self.rows += frame.height
        if self.rows > self._limit and self._pending_rows >= FLUSH_ROWS:
            self._flush()

    def shard(self, index: int) -> pl.DataFrame:
        """All rows of one shard in the order they came; none is a frame with its columns and no rows.

        Raises:
            CryptoError: the temporary file was changed by somebody.
        """
        import polars as pl

        if not 0 <= index < self._shards:
            raise IndexError(f"there is no shard {index} among {self._shards}")
        if self._closed:
            raise RuntimeError("this spill is closed")
        if self._parts is None:
            self._parts = self._split()
        pieces = [self._read(index, chunk) for chunk in self._chunks.get(index, ())]
        if index in self._parts:
            pieces.append(self._parts[index])
        return pl.concat(pieces) if pieces else self._nothing()

    def __iter__(self) -> Iterator[tuple[int, pl.DataFrame]]:
        """Every shard that has rows, with its index, in order."""
        for index in range(self._shards):
            frame = self.shard(index)
            if frame.height:
                yield index, frame

    def close(self) -> None:
        """Forgets all rows and the key; the file is gone."""
        self._closed = True
        self._cipher = None
        self._pending, self._parts, self._chunks = [], {}, {}
        if self._file is not None:
            self._file.close()
            self._file = None

    def _nothing(self) -> pl.DataFrame:
        import polars as pl

        if self._empty is not None:
            return self._empty
        own = {"row": pl.UInt64, "id_hash": pl.Binary, "fingerprint": pl.Binary}
        return pl.DataFrame(schema={**own, **dict.fromkeys(self._fields, pl.String)})

    def _split(self) -> dict[int, pl.DataFrame]:
        """The rows not yet written, by shard."""
        import polars as pl

        if not self._pending:
            return {}
        frame = pl.concat(self._pending)
        self._pending, self._pending_rows = [], 0
        if self._shards == 1:
            return {0: frame}
        shard = frame["id_hash"].bin.head(1).bin.reinterpret(dtype=pl.UInt8) // self._width
        parts = frame.with_columns(shard.alias("_shard")).partition_by("_shard", as_dict=True, include_key=False)
        return {int(key[0]): part for key, part in parts.items()}

    def _flush(self) -> None:
        for index, part in sorted(self._split().items()):
            self._write(index, part)

    def _write(self, index: int, part: pl.DataFrame) -> None:
        import polars as pl

        stream = io.BytesIO()
        # the older layout writes only the texts of these rows; views would bring the buffers of all shards along
        part.write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
        if self._cipher is None or self._file is None:
            self._cipher = AESGCM(AESGCM.generate_key(bit_length=256))
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 - closed by close()
        number = self._numbers = self._numbers + 1
        sealed = self._cipher.encrypt(number.to_bytes(12), stream.getbuffer(), index.to_bytes(2))
        try:
            _write_all(self._file, sealed)
        except OSError as error:
            raise PassflowError(
                f"The temporary file of this read cannot be written ({os.strerror(error.errno or 0)}).",
                fix="Free space in the temporary directory, or point TMPDIR at a larger one, and plan again.",
                code="spill.failed",
            ) from None
        self._chunks.setdefault(index, []).append(_Chunk(number, self._end, len(sealed)))
        self._end += len(sealed)

    def _read(self, index: int, chunk: _Chunk) -> pl.DataFrame:
        import polars as pl

        if self._cipher is None or self._file is None:
            raise RuntimeError("nothing was written by this spill")
        sealed = os.pread(self._file.fileno(), chunk.length, chunk.offset)
        try:
            data = self._cipher.decrypt(chunk.number.to_bytes(12), sealed, index.to_bytes(2))
        except InvalidTag:
            raise CryptoError(
                "The temporary file of this read was changed from outside.", fix="Plan again.", code="spill.changed"
            ) from None
        return pl.read_ipc_stream(io.BytesIO(data))


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
