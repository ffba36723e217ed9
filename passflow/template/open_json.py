"""Free JSON of a template (semantics, user info, overrides) whose texts may hold member fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from passflow.errors import TemplateError
from passflow.template.expression import compile_text
from passflow.template.format import Slot, parse
from passflow.template.slots import Setting
from passflow.template.tree import Leaf, Needs
from passflow.template.typed import TypedValue, apple_time, typed

# objects of pass.json that mean nothing without this key
_NEEDED = ("value", "message", "date", "startDate")


def open_json(value: Any, path: str, setting: Setting) -> Any:
    """Turn free JSON into a tree with leaves.

    A text that is one member field keeps the field's type, and is left out when the member has no value. Dates become
    texts as Apple reads them.
    """
    if isinstance(value, str):
        return _text(value, path, setting)
    if isinstance(value, Mapping):
        tree = {str(key): open_json(item, f"{path}.{key}", setting) for key, item in value.items()}
        needed = tuple(key for key in _NEEDED if isinstance(tree.get(key), Leaf))
        return Needs(tree, needed) if needed else tree
    if isinstance(value, list | tuple):
        return [open_json(item, f"{path}[{index}]", setting) for index, item in enumerate(value)]
    if isinstance(value, date):
        return apple_time(value, setting.zone, "", path)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    setting.problems.add(
        path, f"a {type(value).__name__} is no JSON", "Use texts, numbers, true, false, lists and mappings"
    )
    return None


def _text(value: str, path: str, setting: Setting) -> Any:
    try:
        parts = parse(value, path)
    except TemplateError as error:
        setting.problems.take(error)
        return None
    slot = parts[0] if len(parts) == 1 else None
    if isinstance(slot, Slot) and slot.kind == "plain" and setting.fields.get(slot.field, "text") != "text":
        setting.used.add(slot.field)
        return TypedValue(path, typed(slot.field, setting.fields[slot.field], path, setting)).node()
    return compile_text(value, path, setting, "machine").node()
