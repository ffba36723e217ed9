"""Rules for when and where a pass comes to the lock screen: dates, locations, beacons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, info, warning
from passflow.wallets.apple.rules.keys import BEACON, LOCATION, RELEVANT_DATE
from passflow.wallets.apple.rules.values import check_object, is_number, join, objects, parse_date

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_MOST = 10


def check_relevance(document: Mapping[str, object], style: str | None) -> Iterator[Finding]:
    """Check relevantDates, locations, beacons, maxDistance, and whether the style uses them.

    Args:
        document: pass.json.
        style: the legacy style; None when there is none.
    """
    yield from _check_items(document, "relevantDates", RELEVANT_DATE, ())
    for where, entry in objects("relevantDates", document.get("relevantDates")):
        yield from _check_relevant_date(where, entry)
    for key, kinds, required in (
        ("locations", LOCATION, ("latitude", "longitude")),
        ("beacons", BEACON, ("proximityUUID",)),
    ):
        yield from _check_items(document, key, kinds, required)
        items = document.get(key)
        if isinstance(items, list) and len(items) > _MOST:
            yield error(
                "relevance.too_many", key, f"Wallet takes at most {_MOST}, not {len(items)}.", "Keep the nearest."
            )
    for where, entry in objects("locations", document.get("locations")):
        yield from _check_range(where, entry, "latitude", -90, 90)
        yield from _check_range(where, entry, "longitude", -180, 180)
    for where, entry in objects("beacons", document.get("beacons")):
        yield from _check_range(where, entry, "major", 0, 65_535)
        yield from _check_range(where, entry, "minor", 0, 65_535)
        uuid = entry.get("proximityUUID")
        if isinstance(uuid, str) and uuid and not _UUID.fullmatch(uuid):
            yield error("relevance.uuid", join(where, "proximityUUID"), "This is no UUID.", "Copy it from the beacon.")
    yield from _check_range("", document, "maxDistance", 0, 1e9)
    yield from _check_use(document, style)


def _check_items(
    document: Mapping[str, object], key: str, kinds: Mapping[str, str], required: tuple[str, ...]
) -> Iterator[Finding]:
    items = document.get(key)
    for number, each in enumerate(items if isinstance(items, list) else ()):
        yield from check_object(f"{key}[{number}]", each, kinds, required)


def _check_range(where: str, entry: Mapping[str, object], key: str, low: float, high: float) -> Iterator[Finding]:
    value = entry.get(key)
    if isinstance(value, int | float) and is_number(value) and not low <= value <= high:
        yield error(
            "relevance.range", join(where, key), f"This must be from {low:g} to {high:g}.", "Correct the value."
        )


def _check_relevant_date(where: str, entry: Mapping[str, object]) -> Iterator[Finding]:
    interval = [key for key in ("startDate", "endDate") if key in entry]
    single = [key for key in ("date", "relevantDate") if key in entry]
    if not interval and not single:
        yield error("relevance.empty", where, "The entry names no date.", "Add date, or startDate and endDate.")
    if len(interval) == 1:
        message = "startDate and endDate come together."
        yield error("relevance.interval", where, message, "Add the other one, or use date.")
    start, end = parse_date(entry.get("startDate")), parse_date(entry.get("endDate"))
    if start and end and end < start:
        yield error("relevance.interval", join(where, "endDate"), "The end is before the start.", "Exchange them.")
    if len(single) == 1:
        other = "relevantDate" if single == ["date"] else "date"
        yield info(
            "relevance.both_names",
            where,
            "iOS 18 reads relevantDate here, iOS 26 and later date.",
            f"Add {other} with the same value.",
        )


def _check_use(document: Mapping[str, object], style: str | None) -> Iterator[Finding]:
    dates = bool(document.get("relevantDates") or document.get("relevantDate"))
    if dates and style in ("coupon", "storeCard"):
        fix = "Use locations, or another style."
        yield warning("relevance.style", "relevantDates", f"{style} is shown by location only, not by date.", fix)
    if dates and style == "generic" and not document.get("locations"):
        yield warning("relevance.style", "locations", "generic needs a location beside its date.", "Add locations.")
    if "relevantDate" in document and "relevantDates" not in document:
        yield info("relevance.deprecated", "relevantDate", "The key is deprecated since iOS 18.", "Add relevantDates.")
