"""Numbers and amounts of a slot, written with the locale's marks or plainly for machines."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import cast

from passflow.errors import TemplateError
from passflow.model import Value, Values
from passflow.template import marks
from passflow.template.format import Slot
from passflow.template.problems import value_error
from passflow.template.slots import Setting, Show, reader


def figure(slot: Slot, read: Callable[[Values], Value], setting: Setting, path: str, exact: bool) -> Show:
    """Make the function that shows a number slot."""
    write = _writer(slot, setting, path, exact)

    def show(values: Values, locale: str) -> str:
        value = read(values)
        if value is None:
            return ""
        if type(value) is int:
            if not marks.showable(value):
                raise unshowable(slot.field, path)
            return write(values, value, 0, locale)
        parts = _split(str(value))
        if parts is None:
            raise unshowable(slot.field, path)
        return write(values, *parts, locale)

    return show


@lru_cache(maxsize=8_192)
def _split(number: str) -> tuple[int, int] | None:
    """The digits and the exponent of a decimal's text, or None where it cannot be shown; amounts repeat from pass to pass.

    The text is the key, because 1.0 and 1.00 are one number but shown differently.
    """
    value = Decimal(number)
    if not marks.showable(value):
        return None
    sign, digits, exponent = value.as_tuple()
    unsigned = int("".join(map(str, digits)))
    return -unsigned if sign else unsigned, cast(int, exponent)


Write = Callable[[Values, int, int, str], str]


def _writer(slot: Slot, setting: Setting, path: str, exact: bool) -> Write:
    """Values (for the currency), digits, exponent, locale → text."""
    if slot.kind == "compact":
        return lambda _, value, exponent, locale: marks.format_compact(value, exponent, locale)
    if slot.kind == "percent":
        places = int(slot.argument)
        return lambda _, value, exponent, locale: marks.format_percent(value, exponent, places, locale)
    if slot.kind in ("money", "minor"):
        return _money_writer(slot, setting, path)
    if slot.kind == "plain":
        if exact:
            return lambda _, value, exponent, locale: f"{Decimal(value).scaleb(exponent):f}"
        return lambda _, value, exponent, locale: marks.format_number(value, exponent, None, False, locale)
    return _number_writer(slot.argument, exact)


def _number_writer(spec: str, exact: bool) -> Write:
    sign, grouped, percent = spec.startswith("+"), "," in spec, spec.endswith("%")
    places = re.search(r"\.([0-9]+)", spec)
    digits = int(places[1]) if places else None
    padding = re.match(r"\+?0([1-9][0-9]?)", spec)
    width = int(padding[1]) if padding else 0

    def write(_: Values, value: int, exponent: int, locale: str) -> str:
        locale = "en" if exact else locale
        if percent:
            text = marks.format_percent(value, exponent, digits or 0, locale)
        else:
            text = marks.format_number(value, exponent, digits, grouped, locale)
        if sign and value >= 0:
            text = marks.plus_sign(locale) + text
        return text.zfill(width) if width else text

    return write


def _money_writer(slot: Slot, setting: Setting, path: str) -> Write:
    minor, named, fixed = slot.kind == "minor", slot.currency_field, slot.argument or setting.currency or ""
    if named is None:
        return lambda _, value, exponent, locale: marks.format_money(value, exponent, fixed, minor, locale)
    read = reader(named, "text", path)

    def write(values: Values, value: int, exponent: int, locale: str) -> str:
        code = read(values)
        if not isinstance(code, str) or not marks.is_currency(code):
            what = f"member field `{named}` holds no currency for the amount in `{slot.field}`"
            raise value_error(path, what, "Give an ISO 4217 code such as EUR with every amount")
        return marks.format_money(value, exponent, code, minor, locale)

    return write


def unshowable(name: str, path: str) -> TemplateError:
    """Build the error for a number that is infinite, not a number, or far too long."""
    return value_error(
        path, f"member field `{name}` holds no number that can be shown", "Correct it in the master system"
    )
