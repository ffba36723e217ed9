"""The diff against a model of dictionaries that looks at one member after the other."""

import json
from dataclasses import dataclass, replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.sync.codes import ROW_CODES
from passflow.sync.diff import STATE_COLUMNS, diff

NOW = 1_000


def ident(word):
    """An id hash that shares its first half with every word that differs only in case."""
    return word.casefold().encode().ljust(8, b"_") + word.encode().ljust(8, b".")


def mark(content):
    return content.encode().ljust(16, b"=")


@dataclass(frozen=True)
class Pass:
    """One pass of the store."""

    word: str
    content: str = "a"
    status: str = "active"
    origin: str = "source"
    adopted: bool = True
    due_at: int | None = None
    observed_at: int = 10


def rows_frame(rows):
    return pl.DataFrame(
        {
            "row": range(1, len(rows) + 1),
            "id_hash": [ident(word) for word, _ in rows],
            "fingerprint": [mark(content) for _, content in rows],
            "external_id": [word for word, _ in rows],
            "content": [content for _, content in rows],
        },
        schema={
            "row": pl.UInt64,
            "id_hash": pl.Binary,
            "fingerprint": pl.Binary,
            "external_id": pl.String,
            "content": pl.String,
        },
    )


def state_frame(passes):
    return pl.DataFrame(
        [
            (ident(one.word), mark(one.content), one.status, 3, one.origin, one.adopted, one.due_at, one.observed_at)
            for one in passes
        ],
        schema=dict(
            zip(
                STATE_COLUMNS,
                (pl.Binary, pl.Binary, pl.String, pl.Int64, pl.String, pl.Boolean, pl.Int64, pl.Int64),
                strict=True,
            )
        ),
        orient="row",
    )


def run(rows=(), passes=(), refused=(), erased=()):
    found = diff(
        rows_frame(list(rows)),
        state_frame(list(passes)),
        refused=[ident(word) for word in refused],
        erased=[ident(word) for word in erased],
        now=NOW,
    )
    return {
        "creates": sorted(found.creates["external_id"].to_list()),
        "changed": sorted(found.changed["external_id"].to_list()),
        "due": sorted(found.due["external_id"].to_list()),
        "unchanged": found.unchanged,
        "missing": sorted(found.missing["id_hash"].to_list()),
        "newer": found.newer,
        "adopted": sorted(found.adopted.to_list()),
        "rejections": sorted((one.row, one.code) for one in found.rejections),
    }


def model(rows, passes, refused, erased):
    """The same, member by member."""
    stored = {one.word: one for one in passes}
    live = {word for word, one in stored.items() if one.status != "deleted"}
    contents: dict[str, set[str]] = {}
    for word, content in rows:
        contents.setdefault(word, set()).add(content)
    shown = set(contents) | set(refused)
    result = {
        "creates": [], "changed": [], "due": [], "unchanged": 0, "missing": [], "newer": 0, "adopted": [], "rejections": []
    }  # fmt: skip
    codes, variants = {}, set()
    for word, told in contents.items():
        others = {other for other in shown | live if other != word and other.casefold() == word.casefold()}
        if word in erased:
            codes[word] = "member.erased"
        elif len(told) > 1 or word in refused:
            codes[word] = "id.duplicate"
        elif word not in live and others:
            codes[word] = "id.case_variant"
            variants.add(word)
    for number, (word, _) in enumerate(rows, 1):
        # equal rows are one row, unless they are refused before that is seen
        first = [other for other, _ in rows].index(word) + 1
        if word in codes and (number == first or codes[word] != "id.case_variant"):
            result["rejections"].append((number, codes[word]))
    for word in contents.keys() - codes.keys():
        one = stored.get(word)
        if one is None:
            result["creates"].append(word)
        elif one.observed_at > NOW:
            result["newer"] += 1
        else:
            if not one.adopted:
                result["adopted"].append(ident(word))
            if contents[word] != {one.content} or one.status == "deleted":
                result["changed"].append(word)
            elif one.due_at is not None and one.due_at <= NOW:
                result["due"].append(word)
            else:
                result["unchanged"] += 1
    protected = {word.casefold() for word in variants | set(refused)}
    for word in live - shown - set(erased):
        one = stored[word]
        if word.casefold() in protected or not (one.adopted or one.origin == "source"):
            continue
        if one.observed_at > NOW:
            result["newer"] += 1
        else:
            result["missing"].append(ident(word))
    return {name: value if isinstance(value, int) else sorted(value) for name, value in result.items()}


