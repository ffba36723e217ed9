"""Values that go to the phone typed, not as text: it formats them in its own language and zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from passflow.errors import TemplateError
from passflow.model import FieldType, Values
from passflow.template import marks
from passflow.template.figures import unshowable
from passflow.template.format import Slot, parse
from passflow.template.show import localise
from passflow.template.slots import Setting, check_slot, reader
from passflow.template.tree import OMIT, Leaf

Typed = Callable[[Values], str | int | float | bool | None]


@dataclass(frozen=True, slots=True, eq=False)
class TypedValue:
    """A member field whose value keeps its type.

    Attributes:
        path: where it stands in the program file.
        give: the value as JSON has it: a number, a boolean, or a time as Apple writes it.
    """

    path: str
    give: Typed

    def render(self, values: Values, locale: str) -> str:
        """Give the value as plain text, the same in every language."""
        value = self.give(values)
        return "" if value is None else str(value)

    def seen(self, values: Values, locale: str, language: str) -> str:
        """As `render`: how the phone formats it is the phone's."""
        return self.render(values, locale)

    def phrases(self) -> list[dict[str, str]]:
        """Nothing for the phone to translate."""
        return []

    def node(self) -> Leaf:
        """Give the value as a leaf that is left out when there is none."""
        give = self.give

        def fill(values: Values, locale: str) -> object:
            value = give(values)
            return OMIT if value is None else value

        return Leaf(fill)


def compile_typed(
    text: str, path: str, setting: Setting, allowed: tuple[FieldType, ...], *, end_of_day: bool = False
) -> TypedValue | None:
    """Read a text that is exactly one member field; anything else is noted in the setting's problems.

    Args:
        text: such as ``{points}``.
        path: of the text in the program file.
        setting: the template's.
        allowed: declared types that fit.
        end_of_day: whether a plain date stands for its last second instead of its first.
    """
    try:
        parts = parse(text, path)
    except TemplateError as error:
        setting.problems.take(error)
        return None
    slot = parts[0] if len(parts) == 1 else None
    if not isinstance(slot, Slot) or slot.kind != "plain":
        what = "the phone formats this value, so it must be one member field and nothing else"
        setting.problems.add(path, what, 'Write it as in `"{points}"`, or remove the style')
        return None
    kind = setting.fields.get(slot.field)
    if kind is None:
        check_slot(slot, path, setting)
        return None
    setting.used.add(slot.field)
    if kind not in allowed:
        what = f"the {kind} field `{slot.field}` does not fit here"
        setting.problems.add(path, what, f"Name a field of type {' or '.join(allowed)}")
        return None
    return TypedValue(path, typed(slot.field, kind, path, setting, end_of_day=end_of_day))


def typed(name: str, kind: FieldType, path: str, setting: Setting, *, end_of_day: bool = False) -> Typed:
    """Make the function that gives a member field as JSON."""
    read = reader(name, kind, path)
    zone = ZoneInfo(setting.time_zone)

    def give(values: Values) -> str | int | float | bool | None:
        value = read(values)
        if isinstance(value, datetime | date):
            return apple_time(value, zone, name, path, end_of_day=end_of_day)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _number(value, name, path)
        return value

    return give


def _number(value: int | Decimal, name: str, path: str) -> int | float:
    if not marks.showable(value):
        raise unshowable(name, path)
    # a JSON number is a double to most readers, and 64 bits hold what a writer takes as an integer
    return int(value) if value == int(value) and -(2**53) < value < 2**53 else float(value)


def apple_time(value: date, zone: ZoneInfo, name: str, path: str, *, end_of_day: bool = False) -> str:
    """Write a date or time as Apple reads it: ``2026-12-31T23:59:59+01:00``, seconds always, fractions never.

    Source: the date rule of Apple's pass-builder (``YYYY-MM-DDTHH:MM[:SS]`` and ``Z`` or ``±HH:MM``).
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(23, 59, 59) if end_of_day else time())
    local = localise(value, zone, name, path)
    offset = local.utcoffset()
    if offset is None or offset.total_seconds() % 60:  # local mean time, before zones were agreed on
        local = local.astimezone(UTC)
    return local.isoformat(timespec="seconds")


def compile_moment(text: str, path: str, setting: Setting, *, end_of_day: bool = False) -> str | TypedValue | None:
    """Read a time that is written out, or a member field that holds one."""
    if "{" in text:
        return compile_typed(text, path, setting, ("date", "datetime"), end_of_day=end_of_day)
    try:
        value = date.fromisoformat(text) if len(text) == len("2026-12-31") else datetime.fromisoformat(text)
        return apple_time(value, ZoneInfo(setting.time_zone), text, path, end_of_day=end_of_day)
    except (ValueError, TemplateError):
        fix = "Write it as in 2026-12-31 or 2026-12-31T20:00:00+01:00, or name a member field"
        setting.problems.add(path, "it is no date or time", fix)
        return None


def compile_figure(text: str, path: str, setting: Setting) -> int | float | TypedValue | None:
    """Read a number that is written out, or a member field that holds one."""
    if "{" in text:
        return compile_typed(text, path, setting, ("integer", "decimal"))
    try:
        return _number(Decimal(text), text, path)
    except (InvalidOperation, TemplateError):
        setting.problems.add(path, "it is no number", "Write it as in 12.5, or name a member field")
        return None
