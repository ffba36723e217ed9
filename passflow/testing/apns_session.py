"""One connection of a client to the fake APNs."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hpack import NeverIndexedHeaderTuple
from hyperframe.frame import GoAwayFrame

from passflow.testing.apns_replies import CheckBearer, Received, Reply

if TYPE_CHECKING:
    from passflow.testing.apns import FakeApns

_GARBAGE = b"HTTP/1.1 400 Bad Request\r\n\r\n"
_ANSWERS: dict[str, int] = {  # reasons that the fake gives by itself
    "BadPath": 404,
    "DuplicateHeaders": 400,
    "ExpiredProviderToken": 403,
    "InvalidProviderToken": 403,
    "MethodNotAllowed": 405,
    "MissingDeviceToken": 400,
    "MissingProviderToken": 403,
    "MissingTopic": 400,
    "PayloadEmpty": 400,
    "PayloadTooLarge": 413,
}


def judge(headers: list[tuple[str, str]], body: bytes, check_bearer: CheckBearer | None) -> str:
    """Returns APNs' reason to refuse a request, or "" when it would be taken."""
    names = [name for name, _ in headers]
    values = dict(headers)
    device = values.get(":path", "").removeprefix("/3/device/")
    checks = (
        ("DuplicateHeaders", len(set(names)) < len(names)),
        ("MethodNotAllowed", values.get(":method") != "POST"),
        ("BadPath", device == values.get(":path", "") or "/" in device),
        ("MissingDeviceToken", not device),
        (check_bearer and check_bearer(values.get("authorization")), True),
        ("MissingTopic", not values.get("apns-topic")),
        ("PayloadTooLarge", len(body) > 4096),
        ("PayloadEmpty", not body),
    )
    return next((reason for reason, applies in checks if reason and applies), "")


