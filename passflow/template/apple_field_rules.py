"""Apple's rules for the fields of a pass, checked on the tree before a member is seen.

Sources: https://developer.apple.com/documentation/walletpasses/passfieldcontent, the archived PassKit guide ("Pass
Styles") for how many fields fit, and the validator of github.com/apple/pass-builder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from passflow.template import marks
from passflow.template.apple_keys import CHOICES, DATE, FIELD_KEYS, GROUPS, LIMITS, SQUARE_CODES
from passflow.template.problems import closest
from passflow.template.tree import Leaf
from passflow.template.urls import attributed_faults


class Fault(NamedTuple):
    """One broken rule: where in pass.json, what is wrong, how to mend it."""

    pointer: str
    what: str
    fix: str


def check_style(style: str, tree: Any, code: str | None) -> Iterator[Fault]:
    """Check one style dictionary.

    Args:
        style: its name.
        tree: its content.
        code: the format of the pass's first barcode.
    """
    if not isinstance(tree, Mapping):
        yield Fault(style, "it is no object", "Give a mapping of field groups")
        return
    for key in tree:
        if key not in (*GROUPS, "transitType"):
            yield Fault(f"{style}.{key}", f"`{key}` is no key of a style", closest(key, [*GROUPS, "transitType"]))
    if style == "boardingPass" and "transitType" not in tree:
        yield Fault(f"{style}.transitType", "a boarding pass needs its means of transport", "Set `transit: air`")
    if "transitType" in tree:
        if style != "boardingPass":
            yield Fault(f"{style}.transitType", "only a boarding pass has one", "Remove it")
        yield from _check_choice(style, "transitType", tree["transitType"])
    yield from _check_counts(style, tree, code)
    seen: set[str] = set()
    for group in GROUPS:
        for index, field in enumerate(_fields(tree, group)):
            yield from _check_field(style, group, f"{style}.{group}[{index}]", field, seen)


def _fields(tree: Mapping[str, Any], group: str) -> list[Any]:
    fields = tree.get(group)
    return fields if isinstance(fields, list) else []


def _check_counts(style: str, tree: Mapping[str, Any], code: str | None) -> Iterator[Fault]:
    for group, limit in LIMITS[style].items():
        rows: dict[Any, int] = {}
        for field in _fields(tree, group):
            row = field.get("row", 0) if isinstance(field, Mapping) and style == "eventTicket" else 0
            rows[row] = rows.get(row, 0) + 1
        if max(rows.values(), default=0) > limit:
            what = f"{style} shows at most {limit} of these fields, not {max(rows.values())}"
            yield Fault(f"{style}.{group}", what, "Move the others to `back`")
    both = len(_fields(tree, "secondaryFields")) + len(_fields(tree, "auxiliaryFields"))
    if style in ("coupon", "storeCard", "generic") and code in SQUARE_CODES and both > 4:
        what = f"beside a square code, secondary and auxiliary fields together are at most 4, not {both}"
        yield Fault(f"{style}.auxiliaryFields", what, "Move the others to `back`, or use pdf417 or code128")


def _check_field(style: str, group: str, at: str, field: Any, seen: set[str]) -> Iterator[Fault]:
    if not isinstance(field, Mapping):
        yield Fault(at, "it is no object", "Give a mapping with `key` and `value`")
        return
    key = field.get("key")
    if not isinstance(key, str) or not key:
        yield Fault(f"{at}.key", "a field needs a key", "Add `key`")
    elif key in seen:
        yield Fault(f"{at}.key", f"another field has the key `{key}`", "Give each field its own key")
    else:
        seen.add(key)
    if "value" not in field:
        yield Fault(f"{at}.value", "a field needs a value", "Add `value`")
    for name in field:
        if name not in FIELD_KEYS:
            yield Fault(f"{at}.{name}", f"`{name}` is no key of a field", closest(name, FIELD_KEYS))
        elif name in CHOICES:
            yield from _check_choice(at, name, field[name])
    if "textAlignment" in field and group in ("primaryFields", "backFields"):
        yield Fault(f"{at}.textAlignment", "primary and back fields cannot be aligned", "Remove it")
    if "row" in field and (style != "eventTicket" or group != "auxiliaryFields" or field["row"] not in (0, 1)):
        yield Fault(f"{at}.row", "rows are 0 and 1, of the auxiliary fields of an event ticket", "Remove it")
    yield from _check_texts(at, field)
    yield from _check_formats(at, field)


def _check_choice(at: str, name: str, value: Any) -> Iterator[Fault]:
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, Leaf) and each not in CHOICES[name]:
            yield Fault(f"{at}.{name}", "Wallet does not know this value", closest(str(each), CHOICES[name]))


def _check_texts(at: str, field: Mapping[str, Any]) -> Iterator[Fault]:
    change = sample(field.get("changeMessage"))
    if change is not None and "%@" not in change:
        what = "a change message needs `%@`, which the new value replaces"
        yield Fault(f"{at}.changeMessage", what, 'Write it as in "You now have %@ points"')
    attributed = sample(field.get("attributedValue"))
    for what in attributed_faults(attributed) if attributed is not None else ():
        yield Fault(f"{at}.attributedValue", what, 'Write links as <a href="https://…">…</a>, other text plain')


def _check_formats(at: str, field: Mapping[str, Any]) -> Iterator[Fault]:
    value = field.get("value")
    dated = "dateStyle" in field or "timeStyle" in field
    numeric = [name for name in ("numberStyle", "currencyCode") if name in field]
    if len(numeric) == 2:
        yield Fault(f"{at}.currencyCode", "an amount and a number style exclude each other", "Keep one")
    if dated and numeric:
        yield Fault(f"{at}.{numeric[0]}", "a value is a date or a number, not both", "Keep one style")
    if dated and isinstance(value, str) and not DATE.fullmatch(value):
        yield Fault(f"{at}.value", "with a date style the value must be a time", "Write 2026-03-01T18:00:00+01:00")
    if numeric and isinstance(value, str):
        yield Fault(f"{at}.value", "with a number style the value must be a number", "Write it without quotes")
    code = field.get("currencyCode")
    if isinstance(code, str) and not marks.is_currency(code):
        yield Fault(f"{at}.currencyCode", f"`{code}` is no currency", "Use a code of ISO 4217, such as EUR")


def sample(node: Any) -> str | None:
    """Give the text of a node with ``x`` for every member's value; None where it is no text."""
    if isinstance(node, Leaf):
        return node.sample
    return node if isinstance(node, str) else None
