"""A member and a template make one pass.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from passflow.errors import ConfigError
from passflow.model import Status, Value
from passflow.template.compile import CompiledTemplate
from passflow.template.typed import apple_time

LONG_PAST: Final = "2001-01-01T00:00:00+00:00"
"""The expiry of a pass that has ended, when no real one lies in the past."""

_VOID: Final = frozenset({"voided", "redeemed", "invalidated", "deleted"})
_WEB: Final = re.compile(r"https?://[^\s/]")
_ENDED: Final = frozenset({"expired", "deleted"})


@dataclass(frozen=True, slots=True)
class AppleEnvelope:
    """What a pass has of its own, beside the member and the template.

    Attributes:
        pass_type: pass type identifier, such as ``pass.com.example.gold``.
        team: team identifier.
        serial: serial number.
        authentication_token: for the web service; at least 16 characters.
        web_service_url: of the web service, https; given together with the token or not at all.
        status: of the pass.
        expires_at: wins over the template's ``expires``.
        at: the store's clock; a pass that has ended keeps an expiry only if it lies before this.

    Raises:
        ConfigError: token and URL are not both given, or one of them breaks Apple's rule.
    """

    pass_type: str
    team: str
    serial: str
    authentication_token: str | None = field(default=None, repr=False)
    web_service_url: str | None = None
    status: Status | str = Status.ACTIVE
    expires_at: datetime | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        token, url = self.authentication_token, self.web_service_url
        if (token is None) != (url is None):
            missing = "authentication token" if token is None else "web service URL"
            raise ConfigError(
                f"A pass has a web service URL and an authentication token, but the {missing} is missing."
            )
        if token is not None and len(token) < 16:
            raise ConfigError("An authentication token has fewer than the 16 characters that Apple asks for.")
        if url is not None and not _WEB.match(url):
            raise ConfigError("The web service URL is no URL.", fix="Set the gateway's public https address.")
        if self.status not in _STATUSES:
            raise ConfigError("A pass has a status that does not exist.", fix=f"Use one of {', '.join(_STATUSES)}.")


_STATUSES: Final = tuple(status.value for status in Status)


def render_apple(compiled: CompiledTemplate, values: Mapping[str, Value], envelope: AppleEnvelope) -> dict[str, Any]:
    """Render one pass.json; the same input gives the same keys in the same order.

    Constant parts are shared between calls: treat the result as read-only.

    Raises:
        TemplateError: a value cannot be shown (code ``template.value``): its type, a lookup, a length, a link.
    """
    document: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": envelope.pass_type,
        "serialNumber": envelope.serial,
        "teamIdentifier": envelope.team,
    }
    if envelope.authentication_token is not None:
        document["webServiceURL"] = envelope.web_service_url
        document["authenticationToken"] = envelope.authentication_token
    document.update(compiled.apple(values, compiled.locale_of(values)))
    if envelope.expires_at is not None:
        zone = ZoneInfo(compiled.template.time_zone)
        document["expirationDate"] = apple_time(envelope.expires_at, zone, "expires_at", "envelope.expires_at")
    if envelope.status in _ENDED and not _is_past(document.get("expirationDate"), envelope):
        document["expirationDate"] = LONG_PAST
    if envelope.status in _VOID:
        document["voided"] = True
    return document


def _is_past(expiry: str | None, envelope: AppleEnvelope) -> bool:
    if expiry is None or envelope.at is None:
        return False
    at = envelope.at if envelope.at.tzinfo else envelope.at.replace(tzinfo=UTC)
    return datetime.fromisoformat(expiry) < at
