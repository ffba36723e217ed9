"""A style dictionary of Apple's pass.json: the fields with their options.

Keys and constants: https://developer.apple.com/documentation/walletpasses/passfieldcontent
"""

from __future__ import annotations

from typing import Any, Final

from passflow.model import Values
from passflow.template import marks
from passflow.template.design import Template
from passflow.template.field import Field
from passflow.template.neutral import Neutral, ReadyField
from passflow.template.nodes import machine_node, node_of, without_none
from passflow.template.open_json import open_json
from passflow.template.problems import value_error
from passflow.template.slots import Setting
from passflow.template.tree import OMIT, Leaf, Needs, compile_tree

_NUMBER_STYLES: Final = {
    "decimal": "Decimal",
    "percent": "Percent",
    "scientific": "Scientific",
    "spell_out": "SpellOut",
}
_DETECTORS: Final = {"phone": "PhoneNumber", "link": "Link", "address": "Address", "calendar": "CalendarEvent"}
_STYLES: Final = ("dateStyle", "timeStyle", "isRelative", "ignoresTimeZone", "numberStyle", "currencyCode")


def style_tree(template: Template, neutral: Neutral, setting: Setting) -> dict[str, Any]:
    """Lay out all fields and links of a template."""
    tree: dict[str, Any] = {}
    if template.transit is not None:
        tree["transitType"] = f"PKTransitType{template.transit.title()}"
    for field in neutral.fields:
        tree.setdefault(f"{field.section}Fields", []).append(_field(field, setting))
    return tree


def _field(field: ReadyField, setting: Setting) -> dict[str, Any]:
    options = without_none(_options(field.source, field, setting)) if field.source else {}
    value = node_of(field.value)
    if field.empty is not None and isinstance(value, Leaf):
        # what stands in for a missing value is text, which a date or number style would make invalid
        options |= {key: _unless_empty(options[key], value) for key in _STYLES if key in options}
    tree = {
        "key": field.key,
        "label": node_of(field.label),
        "value": _value(value, field.empty),
        "attributedValue": node_of(field.attributed),
        "changeMessage": node_of(field.change),
        **options,
    }
    # a link whose URL is empty is no link; a field's value may do without its links
    return Needs(without_none(tree), ("value",) if field.source else ("value", "attributedValue"))


def _unless_empty(option: Any, value: Leaf) -> Leaf:
    fill = compile_tree(option)
    return Leaf(
        lambda values, locale: OMIT if value.fill(values, locale) is OMIT else fill(values, locale),
        option if isinstance(option, str) else None,
    )


def _value(node: Any, empty: str | None) -> Any:
    if node is None or (node == "" and empty is None):
        return Leaf(lambda values, locale: OMIT, "")
    if empty is None or not isinstance(node, Leaf):
        return empty if node == "" else node

    def fill(values: Values, locale: str) -> Any:
        value = node.fill(values, locale)
        return empty if value is OMIT else value

    return Leaf(fill, node.sample)


def _options(source: Field, field: ReadyField, setting: Setting) -> dict[str, Any]:
    ignores = source.ignore_time_zone
    if ignores is None and source.dated and field.plain_date:
        ignores = True  # a day is the same day wherever the phone is
    return {
        "textAlignment": f"PKTextAlignment{source.align.title()}" if source.align else None,
        "dateStyle": f"PKDateStyle{source.date_style.title()}" if source.date_style else None,
        "timeStyle": f"PKDateStyle{source.time_style.title()}" if source.time_style else None,
        "isRelative": source.relative,
        "ignoresTimeZone": ignores,
        "numberStyle": f"PKNumberStyle{_NUMBER_STYLES[source.number_style]}" if source.number_style else None,
        "currencyCode": _currency(source.currency_code, f"{field.path}.currency_code", setting),
        "dataDetectorTypes": None
        if source.data_detectors is None
        else [f"PKDataDetectorType{_DETECTORS[each]}" for each in source.data_detectors],
        "row": source.row,
        "semantics": None
        if source.semantics is None
        else open_json(source.semantics, f"{field.path}.semantics", setting),
    }


def _currency(text: str | None, path: str, setting: Setting) -> Any:
    node = machine_node(text, path, setting)
    if not isinstance(node, Leaf):
        return node

    def fill(values: Values, locale: str) -> Any:
        code = node.fill(values, locale)
        if code is OMIT or not marks.is_currency(code):
            raise value_error(path, "a member's amount has no currency", "Give an ISO 4217 code such as EUR with it")
        return code

    return Leaf(fill)
