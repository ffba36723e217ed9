"""A JSON tree with open leaves: merged and checked once, then filled in for every member."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from passflow.model import Values

OMIT: Final = object()
"""What a leaf gives to be left out."""

Fill = Callable[[Values, str], Any]
"""Member values and locale → JSON."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A place that is filled in for every member.

    Attributes:
        fill: gives the JSON value, or `OMIT`.
        sample: what it looks like with `x` for every member's value; None where nothing is known of it.
    """

    fill: Fill
    sample: str | None = None


class Needs(dict[str, Any]):
    """An object that is left out whole when one of its ``needed`` keys is."""

    def __init__(self, items: Mapping[str, Any], needed: tuple[str, ...]) -> None:
        super().__init__(items)
        self.needed = needed


def merge_patch(target: Any, patch: Any) -> Any:
    """Merge as RFC 7386 (JSON merge patch) says: objects deep, anything else replaced, null removes."""
    if not isinstance(patch, Mapping):
        return patch
    merged: dict[str, Any] = Needs(target, target.needed) if isinstance(target, Needs) else {}
    if isinstance(target, Mapping):
        merged.update(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def compile_tree(node: Any) -> Fill:
    """Turn a tree into the function that fills it in.

    What it returns shares its constant parts between calls: treat it as read-only.
    """
    if isinstance(node, Leaf):
        return node.fill
    if not _has_leaf(node):
        return lambda values, locale: node
    return _object(node) if isinstance(node, Mapping) else _array(node)


def _has_leaf(node: Any) -> bool:
    if isinstance(node, Mapping):
        return any(map(_has_leaf, node.values()))
    return any(map(_has_leaf, node)) if isinstance(node, list | tuple) else isinstance(node, Leaf)


def _object(node: Mapping[str, Any]) -> Fill:
    needed = node.needed if isinstance(node, Needs) else ()
    constant = {key: None if _has_leaf(value) else value for key, value in node.items()}
    open_ = [(key, compile_tree(value), key in needed) for key, value in node.items() if _has_leaf(value)]

    def fill(values: Values, locale: str) -> Any:
        filled = constant.copy()
        for key, leaf, is_needed in open_:
            value = leaf(values, locale)
            if value is not OMIT:
                filled[key] = value
            elif is_needed:
                return OMIT
            else:
                del filled[key]
        return filled

    return fill


def _array(node: list[Any]) -> Fill:
    items = [compile_tree(item) for item in node]

    def fill(values: Values, locale: str) -> Any:
        filled = [value for item in items if (value := item(values, locale)) is not OMIT]
        return filled or OMIT

    return fill
