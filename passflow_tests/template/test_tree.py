"""Merging overrides as RFC 7386 says, and filling in what is left open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.template.tree import OMIT, Leaf, Needs, compile_tree, merge_patch

# RFC 7386, appendix A, every row: original, patch, result
VECTORS = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("original", "patch", "result"), VECTORS)
def test_the_examples_of_the_rfc(original: str, patch: str, result: str) -> None:
    assert merge_patch(json.loads(original), json.loads(patch)) == json.loads(result)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def reference(target: Any, patch: Any) -> Any:
    """The pseudo code of RFC 7386 section 2, line by line."""
    if isinstance(patch, dict):
        if not isinstance(target, dict):
            target = {}
        target = dict(target)
        for name, value in patch.items():
            if value is None:
                if name in target:
                    del target[name]
            else:
                target[name] = reference(target.get(name), value)
        return target
    return patch


@given(JSON, JSON)
def test_any_merge_is_that_of_the_rfc(target: Any, patch: Any) -> None:
    before = json.dumps(target)
    assert merge_patch(target, patch) == reference(target, patch)
    assert json.dumps(target) == before


@given(JSON)
def test_a_tree_without_leaves_fills_in_to_itself(tree: Any) -> None:
    assert compile_tree(tree)({}, "en") == tree


def leaf(name: str) -> Leaf:
    return Leaf(lambda values, locale: values.get(name, OMIT))


def test_omitted_leaves_leave_and_keys_keep_their_order() -> None:
    fill = compile_tree({"z": leaf("a"), "y": 1, "x": {"w": leaf("b")}, "v": [leaf("a"), 2, leaf("b")]})
    assert list(fill({"a": 7, "b": 8}, "en").items()) == [("z", 7), ("y", 1), ("x", {"w": 8}), ("v", [7, 2, 8])]
    assert list(fill({"b": 8}, "en").items()) == [("y", 1), ("x", {"w": 8}), ("v", [2, 8])]


def test_an_object_goes_with_what_it_needs_and_a_list_with_its_last_item() -> None:
    fill = compile_tree({"fields": [Needs({"key": "k", "value": leaf("a"), "label": leaf("b")}, ("value",))], "x": 1})
    assert fill({"a": 1}, "en") == {"fields": [{"key": "k", "value": 1}], "x": 1}
    assert fill({"b": 1}, "en") == {"x": 1}


def test_a_patch_keeps_what_an_object_needs() -> None:
    merged = merge_patch({"nfc": Needs({"message": leaf("a")}, ("message",))}, {"nfc": {"extra": 1}})
    assert compile_tree(merged)({}, "en") == {}
    assert compile_tree(merged)({"a": "m"}, "en") == {"nfc": {"message": "m", "extra": 1}}
