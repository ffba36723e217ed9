"""The port between what is pushed (`passflow.wallets.apple.apns`) and how it reaches APNs."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, str], ...]
"""Request headers of one push in lower case, without pseudo-headers and without ``authorization``."""

NO_ANSWER = "NoAnswer"
REFUSED_STREAM = "RefusedStream"
"""Reasons of an `Answer` with status 0; all others are APNs' own words."""

_REASON = re.compile(r"[A-Z][A-Za-z]{1,63}")
_LATEST = 253_402_300_799_999  # ms; the end of year 9999, the last moment datetime can hold


class Answer(NamedTuple):
    """What APNs said to one push.

    Args:
        status: HTTP status; 0 when no answer came although the push was tried several times.
        reason: APNs' word for a refusal, None when it gave none.
        timestamp: with 410, milliseconds since 1970 at which APNs last found the token not valid.
        apns_id: APNs' id of the notification.

    Source:
        https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
    """

    status: int
    reason: str | None = None
    timestamp: int | None = None
    apns_id: str | None = None


class PushTransport(Protocol):
    """Carries pushes to APNs; answers each exactly once, in any order."""

    async def open(self) -> None:
        """Connects, and returns when pushes may be sent; does nothing when open.

        Raises:
            PushError: APNs cannot be reached, or refuses the connection.
        """
        ...

    async def push(self, token: str, headers: Headers) -> Answer:
        """Sends ``{}`` to one device token and returns APNs' answer; many may be awaited at once.

        Args:
            token: device token, checked by `passflow.wallets.apple.apns` to be safe in a path.
            headers: the ``apns-*`` headers; pushes that share them should share the tuple.

        Raises:
            PushError: the transport is closed, or APNs has become unreachable.
        """
        ...

    def withdraw(self) -> None:
        """Gives up the pushes that were not sent yet: they end with ``PushError``, code ``push.withdrawn``."""
        ...

    async def close(self) -> None:
        """Closes all connections; pushes still waiting end with ``PushError``. Does nothing when closed."""
        ...


def read_refusal(body: bytes) -> tuple[str | None, int | None]:
    """Returns reason and timestamp (ms) of a refusal's JSON body, None for whatever is missing or malformed.

    Only a word of letters counts as a reason: what a broken proxy echoes back must not reach a log.
    """
    import orjson

    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(document, dict):
        return None, None
    reason, timestamp = document.get("reason"), document.get("timestamp")
    word = reason if isinstance(reason, str) and _REASON.fullmatch(reason) else None
    moment = timestamp if type(timestamp) is int and 0 <= timestamp <= _LATEST else None
    return word, moment
