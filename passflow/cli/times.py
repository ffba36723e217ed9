"""Times of the store for people."""

from __future__ import annotations

from datetime import UTC, datetime


def show_time(microseconds: int | None) -> str:
    """A time of the store (microseconds since 1970 UTC) as text, to the minute, in UTC; a dash for none."""
    if microseconds is None:
        return "–"
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso_time(microseconds: int | None) -> str | None:
    """The same for machines: ISO 8601 with microseconds."""
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def show_count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 pass, 2,480 passes."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
