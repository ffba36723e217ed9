"""Text files as streams of UTF-8: decompressed, decoded, watched for how they end."""

from __future__ import annotations

import codecs
import io
import re
from typing import IO, Final

from typing_extensions import Buffer

from passflow.errors import SourceError

_CHUNK: Final = 1 << 20
_HELD: Final = 1 << 16
"""Bytes held back to find the last line; a trailer is shorter."""


class TextStream(io.RawIOBase):
    """A file's text as UTF-8 without byte order mark; remembers its last byte, and takes a trailer off its end.

    Args:
        raw: the bytes, decompressed; closed with the stream.
        encoding: of the file, a Python codec.
        trailer: a pattern whose first group is a row count; if the last line fits, it is not part of the data.
    """

    def __init__(self, raw: IO[bytes], *, encoding: str = "utf-8", trailer: re.Pattern[str] | None = None) -> None:
        super().__init__()
        self._raw = raw
        utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        self._decoder = None if utf8 else codecs.getincrementaldecoder(encoding)()
        self._trailer = trailer
        self._held = self._spare = b""
        self._first = self._open = True
        self._last = b""
        self.trailer_rows: int | None = None
        self.failure: Exception | None = None

    @property
    def ends_with_newline(self) -> bool:
        """Whether the last line is whole; a trailer that was found ends the data as well."""
        return self._last in (b"\n", b"\r") or self.trailer_rows is not None

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, at most so many; empty only at the end."""
        whole = size is None or size < 0
        while self._open and (whole or not self._spare):
            try:
                self._spare += self._next(_CHUNK if size is None or size < 0 else size)
            except Exception as error:
                self.failure = error  # readers in other languages pass on no more than its text
                raise
        # decoding and trailers change lengths, but a caller's buffer has the size it asked for
        data, self._spare = (self._spare, b"") if whole else (self._spare[:size], self._spare[size:])
        self._last = data[-1:] or self._last
        return data

    def readinto(self, buffer: Buffer) -> int:
        """Fills a buffer, for ``io.BufferedReader``."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Closes the file under it."""
        if not self.closed:
            self._raw.close()
        super().close()

    def _next(self, wanted: int) -> bytes:
        data = self._raw.read(wanted)
        self._open = bool(data)
        if self._decoder is not None:
            data = self._decoder.decode(data, final=not self._open).encode()
        if self._first and data:
            self._first = False
            _refuse_other_encoding(data)
            data = data.removeprefix(codecs.BOM_UTF8)
        if self._trailer is None:
            return data
        self._held += data
        if self._open:
            data, self._held = self._held[:-_HELD], self._held[-_HELD:]
            return data
        return self._without_trailer(self._held, self._trailer)

    def _without_trailer(self, end: bytes, pattern: re.Pattern[str]) -> bytes:
        start = end.rstrip(b"\r\n").rfind(b"\n") + 1
        found = pattern.search(end[start:].decode("utf-8", "replace").strip())
        if found is None or not (found[1] or "").isdecimal():
            return end
        self.trailer_rows = int(found[1])
        return end[:start]


def _refuse_other_encoding(start: bytes) -> None:
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if start.startswith(mark):
            raise SourceError(
                f"The file is written in {name}.", fix=f"Set `encoding: {name}` for the source.", code="source.encoding"
            )
