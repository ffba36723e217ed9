"""Small steps from texts to nodes of a JSON tree."""

from __future__ import annotations

from typing import Any

from passflow.template.expression import Expression, compile_text
from passflow.template.slots import Setting
from passflow.template.typed import TypedValue


def without_none(tree: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the template does not set."""
    return {key: value for key, value in tree.items() if value is not None}


def node_of(value: Expression | TypedValue | str | int | float | None) -> Any:
    """Give a value as a node: open where a member's value goes, otherwise itself."""
    return value.node() if isinstance(value, Expression | TypedValue) else value


def machine_node(text: str | None, path: str, setting: Setting) -> Any:
    """Give a text that machines read as a node."""
    return None if text is None else compile_text(text, path, setting, "machine").node()
