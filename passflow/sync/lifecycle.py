"""The ``lifecycle:`` block: a member's status and dates become the status of a pass, now and as time passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from passflow.errors import ProgramError, SourceError
from passflow.model import FieldType, Status, Value, Values
from passflow.sync.fields import Text

OnMissing = Literal["delete", "void", "expire", "keep"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def _as_duration(value: object) -> object:
    # pydantic would take 90 for seconds and "1:30" for a clock; a duration in a program file names its unit
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):
        return value
    raise ValueError("write an ISO 8601 duration such as `P90D` (90 days) or `PT12H`")


def _as_names(value: object) -> object:
    return [value] if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_as_duration), Field(ge=timedelta())]
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_names)]


class Statuses(BaseModel):
    """The master's words for each status of a pass, compared without regard to case.

    The status's own name always means itself, unless it is listed elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    active: Names = Field(default=(), description="Values that mean a valid pass.")
    redeemed: Names = Field(default=(), description="Values that mean the pass was used up.")
    voided: Names = Field(default=(), description="Values that mean blocked, paused or cancelled for now.")
    expired: Names = Field(default=(), description="Values that mean its time is over.")
    deleted: Names = Field(default=(), description="Values that mean the account is closed: the pass is deleted.")


class Lifecycle(BaseModel):
    """How member status and dates become pass status."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statuses: Statuses = Field(
        default=Statuses(), description="What the member field `status` may say, and its meaning."
    )
    unknown: Literal["refuse", "active", "voided"] = Field(
        default="refuse", description="What a status means that is not listed; `refuse` refuses the row."
    )
    expires: Names = Field(
        default=("expires_at",),
        description="Member fields with an end; the earliest counts, a date until its last moment.",
    )
    time_zone: str = Field(default="UTC", description="IANA time zone in which the day of a date ends.")
    delete_after: Duration | None = Field(
        default=None,
        description="How long after its end a pass is deleted, as ISO 8601 duration (`P90D`); empty: never.",
    )
    on_missing: OnMissing = Field(
        default="delete", description="What happens to the pass of a member that the source shows no more."
    )

    @model_validator(mode="after")
    def _check_whole(self) -> Lifecycle:
        seen: dict[str, str] = {}
        for status, names in self.statuses:
            for name in names:
                if seen.setdefault(name.casefold(), status) != status:
                    raise ValueError(f"`statuses` lists {name!r} under both {seen[name.casefold()]} and {status}")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`time_zone` {self.time_zone!r} is not an IANA time zone such as Europe/Berlin") from None
        return self

    @cached_property
    def meanings(self) -> dict[str, Status]:
        """Status of a pass by the master's word for it, case-folded."""
        own = {status: Status(status) for status in Statuses.model_fields}
        return own | {name.casefold(): Status(status) for status, names in self.statuses for name in names}

    def check_fields(self, fields: Mapping[str, FieldType]) -> None:
        """Sees whether the block goes with the mapped fields.

        Raises:
            ValueError: ``expires`` names a field that is not mapped, or that is no date.
        """
        for name in self.expires if "expires" in self.model_fields_set else ():
            if name not in fields:
                raise ValueError(f"`lifecycle: expires` names {name!r}, which `members` does not map")
        for name in self.expires:
            if fields.get(name, "date") not in ("date", "datetime"):
                raise ValueError(f"`lifecycle: expires` names {name!r}, which is {fields[name]}, not date or datetime")


def evaluate(lifecycle: Lifecycle, values: Values, now: int) -> tuple[Status, int | None]:
    """The status of a member's pass at one moment, and when it changes next by time alone.

    What the master says goes before dates: voided and redeemed passes do not become expired, but are deleted in time.

    Args:
        lifecycle: the program's block.
        values: the member's fields as Python values; ``status`` and those that ``expires`` names are read.
        now: microseconds since 1970 UTC.

    Returns:
        The status, and the first moment in microseconds since 1970 UTC at which it is another one, or None.

    Raises:
        SourceError: the status is not listed and ``unknown`` is ``refuse``; code ``value.unknown``.
    """
    told = _told(lifecycle, values.get("status"))
    if told is Status.DELETED:
        return told, None
    ends = [end for name in lifecycle.expires if (end := _end(values.get(name), name, lifecycle.time_zone)) is not None]
    if not ends:
        return told, None
    steps: list[tuple[int, Status]] = [(min(ends), Status.EXPIRED if told is Status.ACTIVE else told)]
    if lifecycle.delete_after is not None:
        steps.append((min(ends) + lifecycle.delete_after // _MICROSECOND, Status.DELETED))
    status: Status = told
    for moment, following in steps:
        if moment <= now:
            status = following
    # both steps fall on one moment where passes are deleted at their end
    ahead = [moment for moment, following in steps if moment > now and following is not status]
    return status, min(ahead, default=None)


def _told(lifecycle: Lifecycle, value: Value) -> Status:
    if value is None:
        return Status.ACTIVE
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    found = lifecycle.meanings.get(text.casefold())
    if found is not None:
        return found
    if lifecycle.unknown != "refuse":
        return Status(lifecycle.unknown)
    raise SourceError(
        "A member's `status` is not listed under `lifecycle: statuses`.",
        fix="Add the value to the status it means, or set `unknown:` to active or voided.",
        code="value.unknown",
    )


def _end(value: Value, name: str, zone: str) -> int | None:
    """The first moment after a date or time, in microseconds since 1970 UTC."""
    if value is None:
        return None
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(zone))
        return (moment - _EPOCH) // _MICROSECOND
    if isinstance(value, date):
        # the last moment of the day: the next midnight may not exist, and after 9999-12-31 there is none;
        # where clocks are set back over midnight, the second 23:59 counts
        last = datetime.combine(value, time.max, tzinfo=ZoneInfo(zone)).replace(fold=1)
        return (last - _EPOCH) // _MICROSECOND + 1
    raise ProgramError(
        f"The field {name!r} under `lifecycle: expires` is neither date nor datetime.",
        fix=f"Give {name} the type date or datetime under `members:`.",
    )
