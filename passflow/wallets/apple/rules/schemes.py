"""Rules for styles, and for the poster and semantic schemes that build on two of them.

The requirements of the schemes are those of Apple's own validator (github.com/apple/pass-builder, EventTicketValidator,
BoardingPassValidator, SeatValidator). When one is not met, Wallet falls back to the plain style.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, warning
from passflow.wallets.apple.rules.keys import LEGACY_STYLES, POSTER_GENERIC, SCHEMES, STYLE, STYLES, TRANSIT_TYPES
from passflow.wallets.apple.rules.values import check_object, join, parse_date

_POSTER_IMAGE = re.compile(r"(?:[^/]+\.lproj/)?(?:artwork|background)(?:@[23]x)?\.(?:png|pdf)")
_EVENT_ERRORS = ("eventName", "venueName")
_EVENT_WARNINGS = ("eventStartDate", "seats")
_BOARDING_ERRORS = (
    "passengerName", "airlineCode", "flightNumber", "originalDepartureDate", "originalBoardingDate", "originalArrivalDate",
    "departureAirportCode", "departureAirportTimeZone", "destinationAirportCode",
)  # fmt: skip
_BOARDING_WARNINGS = ("destinationAirportTimeZone", "departureCityName", "destinationCityName", "seats")


def legacy_style(document: Mapping[str, object]) -> str | None:
    """Return the first legacy style that the pass has; None without one."""
    return next((style for style in LEGACY_STYLES if style in document), None)


def check_styles(document: Mapping[str, object]) -> Iterator[Finding]:
    """Check that the pass has one style (posterGeneric may stand beside it) and what each style dictionary holds."""
    legacy = [style for style in LEGACY_STYLES if style in document]
    if len(legacy) > 1:
        message = f"A pass has one style, not {len(legacy)}: {', '.join(legacy)}."
        yield error("pass.style_several", legacy[1], message, "Keep one.")
    if not legacy and POSTER_GENERIC not in document:
        fix = f"Add one of {', '.join(STYLES)}."
        yield error("pass.style_missing", "", "The pass has no style dictionary.", fix)
    for style in STYLES:
        content = document.get(style)
        if not isinstance(content, dict):
            continue
        yield from check_object(style, content, STYLE, ("transitType",) if style == "boardingPass" else ())
        transit = content.get("transitType")
        if isinstance(transit, str) and transit and transit not in TRANSIT_TYPES:
            fix = f"Use {', '.join(sorted(TRANSIT_TYPES))}."
            yield error("pass.transit_type", join(style, "transitType"), "Wallet does not know this value.", fix)
        if transit is not None and style != "boardingPass":
            message = "Only a boardingPass has a transitType."
            yield warning("pass.transit_type", join(style, "transitType"), message, "Remove it.")


def check_schemes(document: Mapping[str, object], files: Collection[str] | None) -> Iterator[Finding]:
    """Check preferredStyleSchemes and what the preferred schemes require.

    Args:
        document: pass.json.
        files: paths in the archive, None when they are not known.
    """
    schemes = document.get("preferredStyleSchemes")
    if not isinstance(schemes, list):
        return
    for number, scheme in enumerate(schemes):
        where = f"preferredStyleSchemes[{number}]"
        needed = SCHEMES.get(scheme) if isinstance(scheme, str) else None
        if needed is None:
            yield error("scheme.unknown", where, "Wallet does not know this scheme.", f"Use {', '.join(SCHEMES)}.")
        elif needed not in document:
            yield error("scheme.style", where, f"This scheme needs the style {needed}.", f"Add {needed}.")
    semantics = document.get("semantics")
    tags = semantics if isinstance(semantics, dict) else {}
    if "posterEventTicket" in schemes:
        yield from _check_poster_event(document, tags, files)
    if "semanticBoardingPass" in schemes:
        yield from _check_tags(tags, _BOARDING_ERRORS, _BOARDING_WARNINGS, "semanticBoardingPass")


def _check_poster_event(
    document: Mapping[str, object], tags: Mapping[str, object], files: Collection[str] | None
) -> Iterator[Finding]:
    scheme = "posterEventTicket"
    nfc = document.get("nfc")
    if not nfc:
        yield error("scheme.requirement", "nfc", f"{scheme} needs NFC.", "Add nfc.")
    elif isinstance(nfc, dict) and "requiresAuthentication" not in nfc:
        message = f"{scheme} needs nfc.requiresAuthentication."
        yield error("scheme.requirement", "nfc.requiresAuthentication", message, "Add it.")
    errors, warnings = list(_EVENT_ERRORS), list(_EVENT_WARNINGS)
    if tags.get("eventType") == "PKEventTypeSports":
        errors += ["awayTeamAbbreviation", "homeTeamAbbreviation"]
    if tags.get("eventType") == "PKEventTypeLivePerformance":
        errors += ["performerNames"]
        warnings += ["artistIDs"]
    yield from _check_tags(tags, errors, warnings, scheme)
    start, end = parse_date(tags.get("eventStartDate")), parse_date(tags.get("eventEndDate"))
    if start and end and end < start:
        yield warning("scheme.dates", "semantics.eventEndDate", "The event ends before it starts.", "Exchange them.")
    if files is not None and not any(_POSTER_IMAGE.fullmatch(path) for path in files):
        yield error("scheme.requirement", "artwork.png", f"{scheme} needs an artwork or background image.", "Add one.")


def _check_tags(
    tags: Mapping[str, object], errors: Collection[str], warnings: Collection[str], scheme: str
) -> Iterator[Finding]:
    for name in errors:
        if tags.get(name) in (None, "", [], {}):
            where = f"semantics.{name}"
            yield error(
                "scheme.requirement", where, f"{scheme} needs this tag; without it the plain style shows.", "Add it."
            )
    for name in warnings:
        if tags.get(name) in (None, "", [], {}):
            yield warning("scheme.recommended", f"semantics.{name}", f"{scheme} should have this tag.", "Add it.")
