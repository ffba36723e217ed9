"""Carries pushes to APNs over HTTP/2: a queue, one working connection, and what to do when it breaks.

Double sending: a push is sent again without knowing whether APNs acted on it only when its connection broke, its
stream was reset or no answer came in time. That is harmless, because APNs keeps one notification per device and topic.
Streams that APNs says it never looked at (GOAWAY, REFUSED_STREAM) are sent again for certain.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterable

from pydantic import BaseModel, ConfigDict, Field

from passflow.errors import PushError
from passflow.wallets.apple.h2_connection import Connection
from passflow.wallets.apple.h2_push import Push
from passflow.wallets.apple.push_transport import Answer, Headers


class TransportSettings(BaseModel):
    """Where APNs is and how patient to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(
        "api.push.apple.com", description="Passes are pushed by production APNs only; there is no sandbox."
    )
    port: int = Field(443, ge=1, le=65535, description="443, or 2197 where a firewall blocks it.")
    max_streams: int = Field(1000, ge=1, description="Pushes in flight at most; APNs' own limit is obeyed as well.")
    connect_timeout: float = Field(10.0, gt=0, description="Seconds until a connection must be ready.")
    answer_timeout: float = Field(30.0, gt=0, description="Seconds until a push must be answered.")
    ping_after: float = Field(3600.0, gt=0, description="Seconds of idleness after which the connection is probed.")
    max_attempts: int = Field(3, ge=1, description="Times one push is sent before it counts as unanswered.")
    max_connects: int = Field(3, ge=1, description="Connections in a row that may end without one answer.")
    backoff: float = Field(1.0, ge=0, description="Seconds before the second connection; doubled for each further one.")


def _copy(error: PushError) -> PushError:
    """One instance per waiter: a shared one would gather every waiter's traceback."""
    return PushError(error.message, fix=error.fix, code=error.error_code)