WORDS = st.sampled_from(["a", "A", "b", "B", "c", "C", "d", "e"])
PASSES = st.lists(
    st.builds(
        Pass,
        word=WORDS,
        content=st.sampled_from("xy"),
        status=st.sampled_from(["active", "active", "voided", "expired", "deleted"]),
        origin=st.sampled_from(["source", "source", "link", "flow"]),
        adopted=st.booleans(),
        due_at=st.none() | st.sampled_from([NOW - 1, NOW, NOW + 1]),
        observed_at=st.sampled_from([10, 10, NOW, NOW + 1]),
    ),
    max_size=8,
    unique_by=lambda one: one.word,
)


@given(
    st.lists(st.tuples(WORDS, st.sampled_from("xy")), max_size=8), PASSES,
    st.lists(WORDS, max_size=2, unique=True), st.lists(WORDS, max_size=2, unique=True),
)  # fmt: skip
@settings(max_examples=400)
def test_agrees_with_the_model(rows, passes, refused, erased):
    assert run(rows, passes, refused, erased) == model(rows, passes, refused, erased)


@given(st.lists(st.tuples(WORDS, st.sampled_from("xy")), max_size=8), PASSES, st.lists(WORDS, max_size=2, unique=True))
def test_nobody_who_is_shown_or_refused_goes_missing(rows, passes, refused):
    missing = set(run(rows, passes, refused)["missing"])
    assert missing.isdisjoint({ident(word) for word, _ in rows} | {ident(word) for word in refused})


@given(st.lists(st.tuples(WORDS, st.sampled_from("xy")), max_size=8), PASSES)
def test_the_order_of_rows_and_passes_does_not_matter(rows, passes):
    there, back = run(rows, passes), run(rows[::-1], passes[::-1])
    for result in (there, back):
        result["rejections"] = sorted(code for _, code in result["rejections"])
    assert there == back


def nothing(**but):
    empty = {
        "creates": [],
        "changed": [],
        "due": [],
        "unchanged": 0,
        "missing": [],
        "newer": 0,
        "adopted": [],
        "rejections": [],
    }
    return {**empty, **but}


KNOWN = Pass("m1")


