"""What APNs needs of HTTP/2 beside the `h2` library: one header block per topic, and streams that survive a GOAWAY."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import h2.connection
import h2.exceptions
import hpack
from hpack.hpack import encode_integer

from passflow.wallets.apple.push_transport import Headers

LAST_STREAM_ID = 2**31 - 1  # RFC 9113 §5.1.1
_FRAME_HEADER = 9
_GOAWAY = 0x7
_LITERAL_PATH = b"\x14"  # RFC 7541 §6.2.3: a literal never indexed, its name entry 4 (:path) of the static table


def _string(value: bytes) -> bytes:
    return bytes(encode_integer(len(value), 7)) + value


def encode_block(authority: str, headers: Headers, bearer: str | None) -> bytes:
    """Returns the HPACK block of all headers but ``:path``: the same for every push of a topic.

    Literals never indexed only, so it stays true whatever the dynamic table holds (RFC 7541 §6.2.3).
    """
    secret = (("authorization", bearer),) if bearer else ()
    literals = (b"\x10" + _string(name.encode()) + _string(value.encode()) for name, value in (*headers, *secret))
    post, https, authority_name = b"\x83", b"\x87", b"\x11"  # entries 3, 7 and 1 of the static table, RFC 7541 A
    return post + https + authority_name + _string(authority.encode()) + b"".join(literals)


class PathEncoder(hpack.Encoder):
    """Puts the one header that differs before the encoded block, and keeps tokens out of hpack's debug log."""

    block = b""
    """What `encode_block` returned for the push that is encoded next."""

    def encode(self, headers: Iterable[tuple[bytes, bytes]], huffman: bool = True) -> bytes:  # type: ignore[override]  # h2 passes pairs of bytes
        """Returns the header block of a push, given its ``:path`` alone."""
        ((_, path),) = headers
        resized = super().encode(()) if self.header_table.resized else b""
        return resized + _LITERAL_PATH + _string(path) + self.block


class FastH2(h2.connection.H2Connection):
    """`h2` without its walk over all streams each time one opens; `Connection` obeys the limit itself."""

    live = 0
    """Streams in flight, as `Connection` counts them."""
    _asked = 0

    @property
    def open_outbound_streams(self) -> int:
        """The number of streams in flight."""
        self._asked += 1
        if self._asked % 1024 == 0:
            return super().open_outbound_streams  # the walk also forgets closed streams
        return self.live


class GoawayFilter:
    """Cuts received bytes into runs of whole frames, and keeps GOAWAY from `h2`.

    `h2` treats the connection as closed from a GOAWAY on; the protocol lets the streams up to ``last_stream_id`` finish
    (RFC 9113 §6.8), and their answers must not be lost.

    Args:
        on_goaway: called with the payload, after all that came before it was consumed.
        max_frame_size: bytes of payload that we allow the server.
    """

    def __init__(self, on_goaway: Callable[[bytes], None], max_frame_size: int) -> None:
        self._on_goaway, self._max_frame_size = on_goaway, max_frame_size
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what `h2` may see; an incomplete frame waits for its rest.

        Raises:
            h2.exceptions.FrameTooLargeError: the bytes are no HTTP/2, or break the limit we set.
        """
        data = self._pending + data if self._pending else data
        self._pending = b""
        start = at = 0
        while len(data) - at >= _FRAME_HEADER:
            size = int.from_bytes(data[at : at + 3])
            if size > self._max_frame_size:
                # `h2` would say so too, but only after it had gathered up to 16 MB
                raise h2.exceptions.FrameTooLargeError(f"A frame of {size} bytes is larger than we allow")
            end = at + _FRAME_HEADER + size
            if end > len(data):
                break
            if data[at + 3] == _GOAWAY:
                if start < at:
                    yield data[start:at]
                self._on_goaway(data[at + _FRAME_HEADER : end])
                start = end
            at = end
        self._pending = data[at:]
        if start < at:
            yield data[start:at]
