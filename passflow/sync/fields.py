"""One line of the ``members:`` block: where a member field comes from and how its text is read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from passflow.model import FieldType
from passflow.sync.dates import tells_time
from passflow.sync.records import decode

STANDARD: Final[dict[str, tuple[FieldType, int]]] = {
    "external_id": ("text", 120),
    "given_name": ("text", 200),
    "family_name": ("text", 200),
    "display_name": ("text", 400),
    "email": ("text", 254),  # RFC 5321 §4.5.3.1.3, less the angle brackets
    "phone": ("text", 40),
    "points": ("decimal", 0),
    "balance": ("decimal", 0),
    "currency": ("text", 3),
    "tier": ("text", 100),
    "status": ("text", 100),
    "expires_at": ("date", 0),
    "locale": ("text", 35),  # RFC 5646 §4.4.1
    "updated_at": ("datetime", 0),
    "photo_url": ("text", 2_048),
}
"""Type of the common fields, and the longest text of those that are text."""

LONGEST: Final = 2_000
"""Characters of a text without a limit of its own."""

_DIRECTIVES: Final = frozenset("YymdbBjHIMSp")
_ONLY_FOR: Final = {
    "formats": ("date", "datetime"),
    "time_zone": ("date", "datetime"),
    "thousands": ("integer", "decimal"),
    "decimal_mark": ("decimal",),
    "max_length": ("text",),
}


def _as_text(value: object) -> object:
    # YAML gives 1 as a number; a float or a yes would come back as another text than the file shows
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class MemberField(BaseModel):
    """Where one member field comes from: a column, or the same value for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str | None = Field(default=None, min_length=1, description="Column of the source.")
    value: Text | None = Field(default=None, description="The same value for every member, instead of a column.")
    type: FieldType | None = Field(default=None, description="Type of the field; each common field has its own.")
    unit: Literal["minor", "s", "ms"] | None = Field(
        default=None,
        description="`minor`: an amount in cents (or what the currency has); `s`, `ms`: time since 1970 UTC.",
    )
    formats: tuple[str, ...] = Field(
        default=(),
        description="Date formats of the source, such as `%d.%m.%Y`; these only. Without any: ISO 8601 and 20260131.",
    )
    time_zone: str = Field(default="UTC", description="IANA time zone of times without an offset.")
    thousands: Literal[".", ",", "'", " ", "_"] | None = Field(
        default=None, description="Separator of groups of three digits."
    )
    decimal_mark: Literal[".", ","] = Field(default=".", description="Decimal mark of the source.")
    table: dict[Text, Text] | None = Field(default=None, description="Source value to member value, case-sensitive.")
    unknown: Literal["keep", "refuse"] = Field(
        default="refuse", description="What happens to a value that `table` lacks: kept as it is, or the row refused."
    )
    max_length: int | None = Field(default=None, ge=1, le=20_000, description="Most characters of a text.")
    calling_code: str | None = Field(
        default=None,
        pattern=r"^\+[1-9][0-9]{0,3}$",
        description="Country calling code (`+49`) that national phone numbers get; numbers then become E.164.",
    )
    trunk_prefix: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,2}$",
        description="Digits dialled before a national number only, which E.164 leaves out: `0` in most of Europe.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_column_name(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _check_alone(self) -> MemberField:
        if (self.column is None) == (self.value is None):
            raise ValueError("name either a `column` or a fixed `value`")
        if self.value is not None and self.table is not None:
            raise ValueError("a fixed `value` needs no `table`; write the value itself")
        if self.trunk_prefix is not None and self.calling_code is None:
            raise ValueError("`trunk_prefix` needs `calling_code`")
        if self.unit in ("s", "ms") and self.formats:
            raise ValueError("`unit` and `formats` exclude each other: a value is a number or a formatted text")
        for pattern in self.formats:
            _check_format(pattern)
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`time_zone` {self.time_zone!r} is not an IANA time zone such as Europe/Berlin") from None
        return self

    def check(self, name: str) -> FieldType:
        """The field's type under a name.

        Raises:
            ValueError: a setting does not go with the field.
        """
        kind = self.type or STANDARD.get(name, ("text", 0))[0]
        if name in ("external_id", "currency", "locale", "phone") and kind != "text":
            raise ValueError(f"`{name}` is always text")
        if name == "external_id" and (self.value is not None or self.table is not None):
            raise ValueError("`external_id` comes from a column as it is, without `value` or `table`")
        for setting, kinds in _ONLY_FOR.items():
            if setting in self.model_fields_set and kind not in kinds:
                raise ValueError(f"`{name}` is {kind}; `{setting}` is for {' and '.join(kinds)} only")
        if kind == "decimal" and self.thousands == self.decimal_mark:
            raise ValueError(f"`{name}` has the same character for `thousands` and `decimal_mark`")
        if self.unit == "minor" and kind != "decimal":
            raise ValueError(f"`{name}` is {kind}; `unit: minor` is for decimal only")
        if self.unit in ("s", "ms") and kind not in ("date", "datetime"):
            raise ValueError(f"`{name}` is {kind}; `unit: {self.unit}` is for date and datetime only")
        if kind == "datetime" and not all(tells_time(pattern) for pattern in self.formats):
            raise ValueError(f"`{name}` is a datetime; each of its `formats` needs a time of day (`%H`)")
        if self.value is not None:
            _check_value(name, kind, self.value, self.longest(name))
        if self.calling_code is not None and name != "phone":
            raise ValueError("`calling_code` is for `phone` only")
        return kind

    def longest(self, name: str) -> int:
        """Most characters of the field's text under a name."""
        own = STANDARD.get(name, ("text", LONGEST))[1] or LONGEST
        return min(self.max_length or own, own) if name == "external_id" else self.max_length or own


def _check_value(name: str, kind: FieldType, value: str, longest: int) -> None:
    """A fixed value is written as a pass record holds it, so that a mistake is found when the file is read."""
    try:
        read = decode({name: value}, {name: kind})[name]
    except (ValueError, ArithmeticError):
        raise ValueError(f"`{name}` has the fixed value {value!r}, which is not {kind}") from None
    if isinstance(read, Decimal) and not read.is_finite():
        raise ValueError(f"`{name}` has the fixed value {value!r}, which is not a number")
    if name == "currency" and not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"`currency` has the fixed value {value!r}, which is not an ISO 4217 code such as EUR")
    if not value.strip() or (kind == "text" and len(value) > longest) or any(ord(letter) < 0x20 for letter in value):
        raise ValueError(f"`{name}` has a fixed value that is empty, too long or holds control characters")


def _check_format(pattern: str) -> None:
    used = re.findall(r"%(.)", pattern)
    wrong = [letter for letter in used if letter not in _DIRECTIVES]
    if wrong or pattern.endswith("%"):
        known = " ".join(f"%{letter}" for letter in sorted(_DIRECTIVES))
        raise ValueError(f"`formats`: {pattern!r} uses %{''.join(wrong[:1])}, which is not one of {known}")
    if not {"Y", "y"} & set(used) or not (({"m", "b", "B"} & set(used) and "d" in used) or "j" in used):
        raise ValueError(f"`formats`: {pattern!r} does not name a day, a month and a year")
    if ("H" in used or "I" in used) and "M" not in used:
        raise ValueError(f"`formats`: {pattern!r} names an hour without minutes")
