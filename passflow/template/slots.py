"""What a slot needs to hold: its member field, a type that fits the format, its table, its currency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from passflow.model import FieldType, Value, Values
from passflow.template import marks
from passflow.template.format import Slot
from passflow.template.lookup import Lookup
from passflow.template.problems import Problems, closest, value_error

Show = Callable[[Values, str], str]
"""Member values and a CLDR locale name → text; empty for a value of None."""

FITS: Mapping[str, tuple[FieldType, ...]] = {
    "plain": ("text", "integer", "decimal", "date", "datetime"),
    **dict.fromkeys(("number", "compact", "percent", "money"), ("integer", "decimal")),
    "minor": ("integer",),
    "date": ("date", "datetime"),
    **dict.fromkeys(("time", "datetime"), ("datetime",)),
    **dict.fromkeys(("upper", "lower", "title"), ("text",)),
    **dict.fromkeys(("last", "groups"), ("text", "integer")),
    "lookup": ("text", "integer", "boolean"),
}
_PYTHON: Mapping[FieldType, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "decimal": (Decimal, int),
    "date": (date,),
    "datetime": (datetime,),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a template gives its slots: member fields, tables, money, time zone, and where faults go."""

    fields: Mapping[str, FieldType]
    lookups: Mapping[str, Lookup]
    currency: str | None
    time_zone: str
    language: str
    problems: Problems
    used: set[str] = field(default_factory=set)
    used_lookups: set[str] = field(default_factory=set)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which times are shown."""
        return ZoneInfo(self.time_zone)


def reader(name: str, kind: FieldType, path: str) -> Callable[[Values], Value]:
    """Make the function that takes one member field and refuses a value that is not of its declared type."""
    types = _PYTHON[kind]
    exact = types[0]
    wrong = (bool,) if kind in ("integer", "decimal") else (datetime,) if kind == "date" else ()

    def read(values: Values) -> Value:
        value = values.get(name)
        if value is None or type(value) is exact:
            return value
        if isinstance(value, types) and not isinstance(value, wrong):
            return value
        what = f"member field `{name}` is declared {kind} and holds a {type(value).__name__}"
        raise value_error(path, what, "Correct the mapping of the field or its declared type")

    def read_text(values: Values) -> Value:
        value = values.get(name)
        if type(value) is str and value.isascii():  # nearly every text of every pass
            return value
        value = read(values)
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                what = f"member field `{name}` holds half a character (a lone surrogate)"
                raise value_error(path, what, "Correct its character set in the master system") from None
        return value

    return read_text if kind == "text" else read


def check_slot(slot: Slot, path: str, setting: Setting) -> bool:
    """Note what does not hold for a slot: its field, its type, its table, its currency; True when it is sound."""
    sound = _check_field(slot.field, path, setting)
    kind = setting.fields.get(slot.field)
    if kind is not None and kind not in FITS[slot.kind]:
        what = f"`{{{slot.source}}}`: the {kind} field `{slot.field}` cannot be shown as {slot.kind}"
        setting.problems.add(path, what, _fitting(kind))
        sound = False
    if kind == "decimal" and slot.kind == "number" and slot.argument.endswith("d"):
        setting.problems.add(
            path, f"`{{{slot.source}}}`: `d` is for integers", "Write `.0f` or another count of digits"
        )
        sound = False
    if slot.kind == "lookup":
        if slot.argument not in setting.lookups:
            what = f"`{{{slot.source}}}`: there is no lookup table `{slot.argument}`"
            setting.problems.add(path, what, closest(slot.argument, setting.lookups))
            return False
        setting.used_lookups.add(slot.argument)
    return sound and (slot.kind not in ("money", "minor") or _check_currency(slot, path, setting))


def _check_field(name: str, path: str, setting: Setting) -> bool:
    if name in setting.fields:
        setting.used.add(name)
        return True
    setting.problems.add(path, f"there is no member field `{name}`", closest(name, setting.fields))
    return False


def _check_currency(slot: Slot, path: str, setting: Setting) -> bool:
    if named := slot.currency_field:
        if not _check_field(named, path, setting):
            return False
        if setting.fields[named] != "text":
            setting.problems.add(
                path, f"the currency field `{named}` is not text", "Name a text field with ISO 4217 codes"
            )
            return False
        return True
    code = slot.argument or setting.currency
    if code is None:
        setting.problems.add(path, f"`{{{slot.source}}}` names no currency", "Set `currency:` or write `money:EUR`")
        return False
    if slot.argument and not marks.is_currency(code):
        setting.problems.add(path, f"`{code}` is no currency", "Use a code of ISO 4217, such as EUR")
        return False
    return marks.is_currency(code)


def _fitting(kind: FieldType) -> str:
    names = [name for name, types in FITS.items() if kind in types]
    return f"A {kind} field can be shown as {', '.join(f'`{name}`' for name in names)}"
