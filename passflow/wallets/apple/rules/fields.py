"""Rules for the fields of a pass: keys, formats, alignment, and how many fit on the front."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from passflow.wallets.apple.findings import Finding, error, warning
from passflow.wallets.apple.rules.keys import DATA_DETECTORS, FIELD, FIELD_CHOICES, FRONT_GROUPS, GROUPS, SQUARE_FORMATS
from passflow.wallets.apple.rules.values import check_object, is_number, join, parse_date

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)  # ISO 4217
_LIMITS = {"headerFields": 3, "primaryFields": 1, "secondaryFields": 4, "auxiliaryFields": 4, "footerFields": 0}
_LIMITS_BY_STYLE: Mapping[str, Mapping[str, int]] = {
    "boardingPass": {**_LIMITS, "primaryFields": 2, "auxiliaryFields": 5},
    "posterGeneric": {**_LIMITS, "primaryFields": 4, "footerFields": 2},
}


def check_fields(style: str, content: Mapping[str, object]) -> Iterator[Finding]:
    """Check all fields of one style dictionary; their keys must be unique in it."""
    seen: set[str] = set()
    for group in GROUPS:
        fields = content.get(group)
        for number, field in enumerate(fields if isinstance(fields, list) else ()):
            where = f"{style}.{group}[{number}]"
            yield from check_object(where, field, FIELD, ("key",))
            if not isinstance(field, dict):
                continue
            if "value" not in field:
                yield error("pass.key_missing", f"{where}.value", "A field needs a value.", "Add value.")
            key = field.get("key")
            if isinstance(key, str) and key in seen:
                yield error(
                    "field.key_twice", f"{where}.key", "Another field has the same key.", "Give each its own key."
                )
            elif isinstance(key, str):
                seen.add(key)
            yield from _check_formats(where, field)
            yield from _check_texts(where, field)
            yield from _check_place(style, group, where, field)


def check_limits(style: str, content: Mapping[str, object], barcode_format: str | None) -> Iterator[Finding]:
    """Check how many fields fit on the front (archived PassKit guide, "Pass Styles").

    Args:
        style: name of the style dictionary.
        content: the style dictionary.
        barcode_format: of the first barcode, None without one.
    """
    counts = {group: len(fields) for group in FRONT_GROUPS if isinstance(fields := content.get(group), list)}
    for group, limit in _LIMITS_BY_STYLE.get(style, _LIMITS).items():
        if counts.get(group, 0) > limit:
            yield warning(
                "field.too_many",
                join(style, group),
                f"{style} shows at most {limit} of these fields, not {counts[group]}.",
                "Move the others to backFields.",
            )
    both = counts.get("secondaryFields", 0) + counts.get("auxiliaryFields", 0)
    if style in ("coupon", "storeCard", "generic") and barcode_format in SQUARE_FORMATS and both > 4:
        yield warning(
            "field.too_many",
            join(style, "auxiliaryFields"),
            f"Beside a square code, secondary and auxiliary fields together are at most 4, not {both}.",
            "Move the others to backFields, or use PDF417 or Code 128.",
        )


def _check_formats(where: str, field: Mapping[str, object]) -> Iterator[Finding]:
    for key, choices in FIELD_CHOICES.items():
        if isinstance(field.get(key), str) and field[key] not in choices:
            yield error(
                "field.choice", join(where, key), "Wallet does not know this value.", f"Use {_either(choices)}."
            )
    detectors = field.get("dataDetectorTypes")
    if isinstance(detectors, list) and any(each not in DATA_DETECTORS for each in detectors if isinstance(each, str)):
        fix = f"Use {_either(DATA_DETECTORS)}."
        yield error("field.choice", join(where, "dataDetectorTypes"), "Wallet does not know this value.", fix)
    value = field.get("value")
    styled = [key for key in ("dateStyle", "timeStyle") if key in field]
    if styled and parse_date(value) is None:
        yield error(
            "field.date",
            join(where, "value"),
            f"With {styled[0]} the value must be a date and time with zone.",
            "Write it like 2026-03-01T18:00:00+01:00.",
        )
    numeric = [key for key in ("numberStyle", "currencyCode") if key in field]
    if numeric and not is_number(value):
        fix = "Write it without quotes, or remove the format."
        yield error("field.number", join(where, "value"), f"With {numeric[0]} the value must be a number.", fix)
    if len(numeric) == 2:
        where_currency = join(where, "currencyCode")
        yield warning(
            "field.two_formats", where_currency, "currencyCode and numberStyle exclude each other.", "Keep one."
        )
    currency = field.get("currencyCode")
    if isinstance(currency, str) and not _CURRENCY.fullmatch(currency):
        yield error("field.currency", join(where, "currencyCode"), "This is no ISO 4217 code.", "Write it like EUR.")


def _check_texts(where: str, field: Mapping[str, object]) -> Iterator[Finding]:
    message = field.get("changeMessage")
    if isinstance(message, str) and "%@" not in message:
        yield warning(
            "field.change_message",
            join(where, "changeMessage"),
            "The message lacks %@, which the new value replaces.",
            "Write it like: Points changed to %@.",
        )
    attributed = field.get("attributedValue")
    if isinstance(attributed, str) and not _only_links(attributed):
        fix = "Use plain text and <a href='…'>…</a>."
        yield warning("field.markup", join(where, "attributedValue"), "Only <a> tags with href are supported.", fix)


def _check_place(style: str, group: str, where: str, field: Mapping[str, object]) -> Iterator[Finding]:
    if "textAlignment" in field and group in ("primaryFields", "backFields"):
        where_alignment = join(where, "textAlignment")
        yield warning("field.alignment", where_alignment, "Primary and back fields cannot be aligned.", "Remove it.")
    if "row" in field:
        if style != "eventTicket" or group != "auxiliaryFields":
            message = "Rows exist only in the auxiliary fields of an event ticket."
            yield warning("field.row", join(where, "row"), message, "Remove it.")
        elif field["row"] not in (0, 1):
            yield error("field.row", join(where, "row"), "There are rows 0 and 1 only.", "Use 0 or 1.")


def _either(choices: frozenset[str]) -> str:
    return ", ".join(sorted(choices))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.plain = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plain = self.plain and tag == "a" and [name for name, _ in attrs] == ["href"]


def _only_links(text: str) -> bool:
    tags = _Tags()
    tags.feed(text[:10_000])
    return tags.plain
