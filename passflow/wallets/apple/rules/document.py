"""Checks a whole pass.json."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from passflow.wallets.apple.findings import Finding, error, warning
from passflow.wallets.apple.rules.codes import check_codes, first_format
from passflow.wallets.apple.rules.fields import check_fields, check_limits
from passflow.wallets.apple.rules.keys import ACTION, ACTION_TYPES, REQUIRED, STYLES, TOP_LEVEL, UPCOMING
from passflow.wallets.apple.rules.relevance import check_relevance
from passflow.wallets.apple.rules.schemes import check_schemes, check_styles, legacy_style
from passflow.wallets.apple.rules.semantics import check_semantics
from passflow.wallets.apple.rules.values import check_object, is_url, join

_TEAM = re.compile(r"[A-Z0-9]{10}", re.ASCII)


def check_pass(document: Mapping[str, object], files: Collection[str] | None = None) -> list[Finding]:
    """Check a pass.json against Apple's rules.

    Args:
        document: the parsed pass.json.
        files: paths in the archive, where a rule needs them; None when they are not known yet.
    """
    return [
        *check_object("", document, TOP_LEVEL, REQUIRED),
        *_check_identity(document),
        *_check_web_service(document),
        *check_styles(document),
        *_check_all_fields(document),
        *check_codes(document),
        *check_relevance(document, legacy_style(document)),
        *check_schemes(document, files),
        *check_semantics(document),
        *_check_companions(document),
        *_check_actions(document),
        *_check_upcoming(document),
    ]


def _check_identity(document: Mapping[str, object]) -> Iterator[Finding]:
    version, kind, team = (document.get(key) for key in ("formatVersion", "passTypeIdentifier", "teamIdentifier"))
    if isinstance(version, int) and version != 1:
        yield error("pass.format_version", "formatVersion", "There is only format version 1.", "Write 1.")
    if isinstance(kind, str) and kind and not kind.startswith("pass."):
        yield warning(
            "pass.type_identifier",
            "passTypeIdentifier",
            "Pass type identifiers begin with pass.",
            "Copy it from Apple.",
        )
    if isinstance(team, str) and team and not _TEAM.fullmatch(team):
        message = "A team identifier has 10 capital letters and digits."
        yield warning(
            "pass.team_identifier", "teamIdentifier", message, "Copy it from developer.apple.com, Membership."
        )


def _check_web_service(document: Mapping[str, object]) -> Iterator[Finding]:
    url, token = document.get("webServiceURL"), document.get("authenticationToken")
    if (url is None) != (token is None):
        missing = "webServiceURL" if url is None else "authenticationToken"
        message = "webServiceURL and authenticationToken come together or not at all."
        yield error("pass.web_service", missing, message, f"Add {missing}, or remove the other.")
    if isinstance(token, str) and len(token) < 16:
        message = "The token has fewer than 16 characters."
        yield error("pass.token", "authenticationToken", message, "Use at least 16.")
    if isinstance(url, str) and is_url(url):
        parts = urlsplit(url)
        if parts.scheme != "https":
            level = warning if parts.scheme == "http" and _is_loopback(parts.hostname) else error
            message = "Phones use https only; plain http needs the developer switch."
            yield level("pass.web_service", "webServiceURL", message, "Use https.")
        if parts.path.rstrip("/").endswith("/v1"):
            message = "Wallet appends /v1 itself."
            yield error("pass.web_service", "webServiceURL", message, "Remove v1 from the end.")


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _check_all_fields(document: Mapping[str, object]) -> Iterator[Finding]:
    for style in STYLES:
        content = document.get(style)
        if isinstance(content, dict):
            yield from check_fields(style, content)
            yield from check_limits(style, content, first_format(document))


def _check_companions(document: Mapping[str, object]) -> Iterator[Finding]:
    if "appLaunchURL" in document and not document.get("associatedStoreIdentifiers"):
        message = "Without associatedStoreIdentifiers there is no app to launch."
        yield warning("pass.companion", "appLaunchURL", message, "Add associatedStoreIdentifiers.")
    if "groupingIdentifier" in document and legacy_style(document) not in ("boardingPass", "eventTicket"):
        message = "Only boarding passes and event tickets are grouped."
        yield warning("pass.companion", "groupingIdentifier", message, "Remove it.")


def _check_actions(document: Mapping[str, object]) -> Iterator[Finding]:
    actions = document.get("featuredActions")
    if not isinstance(actions, list):
        return
    if len(actions) > 2:
        yield error("pass.actions", "featuredActions", f"Wallet takes at most 2, not {len(actions)}.", "Keep two.")
    for number, action in enumerate(actions):
        where = f"featuredActions[{number}]"
        yield from check_object(where, action, ACTION, tuple(ACTION))
        kind = action.get("type") if isinstance(action, dict) else None
        if isinstance(kind, str) and kind and kind not in ACTION_TYPES:
            fix = f"Use {', '.join(sorted(ACTION_TYPES))}."
            yield error("pass.actions", join(where, "type"), "Wallet does not know this value.", fix)


def _check_upcoming(document: Mapping[str, object]) -> Iterator[Finding]:
    entries = document.get("upcomingPassInformation")
    if not isinstance(entries, list):
        return
    schemes = document.get("preferredStyleSchemes")
    if not isinstance(schemes, list) or "posterEventTicket" not in schemes:
        message = "Only posterEventTicket shows upcoming pass information."
        yield error(
            "pass.upcoming", "upcomingPassInformation", message, "Add posterEventTicket to preferredStyleSchemes."
        )
    for number, entry in enumerate(entries):
        where = f"upcomingPassInformation[{number}]"
        yield from check_object(where, entry, UPCOMING, ("identifier", "name", "type"))
        kind = entry.get("type") if isinstance(entry, dict) else None
        if isinstance(kind, str) and kind not in ("", "event"):
            yield error("pass.upcoming", join(where, "type"), "The only type is event.", "Write event.")
