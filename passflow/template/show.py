"""Slots made ready: for each ``{…}`` a function from a member's values and locale to text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from passflow.model import FieldType, Value, Values
from passflow.template import marks
from passflow.template.figures import figure, unshowable
from passflow.template.format import Slot
from passflow.template.lookup import OTHERWISE, Lookup
from passflow.template.problems import value_error
from passflow.template.slots import Setting, Show, reader


def shower(slot: Slot, path: str, setting: Setting, *, exact: bool = False) -> Show:
    """Make the function that shows a slot which `check_slot` found sound.

    Args:
        slot: the slot.
        path: of the text in the program file, for errors.
        setting: the template's.
        exact: for machines: plain numbers and dates in their ISO form, whatever the locale.
    """
    kind = setting.fields[slot.field]
    read = reader(slot.field, kind, path)
    if slot.kind in ("plain", "upper", "lower", "title", "last", "groups") and kind in ("text", "integer"):
        return _text(slot, kind, read, path)
    if slot.kind == "lookup":
        return _lookup(slot, read, setting.lookups[slot.argument], path)
    if kind in ("integer", "decimal"):
        return figure(slot, read, setting, path, exact)
    return _time(slot, read, setting, path, exact)


def _text(slot: Slot, kind: FieldType, read: Callable[[Values], Value], path: str) -> Show:
    change = TEXTS.get(slot.kind)
    count = int(slot.argument) if slot.kind in ("last", "groups") else 0

    def show(values: Values, locale: str) -> str:
        value = read(values)
        if value is None:
            return ""
        if kind == "integer":
            value = _digits(value, slot.field, path)
        return cast(str, value) if change is None else change(cast(str, value), count)

    def show_as_it_is(values: Values, locale: str) -> str:
        return read(values) or ""  # type: ignore[return-value]  # the reader lets text and None through

    return show_as_it_is if change is None and kind == "text" else show


def _digits(value: Value, name: str, path: str) -> str:
    if not marks.showable(cast(int, value)):
        raise unshowable(name, path)
    return str(value)


def _title(text: str, _: int) -> str:
    return re.sub(r"[^\s-]+", lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


TEXTS: Mapping[str, Callable[[str, int], str]] = {
    "upper": lambda text, _: text.upper(),
    "lower": lambda text, _: text.lower(),
    "title": _title,
    "last": lambda text, count: text[-count:],
    "groups": lambda text, count: " ".join(text[at : at + count] for at in range(0, len(text), count)),
}


def _lookup(slot: Slot, read: Callable[[Values], Value], table: Lookup, path: str) -> Show:
    def show(values: Values, locale: str) -> str:
        value = read(values)
        if value is None:
            return ""
        text = table.find(cast("str | int | bool", value), locale or None)
        if text is None:
            what = f"the value of member field `{slot.field}` is not in the lookup table `{slot.argument}`"
            raise value_error(
                path, what, f"Add it to `lookups.{slot.argument}`, or an entry `{OTHERWISE}` for all others"
            )
        return text

    return show


def _time(slot: Slot, read: Callable[[Values], Value], setting: Setting, path: str, exact: bool) -> Show:
    width = cast(marks.Width, slot.argument or "medium")
    zone = ZoneInfo(setting.time_zone)
    clock: Literal["time", "datetime"] = "time" if slot.kind == "time" else "datetime"

    def show(values: Values, locale: str) -> str:
        value = read(values)
        if isinstance(value, datetime):
            local = localise(value, zone, slot.field, path)
            if exact and slot.kind == "plain":
                return local.isoformat(timespec="seconds")
            if slot.kind == "date":
                return marks.format_day(local.date(), width, locale)
            # in UTC, because the cache cannot tell the two hours apart that a clock change gives the same name
            return marks.format_moment(local.astimezone(UTC), clock, width, setting.time_zone, locale)
        if isinstance(value, date):
            return value.isoformat() if exact and slot.kind == "plain" else marks.format_day(value, width, locale)
        return ""

    return show


def localise(value: datetime, zone: ZoneInfo, name: str, path: str) -> datetime:
    """Put a time into a zone; one without a zone is taken as local to it."""
    local = value.replace(tzinfo=zone)
    try:
        if value.tzinfo is not None:
            local = value.astimezone(zone)
        local.astimezone(UTC)  # the first and last days of the calendar have no such time
    except OverflowError:
        what = f"member field `{name}` holds no time of our era"
        raise value_error(path, what, "Correct it in the master system") from None
    return local