@pytest.mark.parametrize(
    ("rows", "passes", "more", "expected"),
    [
        ([], [], {}, {}),
        ([("m1", "a")], [], {}, {"creates": ["m1"]}),
        ([("m1", "a")], [KNOWN], {}, {"unchanged": 1}),
        ([("m1", "b")], [KNOWN], {}, {"changed": ["m1"]}),
        ([("m1", "a"), ("m1", "a")], [KNOWN], {}, {"unchanged": 1}),
        ([("m1", "a"), ("m1", "b")], [KNOWN], {}, {"rejections": [(1, "id.duplicate"), (2, "id.duplicate")]}),
        ([], [KNOWN], {}, {"missing": [ident("m1")]}),
        ([], [KNOWN], {"refused": ["m1"]}, {}),
        ([("m1", "a")], [KNOWN], {"refused": ["m1"]}, {"rejections": [(1, "id.duplicate")]}),
        ([], [replace(KNOWN, status="deleted")], {}, {}),
        ([("m1", "a")], [replace(KNOWN, status="deleted")], {}, {"changed": ["m1"]}),
        ([], [replace(KNOWN, origin="link", adopted=False)], {}, {}),
        ([], [replace(KNOWN, origin="link", adopted=True)], {}, {"missing": [ident("m1")]}),
        ([("m1", "a")], [replace(KNOWN, origin="link", adopted=False)], {}, {"unchanged": 1, "adopted": [ident("m1")]}),
        ([("m1", "b")], [replace(KNOWN, observed_at=NOW + 1)], {}, {"newer": 1}),
        ([], [replace(KNOWN, observed_at=NOW + 1)], {}, {"newer": 1}),
        ([("m1", "a")], [replace(KNOWN, due_at=NOW)], {}, {"due": ["m1"]}),
        ([("m1", "a")], [replace(KNOWN, due_at=NOW + 1)], {}, {"unchanged": 1}),
        ([("m1", "a")], [], {"erased": ["m1"]}, {"rejections": [(1, "member.erased")]}),
        ([], [KNOWN], {"erased": ["m1"]}, {}),
        # one that is live keeps its pass, the other is refused
        ([("m1", "a"), ("M1", "a")], [KNOWN], {}, {"unchanged": 1, "rejections": [(2, "id.case_variant")]}),
        # of two new ones, nobody can tell which is right
        ([("m1", "a"), ("M1", "a")], [], {}, {"rejections": [(1, "id.case_variant"), (2, "id.case_variant")]}),
        # respelled at the master system: the live pass must not go
        ([("M1", "a")], [KNOWN], {}, {"rejections": [(1, "id.case_variant")]}),
        # the other spelling was deleted long ago
        ([("M1", "a")], [replace(KNOWN, status="deleted")], {}, {"creates": ["M1"]}),
        # a refused row of another spelling
        ([("M1", "a")], [], {"refused": ["m1"]}, {"rejections": [(1, "id.case_variant")]}),
        ([], [KNOWN], {"refused": ["M1"]}, {}),
    ],
)
def test_cases(rows, passes, more, expected):
    assert run(rows, passes, **more) == nothing(**expected)


def test_what_the_plan_needs_is_in_the_frames():
    found = diff(
        rows_frame([("new", "a"), ("old", "b")]),
        state_frame([Pass("old"), Pass("gone")]),
        refused=[],
        erased=[],
        now=NOW,
    )
    assert found.creates.columns == ["row", "id_hash", "fingerprint", "external_id", "content"]
    changed = found.changed.to_dicts()[0]
    assert changed["fingerprint"] == mark("b")
    assert changed["state_fingerprint"] == mark("a")
    assert changed["revision"] == 3
    assert found.missing.columns == list(STATE_COLUMNS)


def test_refused_rows_say_who_and_what_and_stay_secret():
    found = diff(rows_frame([("m1", "a"), ("m1", "b")]), state_frame([]), refused=[], erased=[], now=NOW)
    rejection = found.rejections[1]
    assert rejection.id_hash == ident("m1")
    assert rejection.field == "external_id"
    assert json.loads(rejection.record) == {"external_id": "m1", "content": "b"}
    assert rejection.code in ROW_CODES
    assert "m1" not in repr(rejection).replace(repr(ident("m1")), "")


def test_hashes_may_come_as_a_column():
    refused = pl.Series([ident("m1")], dtype=pl.Binary)
    found = diff(
        rows_frame([]), state_frame([Pass("m1")]), refused=refused, erased=pl.Series([], dtype=pl.Binary), now=NOW
    )
    assert found.missing.height == 0


@pytest.mark.parametrize("name", [*STATE_COLUMNS[2:], "state_fingerprint", "prefix", "place", "count"])
def test_a_member_field_may_have_any_name(name):
    """``status`` is a common member field, and a column of the state."""
    rows = rows_frame([("old", "b"), ("same", "a"), ("new", "a"), ("back", "a")])
    rows = rows.with_columns(pl.lit("deleted").alias(name))
    passes = [Pass("old"), Pass("same"), Pass("gone"), Pass("back", status="deleted"), Pass("due", due_at=1)]
    found = diff(rows, state_frame(passes), refused=[], erased=[], now=NOW)
    assert found.creates["external_id"].to_list() == ["new"]
    assert sorted(found.changed["external_id"].to_list()) == ["back", "old"]
    assert found.changed[name].to_list() == ["deleted", "deleted"]
    assert found.unchanged == 1
    assert sorted(found.missing["id_hash"].to_list()) == [ident("due"), ident("gone")]