class H2Transport:
    """`PushTransport` on the `h2` library and asyncio; bound to the loop that opens it.

    Args:
        context: TLS context of `passflow.wallets.apple.push_auth.client_context`.
        settings: host, port and patience.
        bearer: returns the ``authorization`` header for token authentication
            (`passflow.wallets.apple.push_auth.ProviderToken`); None with a client certificate.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        settings: TransportSettings | None = None,
        *,
        bearer: Callable[[], str] | None = None,
    ) -> None:
        self._context, self._settings, self._bearer = context, settings or TransportSettings(), bearer
        host, port = self._settings.host, self._settings.port
        self._authority = host if port == 443 else f"{host}:{port}"
        self._queue: deque[Push] = deque()
        self._working: Connection | None = None
        self._connections: set[Connection] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._barren = 0  # connections in a row that failed or ended without an answer
        self._scheduled = False
        self._cause = ""
        self._refusal: PushError | None = PushError("The push transport is not open.", code="push.closed")

    async def open(self) -> None:
        """Connects, and returns when pushes may be sent; does nothing when open.

        Raises:
            PushError: APNs cannot be reached, or refuses the connection (``push.unreachable``).
        """
        self._loop = asyncio.get_running_loop()
        if self._refusal is not None:
            self._refusal, self._barren, self._scheduled = None, 0, False
        self._connect()
        if self._connecting is not None:
            await asyncio.wait((self._connecting,))
        if self._refusal is not None:
            raise _copy(self._refusal)

    async def push(self, token: str, headers: Headers) -> Answer:
        """Sends ``{}`` to one device token and returns APNs' answer.

        Raises:
            PushError: the transport is closed, or APNs has become unreachable.
        """
        if self._refusal is not None:
            raise _copy(self._refusal)
        push = Push(token, headers, self._loop.create_future())
        self._queue.append(push)
        self.progressed()
        return await push.answered

    def withdraw(self) -> None:
        """Gives up the pushes that were not sent yet: they end with ``PushError``, code ``push.withdrawn``."""
        self._give_up(PushError("The push was withdrawn before it was sent.", code="push.withdrawn"))

    async def close(self) -> None:
        """Closes all connections; pushes still waiting end with ``PushError``. Does nothing when closed."""
        self._fail(PushError("The push transport was closed before APNs answered.", code="push.closed"))
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        connections = list(self._connections)
        for connection in connections:
            connection.close()
        if connections:
            await asyncio.wait([connection.closed for connection in connections])

    @property
    def waiting(self) -> bool:
        """Whether pushes wait for a free stream."""
        return bool(self._queue)

    def progressed(self) -> None:
        """Sends what fits, once per tick of the loop and in one write; called by connections."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._pump)

    def take_back(self, pushes: Iterable[Push], spent: str | None) -> None:
        """Queues unanswered pushes again, or answers for APNs when the attempts are used up; called by connections."""
        for push in reversed(tuple(pushes)):
            push.attempts += spent is not None
            if self._refusal is not None:
                push.fail(_copy(self._refusal))
            elif spent is not None and push.attempts >= self._settings.max_attempts:
                push.settle(Answer(0, spent))
            else:
                self._queue.appendleft(push)
        self.progressed()

    def drain(self, connection: Connection) -> None:
        """Stops opening streams on a connection that APNs is about to close; called by connections."""
        if self._working is connection:
            self._working = None
        self.progressed()

    def lost(self, connection: Connection, cause: str) -> None:
        """Forgets a connection that is gone; called by connections."""
        self._connections.discard(connection)
        self._barren = 0 if connection.answers else self._barren + 1
        self._cause = cause
        if self._barren >= self._settings.max_connects and self._refusal is None:
            self._fail(self._unreachable())
        self.drain(connection)

    def _pump(self) -> None:
        self._scheduled = False
        connection = self._working
        if connection is None:
            if self._queue:
                self._connect()
            return
        while self._queue and connection.has_room:
            push = self._queue.popleft()
            if push.answered.done():
                continue
            try:
                connection.send(push)
            except Exception as exc:  # noqa: BLE001  # no provider token, say: whoever waits must hear of it
                push.fail(exc)
        connection.flush()

    def _connect(self) -> None:
        if self._working is None and self._refusal is None and self._connecting is None:
            self._connecting = self._loop.create_task(self._dial())
            self._connecting.add_done_callback(self._dialled)

    def _dialled(self, dialling: asyncio.Task[None]) -> None:
        self._connecting = None
        if not dialling.cancelled() and (error := dialling.exception()):
            self._cause = type(error).__name__
            self._fail(self._unreachable())
        self.progressed()

    async def _dial(self) -> None:
        while self._refusal is None and self._working is None:
            if self._barren:
                await asyncio.sleep(self._settings.backoff * 2 ** (self._barren - 1))
            try:
                self._working = await self._reach()
            except OSError as exc:  # TLS and timeouts included
                self._cause = f"{type(exc).__name__}: {exc}"
                self._barren += 1
                if self._barren >= self._settings.max_connects:
                    self._fail(self._unreachable())

    async def _reach(self) -> Connection | None:
        """Returns a connection that is ready, or None when it was lost at once (`lost` has counted it)."""
        settings = self._settings
        connection = Connection(
            self,
            self._authority,
            bearer=self._bearer,
            max_streams=settings.max_streams,
            answer_timeout=settings.answer_timeout,
            ping_after=settings.ping_after,
        )
        async with asyncio.timeout(settings.connect_timeout):
            await self._loop.create_connection(
                lambda: connection, settings.host, settings.port, ssl=self._context, ssl_shutdown_timeout=1.0
            )
        self._connections.add(connection)
        await asyncio.wait((connection.ready,), timeout=settings.connect_timeout)
        if not connection.ready.done():
            connection.abort("the server sent no HTTP/2 settings")
            await connection.closed
        return None if connection.draining else connection

    def _fail(self, error: PushError) -> None:
        self._refusal = error
        self._give_up(error)

    def _give_up(self, error: PushError) -> None:
        while self._queue:
            self._queue.popleft().fail(_copy(error))

    def _unreachable(self) -> PushError:
        settings = self._settings
        return PushError(
            f"APNs at {settings.host}:{settings.port} gave no answer on {self._barren} connections in a row; "
            f"the last ended with: {self._cause}.",
            fix="Check the network, the firewall (ports 443 and 2197) and the push certificate; phones not yet told stay queued.",
            code="push.unreachable",
        )
