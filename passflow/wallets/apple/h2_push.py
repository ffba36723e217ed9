"""A push on its way, and what a connection tells the transport that owns it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from passflow.wallets.apple.push_transport import Answer, Headers

if TYPE_CHECKING:
    from passflow.wallets.apple.h2_connection import Connection


class Push:
    """One push on its way: where it goes, who waits for it, and what has come back so far."""

    __slots__ = ("answered", "apns_id", "attempts", "body", "headers", "sent_at", "status", "token", "unsent")

    def __init__(self, token: str, headers: Headers, answered: asyncio.Future[Answer]) -> None:
        self.token = token
        self.headers = headers
        self.answered = answered
        self.attempts = 0
        self.sent_at = 0.0
        self.unsent = 0
        self.forget()

    def forget(self) -> None:
        """Drops what an earlier connection brought back."""
        self.status, self.apns_id, self.body = 0, None, b""  # type: int, str | None, bytes

    def settle(self, answer: Answer) -> None:
        """Gives the answer to whoever waits; a caller who was cancelled no longer does."""
        if not self.answered.done():
            self.answered.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Ends the wait with an error."""
        if not self.answered.done():
            self.answered.set_exception(error)


class Owner(Protocol):
    """What a connection tells its owner."""

    def progressed(self) -> None:
        """Streams or windows became free."""

    @property
    def waiting(self) -> bool:
        """Whether pushes wait for a free stream."""
        ...

    def take_back(self, pushes: Iterable[Push], spent: str | None) -> None:
        """These were not answered.

        Args:
            pushes: to be sent again.
            spent: what to answer when that was the last attempt; None when APNs says that it never looked at them.
        """

    def drain(self, connection: Connection) -> None:
        """No new stream may be opened on this connection."""

    def lost(self, connection: Connection, cause: str) -> None:
        """The connection is gone, and everything on it was taken back."""
