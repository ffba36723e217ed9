"""Apple's rules for when and where a pass comes up, and when it ends.

Sources: https://developer.apple.com/documentation/walletpasses/pass/relevantdates, …/pass/locations, …/pass/beacons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeGuard
from uuid import UUID

from passflow.template.apple_field_rules import Fault
from passflow.template.apple_keys import DATE
from passflow.template.tree import Leaf


def check_places(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check locations, beacons and the distance."""
    for group in ("locations", "beacons"):
        if len(_objects(tree, group)) > 10:
            yield Fault(group, f"at most 10 count, not {len(tree[group])}", "Keep the ten that matter most")
    for group in ("locations", "beacons", "relevantDates"):
        if group in tree and not isinstance(tree[group], list | Leaf):
            yield Fault(group, "it is no list", "Give a list of mappings")
    for index, place in enumerate(_objects(tree, "locations")):
        for key, most in (("latitude", 90), ("longitude", 180)):
            degrees = place.get(key)
            if not isinstance(degrees, Leaf) and not (isinstance(degrees, int | float) and -most <= degrees <= most):
                fix = f"Give degrees from -{most} to {most}"
                yield Fault(f"locations[{index}].{key}", "it is no such coordinate", fix)
    for index, beacon in enumerate(_objects(tree, "beacons")):
        if not isinstance(beacon.get("proximityUUID"), Leaf) and not _is_uuid(beacon.get("proximityUUID")):
            fix = "Write it as in E2C56DB5-DFFB-48D2-B060-D0F5A71096E0"
            yield Fault(f"beacons[{index}].proximityUUID", "it is no UUID", fix)
        for key in ("major", "minor"):
            number = beacon.get(key, 0)
            if not isinstance(number, Leaf) and not (isinstance(number, int) and 0 <= number <= 65535):
                yield Fault(f"beacons[{index}].{key}", "it is out of range", "Give a number from 0 to 65535")
    distance = tree.get("maxDistance", 1)
    if not isinstance(distance, Leaf) and not (isinstance(distance, int | float) and distance > 0):
        yield Fault("maxDistance", "it is no distance", "Give metres, more than 0")


def _objects(tree: Mapping[str, Any], group: str) -> list[Mapping[str, Any]]:
    found = tree.get(group)
    return [each if isinstance(each, Mapping) else {} for each in found] if isinstance(found, list) else []


def _is_uuid(text: Any) -> bool:
    try:
        return str(UUID(str(text))) == str(text).lower()
    except ValueError:
        return False


def check_times(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check the expiry and the times of relevance."""
    for key in ("expirationDate", "relevantDate"):
        if isinstance(tree.get(key), str) and not _is_time(tree[key]):
            yield Fault(key, "it is no time as Apple reads it", "Write 2026-12-31T23:59:59+01:00")
    for index, moment in enumerate(_objects(tree, "relevantDates")):
        at = f"relevantDates[{index}]"
        interval = {"startDate", "endDate"} & moment.keys()
        single = {"date", "relevantDate"} & moment.keys()
        if bool(interval) == bool(single) or len(interval) == 1:
            yield Fault(at, "it is neither one moment nor an interval", "Give `date`, or `start` and `end`")
        start, end = moment.get("startDate"), moment.get("endDate")
        if _is_time(start) and _is_time(end) and datetime.fromisoformat(end) < datetime.fromisoformat(start):
            yield Fault(f"{at}.endDate", "the interval ends before it starts", "Exchange the two")
        for key, value in moment.items():
            if isinstance(value, str) and not _is_time(value):
                yield Fault(f"{at}.{key}", "it is no time as Apple reads it", "Write 2026-12-31T20:00:00+01:00")


def _is_time(value: Any) -> TypeGuard[str]:
    if not isinstance(value, str) or not DATE.fullmatch(value):
        return False
    try:
        return datetime.fromisoformat(value) is not None
    except ValueError:
        return False
