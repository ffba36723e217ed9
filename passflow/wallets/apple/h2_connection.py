"""One HTTP/2 connection to APNs: streams, windows, GOAWAY and keep-alive, on the `h2` library.

What was sent and not answered is handed back to the owner, with the word whether APNs may have acted on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from passflow.wallets.apple.h2_push import Owner, Push
from passflow.wallets.apple.h2_wire import LAST_STREAM_ID, FastH2, GoawayFilter, PathEncoder, encode_block
from passflow.wallets.apple.push_transport import NO_ANSWER, REFUSED_STREAM, Answer, Headers, read_refusal

_BODY = b"{}"  # Apple: the body of a pass push is an empty JSON dictionary; zero bytes are refused (PayloadEmpty)
_LARGEST_ANSWER = 4096


class Connection(asyncio.Protocol):
    """One connection; give it to ``loop.create_connection`` and await `ready`.

    Attributes:
        ready: done when the server's settings came (None) or the connection was lost before (the cause).
        closed: done when the connection is gone.
        answers: pushes answered on it.

    Args:
        owner: is told what becomes free and what must be sent again.
        authority: host, and port when it is not 443.
        bearer: returns the ``authorization`` header of token authentication; None with a client certificate.
        max_streams: pushes in flight at most, however many the server would allow.
        answer_timeout: seconds after which an unanswered push, or a silent connection, is given up.
        ping_after: seconds of silence after which an idle connection is probed.
    """

    def __init__(
        self,
        owner: Owner,
        authority: str,
        *,
        bearer: Callable[[], str] | None,
        max_streams: int,
        answer_timeout: float,
        ping_after: float,
    ) -> None:
        self.answers = 0
        self.goaway_reason: str | None = None
        self.draining = False
        self._owner, self._authority, self._bearer = owner, authority, bearer
        self._max_streams, self._answer_timeout, self._ping_after = max_streams, answer_timeout, ping_after
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[str | None] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding=None,
            # both directions are short and fixed here; h2's checks cost a third of the time of a push
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
        )
        self._h2 = FastH2(config)
        self._h2.encoder = self._encoder = PathEncoder()
        self._blocks: dict[tuple[Headers, str | None], bytes] = {}
        self._in_flight: dict[int, Push] = {}
        self._upload: dict[int, Push] = {}  # bodies that wait for a flow-control window
        self._filter = GoawayFilter(self._go_away, self._h2.max_inbound_frame_size)
        self._limit = 0  # nothing is sent before the server's SETTINGS
        self._heard = self._settled = self._loop.time()
        self._pinged_at: float | None = None
        self._proven = bearer is None  # APNs allows one stream until a provider token was accepted
        self._cause = "closed by the server"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the preface; called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._h2.local_settings.enable_push = 0
        self._h2.initiate_connection()
        self.flush()
        self._watch_handle = self._loop.call_later(self._answer_timeout / 4, self._watch)

    @property
    def has_room(self) -> bool:
        """Whether one more push may be sent now."""
        return len(self._in_flight) < self._limit and not self.draining and self._h2.outbound_flow_control_window > 0

    def send(self, push: Push) -> None:
        """Opens a stream for a push; the bytes leave with the next `flush`."""
        stream_id = self._h2.get_next_available_stream_id()
        bearer = self._bearer() if self._bearer else None
        key = (push.headers, bearer)
        block = self._blocks.get(key)
        if block is None:
            if len(self._blocks) > 256:
                self._blocks.clear()
            block = self._blocks[key] = encode_block(self._authority, push.headers, bearer)
        self._encoder.block = block
        self._h2.send_headers(stream_id, [(b":path", b"/3/device/" + push.token.encode())])
        push.forget()
        push.sent_at = self._loop.time()
        push.unsent = len(_BODY)
        self._in_flight[stream_id] = push
        self._h2.live = len(self._in_flight)
        self._send_body(stream_id, push)
        if stream_id >= LAST_STREAM_ID - 2:
            self._start_draining()

    def flush(self) -> None:
        """Writes all that `h2` has gathered in one piece."""
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Says GOAWAY and closes; what is in flight is taken back as unsure."""
        self.draining = True
        if not self._transport.is_closing():
            self._h2.close_connection()
            self.flush()
            self._transport.close()

    def abort(self, cause: str) -> None:
        """Drops a connection that cannot be trusted any more."""
        self.draining = True
        self._cause = cause
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Takes bytes of the server; called by asyncio."""
        if self._transport.is_closing():
            return
        self._heard = self._loop.time()
        try:
            for part in self._filter.feed(data):
                for event in self._h2.receive_data(part):
                    self._react(event)
        except h2.exceptions.H2Error as exc:
            self.flush()
            self.abort(f"the server broke the HTTP/2 protocol ({type(exc).__name__})")
            return
        self.flush()
        if self.draining and not self._in_flight:
            self.close()
        self._owner.progressed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hands back what is unanswered; called by asyncio."""
        self._watch_handle.cancel()
        self.draining = True
        left = list(self._in_flight.values())
        self._in_flight.clear()
        self._upload.clear()
        cause = f"{type(exc).__name__}: {exc}" if exc else self._cause
        if self.goaway_reason:
            cause = f"{cause}; APNs said {self.goaway_reason}"
        if not self.ready.done():
            self.ready.set_result(cause)
        if not self.closed.done():
            self.closed.set_result(None)
        self._owner.take_back(left, NO_ANSWER)
        self._owner.lost(self, cause)

    def _send_body(self, stream_id: int, push: Push) -> None:
        size = min(push.unsent, max(self._h2.local_flow_control_window(stream_id), 0))
        if size:
            start = len(_BODY) - push.unsent
            push.unsent -= size
            self._h2.send_data(stream_id, _BODY[start : start + size], end_stream=not push.unsent)
        if push.unsent:
            self._upload[stream_id] = push
        else:
            self._upload.pop(stream_id, None)

    def _go_away(self, payload: bytes) -> None:
        if len(payload) < 8:
            raise h2.exceptions.ProtocolError("GOAWAY is shorter than eight bytes")
        last = int.from_bytes(payload[:4]) & LAST_STREAM_ID
        reason, _ = read_refusal(payload[8:])
        self.goaway_reason = reason or self.goaway_reason
        beyond = [stream_id for stream_id in self._in_flight if stream_id > last]
        self._start_draining()
        self._owner.take_back([self._drop(stream_id) for stream_id in beyond], None)

    def _start_draining(self) -> None:
        self.draining = True
        self._owner.drain(self)

    def _drop(self, stream_id: int) -> Push:
        push = self._in_flight.pop(stream_id)
        self._upload.pop(stream_id, None)
        self._h2.live = len(self._in_flight)
        return push

    def _cancel(self, stream_id: int) -> None:
        try:
            self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
        except h2.exceptions.StreamClosedError:
            return  # the other side was faster

    def _react(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self._head(event.stream_id, event.headers)
            case h2.events.StreamEnded():
                self._finish(event.stream_id)
            case h2.events.DataReceived():
                push = self._in_flight.get(event.stream_id)
                if push is not None and len(push.body) < _LARGEST_ANSWER:
                    push.body += event.data[:_LARGEST_ANSWER]
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamReset() if event.stream_id in self._in_flight:
                push = self._drop(event.stream_id)
                refused = event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
                self._owner.take_back((push,), REFUSED_STREAM if refused else NO_ANSWER)
            case h2.events.RemoteSettingsChanged():
                self._obey_settings()
            case h2.events.WindowUpdated():
                self._send_bodies()
            case h2.events.PingAckReceived():
                self._pinged_at = None
            case _:
                pass

    def _obey_settings(self) -> None:
        allowed = min(self._h2.remote_settings.max_concurrent_streams, self._max_streams)
        self._limit = allowed if self._proven else min(allowed, 1)
        self._send_bodies()  # a larger initial window reaches open streams too
        if not self.ready.done():
            self.ready.set_result(None)

    def _send_bodies(self) -> None:
        for stream_id, push in list(self._upload.items()):
            self._send_body(stream_id, push)

    def _head(self, stream_id: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        push = self._in_flight.get(stream_id)
        if push is None:
            return
        for name, value in headers:
            if name == b":status":
                push.status = int(value) if value.isdigit() else 0
            elif name == b"apns-id" and len(value) == 36:
                push.apns_id = value.decode("ascii", "replace")

    def _finish(self, stream_id: int) -> None:
        if stream_id not in self._in_flight:
            return
        push = self._drop(stream_id)
        if push.unsent:
            self._cancel(stream_id)  # answered before the body was wanted
        self.answers += 1
        self._settled = self._heard
        reason, timestamp = (None, None) if push.status == 200 else read_refusal(push.body)
        push.settle(Answer(push.status, reason, timestamp, push.apns_id))
        if not self._proven and push.status not in (0, 403):
            self._proven = True
            self._obey_settings()

    def _watch(self) -> None:
        """Finds out whether a quiet server is idle, slow on one push, or gone; runs four times per `answer_timeout`."""
        self._watch_handle = self._loop.call_later(self._answer_timeout / 4, self._watch)
        now, half = self._loop.time(), self._answer_timeout / 2
        if self._pinged_at is not None and self._settled < self._pinged_at <= now - half:
            self.abort("the server fell silent")
            return
        if not self._in_flight and self._owner.waiting and now - self._settled >= self._answer_timeout:
            self.abort("the server takes no pushes")
            return
        for stream_id, push in list(self._in_flight.items()):
            if now - push.sent_at < self._answer_timeout:
                break  # in the order of sending
            self._cancel(stream_id)
            self._owner.take_back((self._drop(stream_id),), NO_ANSWER)
        oldest = next(iter(self._in_flight.values()), None)
        quiet = now - max(self._heard, oldest.sent_at) >= half if oldest else now - self._heard >= self._ping_after
        if quiet and self._pinged_at is None:
            self._h2.ping(b"passflow")
            self._pinged_at = now
        self.flush()
        self._owner.progressed()
