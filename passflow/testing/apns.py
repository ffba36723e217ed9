"""A local APNs: HTTP/2 over TLS on a real port of 127.0.0.1, checked like the real one, and able to misbehave.

Typical use::

    with FakeApns(server_chain_pem, server_key_pem, client_roots=root_pem) as apns:
        apns.script("ab12", Reply(410, "Unregistered", timestamp=1_700_000_000_000))
        ...  # push to 127.0.0.1, apns.port
    assert apns.tokens == ["ab12"] and not apns.violations
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from typing import Self

from passflow.testing.apns_replies import CheckBearer, Fault, Goaway, Limits, Received, Reply
from passflow.testing.apns_session import Session
from passflow.wallets.apple.push_auth import load_certificate

__all__ = ["CheckBearer", "FakeApns", "Fault", "Goaway", "Limits", "Received", "Reply"]


class FakeApns:
    """The server; a context manager with a thread and a loop of its own.

    Args:
        certificate: PEM of its certificate for 127.0.0.1, with its chain.
        key: PEM of the private key.
        client_roots: PEM of the roots that client certificates must lead to; None asks for none.
        check_bearer: given the ``authorization`` header or None, returns a reason to refuse (403) or None.
        reply: what tokens without a script get.
        limits: streams and windows.
        goaway: ends connections in the middle.

    Attributes:
        port: where it listens.
        pushes: what reached it and was acted on, in order.
        violations: breaches of HTTP/2 or of APNs' rules that a client must not commit, without tokens.
        connections: how many were made.
        busiest: streams that were open at once at most.
    """

    def __init__(
        self,
        certificate: bytes,
        key: bytes,
        *,
        client_roots: bytes | None = None,
        check_bearer: CheckBearer | None = None,
        reply: Reply | None = None,
        limits: Limits | None = None,
        goaway: Goaway | None = None,
    ) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_alpn_protocols(["h2"])
        load_certificate(self._context, certificate, key)
        if client_roots:
            self._context.load_verify_locations(cadata=client_roots.decode("ascii"))
            self._context.verify_mode = ssl.CERT_REQUIRED
        self.check_bearer, self.limits, self.goaway = check_bearer, limits or Limits(), goaway
        self.port = self.connections = self.busiest = self.goaways = 0
        self.pushes: list[Received] = []
        self.violations: list[str] = []
        self.sessions: set[Session] = set()
        self._reply, self._scripts = reply or Reply(), dict[str, list[Reply]]()
        self._loop = asyncio.new_event_loop()

    @property
    def tokens(self) -> list[str]:
        """Device tokens of `pushes`."""
        return [push.token for push in self.pushes]

    def script(self, token: str, *replies: Reply) -> None:
        """Sets what pushes to a token get, one after the other; the last one stays."""
        self._scripts[token] = list(replies)

    def next_reply(self, token: str) -> Reply:
        """Takes the next reply of a token's script."""
        script = self._scripts.get(token)
        if not script:
            return self._reply
        return script.pop(0) if len(script) > 1 else script[0]

    def hang_up(self) -> None:
        """Cuts all connections without a word; more may be made."""
        for session in list(self.sessions):
            self._loop.call_soon_threadsafe(session.cut)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-apns", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: Session(self), "127.0.0.1", 0, ssl=self._context)

    async def _stop(self) -> None:
        self._server.close()
        for session in list(self.sessions):
            session.cut()
        await asyncio.sleep(0.01)  # lets the transports notice
