"""What a fake APNs can be told to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

CheckBearer = Callable[[str | None], str | None]
"""Given the ``authorization`` header or None, returns APNs' reason to refuse it, or None."""

Fault = Literal["silent", "reset", "refuse", "close", "garbage", "freeze"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the fake does with one push.

    Args:
        status: HTTP status.
        reason: goes into a JSON body; None leaves the body away.
        timestamp: milliseconds since 1970, beside `reason`.
        body: these bytes instead of the JSON.
        delay: seconds before the answer.
        padding: bytes of padding of the DATA frame.
        filler: length of an extra header; above 16 kB it needs CONTINUATION frames.
        fault: ``silent`` never answers; ``reset`` and ``refuse`` reset the stream (INTERNAL_ERROR, REFUSED_STREAM);
            ``close`` cuts the TCP connection; ``garbage`` writes `body` raw into it; ``freeze`` stops reading it.
    """

    status: int = 200
    reason: str | None = None
    timestamp: int | None = None
    body: bytes | None = None
    delay: float = 0.0
    padding: int = 0
    filler: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Goaway:
    """Ends connections in the middle.

    Args:
        after: requests that are taken in before the GOAWAY is sent.
        keep: how many of them are acted on, at once; ``last_stream_id`` is the last of these, all later ones are ignored.
        reason: goes into the JSON of the frame.
        times: connections that end so.
    """

    after: int
    keep: int
    reason: str = "Shutdown"
    times: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What the fake allows.

    Args:
        max_streams: streams a connection may open at first.
        after_first: streams allowed once one push was accepted; None leaves the limit.
        drop_after: after so many requests of a connection the limit falls to 1.
        initial_window: bytes of body a stream may send; below 2 the fake grants the rest byte by byte.
        stingy: the connection's window is renewed only when nothing is left of it.
    """

    max_streams: int = 1000
    after_first: int | None = None
    drop_after: int | None = None
    initial_window: int = 65_535
    stingy: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One push that reached the fake whole and was acted on.

    Args:
        token: the device token of the path.
        headers: all headers; the last value of a repeated name.
        body: the payload.
        connection: number of the connection, from 1.
    """

    token: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes
    connection: int