class Session(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, fake: FakeApns) -> None:
        self._fake = fake
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self._requests: dict[int, tuple[list[tuple[bytes, bytes]], bytearray]] = {}
        self._bodies: dict[int, bytes] = {}  # answers that wait for a window
        self._last = 0  # the last stream that was acted on
        self._taken = 0
        self._open = 0
        fake.connections += 1
        self._number = fake.connections
        self._plan = fake.goaway if fake.goaway and fake.goaways < fake.goaway.times else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the server's settings; called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._fake.sessions.add(self)
        codes = h2.settings.SettingCodes
        limits = self._fake.limits
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                codes.MAX_CONCURRENT_STREAMS: limits.max_streams,
                codes.INITIAL_WINDOW_SIZE: limits.initial_window,
            },
        )
        self._h2.initiate_connection()
        self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the client; called by asyncio."""
        self._fake.sessions.discard(self)

    def cut(self) -> None:
        """Ends the TCP connection without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Takes bytes of the client; called by asyncio."""
        try:
            for event in self._h2.receive_data(data):
                self._react(event)
        except h2.exceptions.ProtocolError as exc:
            self._fake.violations.append(type(exc).__name__)
            self._write()
            self._transport.close()
            return
        self._write()

    def _send_body(self, stream_id: int, padding: int = 0) -> None:
        overhead = padding + 1 if padding else 0
        room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size) - overhead
        part, rest = self._bodies[stream_id][: max(room, 0)], self._bodies[stream_id][max(room, 0) :]
        if part:
            self._h2.send_data(stream_id, part, end_stream=not rest, pad_length=padding or None)
            self._bodies[stream_id] = rest
        if not rest:
            del self._bodies[stream_id]

    def _write(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._h2.data_to_send())

    def _react(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._open += 1
                self._fake.busiest = max(self._fake.busiest, self._open)
                self._requests[event.stream_id] = ([*event.headers], bytearray())
                self._check_indexing(event.headers)
                self._grant(event.stream_id, 0)
            case h2.events.DataReceived() if event.stream_id in self._requests:
                self._requests[event.stream_id][1].extend(event.data)
                self._grant(event.stream_id, event.flow_controlled_length)
            case h2.events.StreamEnded():
                self._take(event.stream_id)
            case h2.events.WindowUpdated():
                for stream_id in list(self._bodies):
                    self._send_body(stream_id)
            case h2.events.StreamReset() if self._requests.pop(event.stream_id, None):
                self._open -= 1
            case _:
                pass

    def _check_indexing(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        for header in headers:
            if header[0] in (b":path", b"authorization") and not isinstance(header, NeverIndexedHeaderTuple):
                self._fake.violations.append(f"{header[0].decode()} may be indexed")

    def _grant(self, stream_id: int, used: int) -> None:
        limits = self._fake.limits
        if limits.stingy:
            if self._h2.inbound_flow_control_window == 0:
                self._h2.increment_flow_control_window(65_535)
        elif used:
            self._h2.acknowledge_received_data(used, stream_id)
        if limits.initial_window < 2 and not (used and self._h2.remote_flow_control_window(stream_id)):
            self._h2.increment_flow_control_window(1, stream_id)

    def _take(self, stream_id: int) -> None:
        self._taken += 1
        if self._fake.limits.drop_after == self._taken:
            self._h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1})
        plan = self._plan
        if plan is None or self._taken <= plan.keep:
            self._last = stream_id
            self._answer(stream_id)
        if plan and self._taken == plan.after:
            self._say_goaway(plan.reason)

    def _say_goaway(self, reason: str) -> None:
        self._fake.goaways += 1
        frame = GoAwayFrame(0, last_stream_id=self._last, additional_data=json.dumps({"reason": reason}).encode())
        self._write()
        # not by `h2`, which would let nothing follow a GOAWAY
        self._transport.write(frame.serialize())

    def _answer(self, stream_id: int) -> None:
        raw, body = self._requests.pop(stream_id)
        headers = [(name.decode(), value.decode()) for name, value in raw]
        reason = judge(headers, bytes(body), self._fake.check_bearer)
        values = dict(headers)
        token = values.get(":path", "").removeprefix("/3/device/")
        if reason:
            self._fake.violations.append(reason)
            self._reply(stream_id, Reply(_ANSWERS.get(reason, 400), reason))
            return
        if body != b"{}":
            self._fake.violations.append("the body is not {}")
        reply = self._fake.next_reply(token)
        if reply.fault != "refuse":
            self._fake.pushes.append(Received(token, values, bytes(body), self._number))
        if reply.delay:
            asyncio.get_running_loop().call_later(reply.delay, self._reply_late, stream_id, reply)
        else:
            self._reply(stream_id, reply)

    def _reply_late(self, stream_id: int, reply: Reply) -> None:
        self._reply(stream_id, reply)
        self._write()

    def _reply(self, stream_id: int, reply: Reply) -> None:
        codes = h2.errors.ErrorCodes
        match reply.fault:
            case "silent":
                return
            case "close":
                self.cut()
            case "freeze":
                self._transport.pause_reading()
            case "garbage":
                self._write()
                self._transport.write(reply.body or _GARBAGE)
            case "reset" | "refuse":
                self._open -= 1
                code = codes.REFUSED_STREAM if reply.fault == "refuse" else codes.INTERNAL_ERROR
                self._h2.reset_stream(stream_id, code)
            case None:
                self._open -= 1
                self._speak(stream_id, reply)

    def _speak(self, stream_id: int, reply: Reply) -> None:
        body = reply.body
        if body is None and reply.reason is not None:
            stamp = {} if reply.timestamp is None else {"timestamp": reply.timestamp}
            body = json.dumps({"reason": reply.reason, **stamp}).encode()
        headers = [(":status", str(reply.status)), ("apns-id", str(uuid.uuid4()))]
        if reply.filler:
            headers.append(("x-filler", "x" * reply.filler))
        try:
            self._h2.send_headers(stream_id, headers, end_stream=not body)
            if body:
                self._bodies[stream_id] = body
                self._send_body(stream_id, reply.padding)
        except h2.exceptions.StreamClosedError:
            return  # the client gave up on it
        after_first = self._fake.limits.after_first
        if after_first and reply.status == 200 and after_first != self._h2.local_settings.max_concurrent_streams:
            self._h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: after_first})
