"""The mapping against a second reading of each row, one value at a time in plain Python."""

import json
import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.errors import SourceError
from passflow.sync.codes import ROW_CODES
from passflow.sync.fingerprint import id_hash, id_hashes
from passflow.sync.mapping import MemberMapping
from passflow.sync.records import decode, decode_record, encode_record

KEY = bytes(32)
IDENTIFY = partial(id_hashes, key=KEY, program="gold")


def mapping(**fields):
    return MemberMapping.model_validate({"external_id": "id", **fields})


def batch(**columns):
    return pa.RecordBatch.from_pydict(columns)


def texts(**columns):
    return pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in columns.items()})


def one(field, value, **spec):
    """The canonical text or the code that one value of one field ends with."""
    given = mapping(**{field: {"column": "v", **spec}})
    mapped = given.map_batch(texts(id=["1"], v=[value]), 1)
    return mapped.rejections[0].code if mapped.rejections else mapped.frame[field][0]


def test_the_whole_block_in_its_short_and_long_forms():
    given = MemberMapping.model_validate(
        {
            "external_id": "member_no",
            "given_name": "first_name",
            "points": {"column": "points", "type": "integer"},
            "balance": {"column": "balance", "unit": "minor"},
            "currency": {"value": "EUR"},
            "expires_at": {"column": "valid_to", "formats": ["%Y-%m-%d", "%d.%m.%Y"], "time_zone": "Europe/Berlin"},
            "tier": {"column": "tier", "table": {"G": "gold", "S": "silver"}, "unknown": "keep"},
            "status": {"column": "state", "table": {1: "active", "X": "voided"}},
            "photo_url": "photo",
            "extra": {"home_store": "store_name", "vip": {"column": "vip", "type": "boolean"}},
        }
    )
    assert given.fields == {
        "external_id": "text", "given_name": "text", "points": "integer", "balance": "decimal", "currency": "text",
        "tier": "text", "status": "text", "expires_at": "date", "photo_url": "text", "home_store": "text", "vip": "boolean",
    }  # fmt: skip
    assert given.columns == (
        "member_no", "first_name", "points", "balance", "tier", "state", "valid_to", "photo", "store_name", "vip",
    )  # fmt: skip
    rows = texts(
        member_no=["007", " 8 "], first_name=["Zoe\u0308 ", ""], points=["1200", "0"], balance=["1250", "-5"], tier=["G", "platinum"],
        state=["1", "X"], valid_to=["31.01.2026", "2026-02-28"], photo=[None, "https://example.org/a"], store_name=["Köln", None],
        vip=["Y", "no"], ignored=["a", "b"],
    )  # fmt: skip
    mapped = given.map_batch(rows, 41)
    assert mapped.rejections == []
    assert mapped.frame.schema == {"row": pl.UInt64, **dict.fromkeys(given.fields, pl.String)}
    assert mapped.frame.to_dicts() == [
        {
            "row": 41, "external_id": "007", "given_name": "Zoë", "points": "1200", "balance": "12.5", "currency": "EUR", "tier": "gold",
            "status": "active", "expires_at": "2026-01-31", "photo_url": None, "home_store": "Köln", "vip": "true",
        },
        {
            "row": 42, "external_id": "8", "given_name": None, "points": "0", "balance": "-0.05", "currency": "EUR",
            "tier": "platinum", "status": "voided", "expires_at": "2026-02-28", "photo_url": "https://example.org/a",
            "home_store": None, "vip": "false",
        },
    ]  # fmt: skip


CASES = [
    ("points", "1e3", {}, "1000"),
    ("points", "12.50", {}, "12.5"),
    ("points", "NaN", {}, "number.unreadable"),
    ("points", "1e400", {}, "number.unreadable"),
    ("points", "1.250", {"type": "integer"}, "number.unreadable"),
    ("points", "12.00", {"type": "integer"}, "12"),
    ("points", "1.200", {"type": "integer", "thousands": "."}, "1200"),
    ("points", "1.20", {"type": "integer", "thousands": "."}, "number.unreadable"),
    ("points", "1,200", {"type": "integer", "thousands": ","}, "1200"),
    ("balance", "1.234,5", {"thousands": ".", "decimal_mark": ","}, "1234.5"),
    ("expires_at", "2026-02-30", {}, "date.unreadable"),
    ("expires_at", "20260131", {}, "2026-01-31"),
    ("expires_at", "2026-01-31T23:30:00Z", {"time_zone": "Europe/Berlin"}, "2026-02-01"),
    ("expires_at", "1769900400", {"unit": "s", "time_zone": "Europe/Berlin"}, "2026-02-01"),
    ("updated_at", "2026-01-31 12:00:00+01", {}, "2026-01-31T11:00:00Z"),
    ("updated_at", "2026-01-31", {}, "date.unreadable"),
    ("email", "  a@example.org\t", {}, "a@example.org"),
    ("email", "a" * 255, {}, "value.too_long"),
    ("given_name", "ä" * 200, {}, "ä" * 200),
    ("given_name", "ä" * 201, {}, "value.too_long"),
    ("given_name", "abcd", {"max_length": 3}, "value.too_long"),
    ("given_name", "a\x00b", {}, "value.control_character"),
    ("given_name", "a\x85b", {}, "value.control_character"),
    ("given_name", "a\x7fb", {}, "value.control_character"),
    ("given_name", "a\r\nb\tc", {}, "a\nb\tc"),
    ("given_name", "\ufeffJo\u00a0", {}, "Jo"),
    ("given_name", " \u3000 ", {}, None),
    ("given_name", "👩‍👩‍👧", {}, "👩‍👩‍👧"),
    ("tier", "Z", {"table": {"G": "gold"}}, "value.unknown"),
    ("tier", "g", {"table": {"G": "gold"}}, "value.unknown"),
    ("tier", "Z", {"table": {"G": "gold"}, "unknown": "keep"}, "Z"),
    ("tier", None, {"table": {"G": "gold"}}, None),
    ("locale", "de_AT", {}, "de-AT"),
    ("locale", "zh-Hant_TW", {}, "zh-Hant-TW"),
    ("locale", "Deutsch!", {}, "locale.unreadable"),
    ("currency", "eur", {}, "EUR"),
    ("currency", "€", {}, "currency.unreadable"),
    ("phone", "0049 151/234-567", {}, "0049 151/234-567"),
    ("phone", "0049 151/234-567", {"calling_code": "+49", "trunk_prefix": "0"}, "+49151234567"),
    ("phone", "(0151) 234 567", {"calling_code": "+49", "trunk_prefix": "0"}, "+49151234567"),
    ("phone", "06 1234 5678", {"calling_code": "+39"}, "+390612345678"),
    ("phone", "+1 (212) 555-0100", {"calling_code": "+49"}, "+12125550100"),
    ("phone", "call me", {"calling_code": "+49"}, "phone.unreadable"),
    ("phone", "1", {"calling_code": "+49"}, "phone.unreadable"),
]


@pytest.mark.parametrize(("field", "value", "spec", "expected"), CASES)
def test_one_value_of_one_field(field, value, spec, expected):
    assert one(field, value, **spec) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [("", "id.missing"), (" \t", "id.missing"), (None, "id.missing"), ("x" * 121, "id.too_long"), ("a\tb", "value.control_character")],
)  # fmt: skip
def test_a_broken_id_belongs_to_nobody(value, code):
    mapped = mapping().map_batch(texts(id=[value, "2"]), 1, IDENTIFY)
    assert [(found.row, found.code, found.field, found.id_hash) for found in mapped.rejections] == [
        (1, code, "external_id", None)
    ]
    assert mapped.frame["external_id"].to_list() == ["2"]


def test_a_refused_row_names_its_member_first_fault_and_content():
    given = mapping(points={"column": "p", "type": "integer"}, expires_at="e")
    rows = texts(id=["a", "b", "c"], p=["x", "1", "2"], e=["never", "2026-01-31", "soon"], other=["1", "2", "3"])
    mapped = given.map_batch(rows, 10, IDENTIFY)
    assert [(found.row, found.code, found.field) for found in mapped.rejections] == [
        (10, "number.unreadable", "points"),
        (12, "date.unreadable", "expires_at"),
    ]
    assert [found.id_hash for found in mapped.rejections] == [id_hash("a", KEY, "gold"), id_hash("c", KEY, "gold")]
    assert json.loads(mapped.rejections[0].record) == {"id": "a", "p": "x", "e": "never"}
    assert "never" not in repr(mapped.rejections[0])
    assert mapped.frame["id_hash"].to_list() == [id_hash("b", KEY, "gold")]
    assert mapped.frame["row"].to_list() == [11]


def test_a_refused_cell_of_megabytes_is_kept_in_part():
    mapped = mapping(email="e").map_batch(texts(id=["1"], e=["x" * 10_000_000]), 1)
    assert mapped.rejections[0].code == "value.too_long"
    assert len(mapped.rejections[0].record) < 11_000


def test_minor_units_use_each_rows_currency():
    given = mapping(balance={"column": "b", "unit": "minor"}, currency="c")
    mapped = given.map_batch(texts(id=list("1234"), b=["1250", "1250", "1250", None], c=["EUR", "jpy", None, None]), 1)
    assert mapped.frame["balance"].to_list() == ["12.5", "1250", None]
    assert [(found.row, found.code, found.field) for found in mapped.rejections] == [(3, "currency.missing", "balance")]


def test_the_name_as_shown_falls_back_on_first_and_last():
    given = mapping(given_name="g", family_name="f", display_name="d")
    rows = texts(
        id=list("1234"),
        g=["Ada", "Ada", None, None],
        f=["Byron", "Byron", "Byron", None],
        d=["Countess", "", None, None],
    )
    assert given.map_batch(rows, 1).frame["display_name"].to_list() == ["Countess", "Ada Byron", "Byron", None]


def test_typed_columns_are_read_as_their_text():
    given = mapping(
        points={"column": "i", "type": "integer"}, balance="d", expires_at="day", updated_at="moment", given_name="cat",
        extra={"vip": {"column": "b", "type": "boolean"}, "local": {"column": "naive", "type": "datetime"},
               "ratio": {"column": "f", "type": "decimal"}, "nothing": "null", "large": "big"},
    )  # fmt: skip
    rows = pa.RecordBatch.from_pydict(
        {
            "id": pa.array([7, 8]), "i": pa.array([1200.0, None]), "d": pa.array([Decimal("12.50"), None], pa.decimal128(10, 2)),
            "day": pa.array([date(2026, 1, 31), None]),
            "moment": pa.array([datetime(2026, 1, 31, 12), None], pa.timestamp("ns", "Europe/Berlin")),
            "cat": pa.array(["Ada", None]).dictionary_encode(), "b": pa.array([True, None]),
            "naive": pa.array([datetime(2026, 1, 31, 12, 0, 0, 5), None]), "f": pa.array([1e-7, float("1e16")]),
            "null": pa.nulls(2), "big": pa.array(["x", "y"], pa.large_string()),
        }
    )  # fmt: skip
    assert given.map_batch(rows, 1).frame.drop("row").to_dicts() == [
        {
            "external_id": "7", "given_name": "Ada", "points": "1200", "balance": "12.5", "expires_at": "2026-01-31",
            "updated_at": "2026-01-31T12:00:00Z", "vip": "true", "local": "2026-01-31T12:00:00.000005Z",
            "ratio": "0.0000001", "nothing": None, "large": "x",
        },
        {
            "external_id": "8", **dict.fromkeys(("given_name", "points", "balance", "expires_at", "updated_at", "vip", "local", "nothing")),
            "ratio": "10000000000000000", "large": "y",
        },
    ]  # fmt: skip


def test_floats_that_are_no_numbers_are_refused():
    rows = pa.RecordBatch.from_pydict(
        {"id": pa.array(["1", "2", "3"]), "p": pa.array([float("nan"), float("inf"), 1.5])}
    )
    mapped = mapping(points="p").map_batch(rows, 1)
    assert [found.code for found in mapped.rejections] == ["number.unreadable"] * 2


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (pa.array([1.0]), "source.column_type"),
        (pa.array([[1]]), "source.column_type"),
        (pa.array([b"x"]), "source.column_type"),
        (pa.array([{"a": 1}]), "source.column_type"),
        (pa.array([timedelta(1)]), "source.column_type"),
    ],
)
def test_ids_of_a_type_that_loses_them_stop_the_read(column, code):
    with pytest.raises(SourceError) as caught:
        mapping().map_batch(batch(id=column), 1)
    assert caught.value.error_code == code
    assert "'id'" in caught.value.message


def test_a_missing_column_names_what_is_there():
    with pytest.raises(SourceError, match=r"'g'.*has: id, first") as caught:
        mapping(given_name="g").map_batch(texts(id=["1"], first=["a"]), 1)
    assert caught.value.error_code == "source.column_missing"


def test_a_pandas_frame_and_an_empty_batch():
    table = pa.RecordBatch.from_pandas(pd.DataFrame({"id": ["1", None], "p": ["5", "6"]}), preserve_index=False)
    assert [found.code for found in mapping(points="p").map_batch(table, 1).rejections] == ["id.missing"]
    nothing = mapping(points="p").map_batch(table.slice(0, 0), 1, IDENTIFY)
    assert nothing.frame.height == 0
    assert nothing.frame.columns == ["row", "id_hash", "external_id", "points"]


def test_a_slice_of_a_batch_is_read_as_itself():
    rows = texts(id=["1", "2", "3"], n=["a\x00", "ok", "e\u0301"])
    mapped = mapping(given_name="n").map_batch(rows.slice(1, 1), 2)
    assert mapped.frame.to_dicts() == [{"row": 2, "external_id": "2", "given_name": "ok"}]


def by_hand(value, kind):
    """What one text is in one type, in plain Python; ``...`` where it is refused."""
    value = None if value is None else unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    if not value:
        return None
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\n" for letter in value):
        return ...
    if kind == "text":
        return value if len(value) <= 2000 else ...
    if kind == "integer":
        return str(int(value)) if re.fullmatch("[+-]?[0-9]{1,38}", value) else ...
    try:
        return date.fromisoformat(value).isoformat() if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else ...
    except ValueError:
        return ...


WORDS = st.none() | st.text("ab \t\n\r\x00\x7f\x85é\u0301\ufb01ſ", max_size=6)
NUMBERS = st.none() | st.text("0123456789+- x", max_size=5)
DAYS = st.none() | st.dates(date(1000, 1, 1)).map(str) | st.text("0123456789-", min_size=10, max_size=10)


@given(st.lists(st.tuples(WORDS, NUMBERS, DAYS), min_size=1, max_size=20), st.integers(1, 5))
@settings(max_examples=200)
def test_rows_are_read_as_by_hand(rows, first):
    given = mapping(extra={"t": "t", "n": {"column": "n", "type": "integer"}, "d": {"column": "d", "type": "date"}})
    columns = dict(zip("tnd", zip(*rows, strict=True), strict=True))
    mapped = given.map_batch(texts(id=[str(index) for index in range(len(rows))], **columns), first)
    expected, refused = [], []
    for index, (text, number, day) in enumerate(rows):
        read = {"t": by_hand(text, "text"), "n": by_hand(number, "integer"), "d": by_hand(day, "date")}
        if ... in read.values():
            refused.append((index + first, next(name for name in read if read[name] is ...)))
        else:
            expected.append({"row": index + first, "external_id": str(index), **read})
    assert mapped.frame.to_dicts() == expected
    assert [(found.row, found.field) for found in mapped.rejections] == refused
    assert {found.code for found in mapped.rejections} <= set(ROW_CODES)


@given(st.binary(max_size=400).map(lambda data: data.decode("utf-8", "replace")))
def test_any_text_ends_as_a_value_or_a_code(text):
    given = mapping(
        email="v", points="v", balance={"column": "v", "unit": "minor"}, currency="v", locale="v", expires_at="v", updated_at="v",
        phone={"column": "v", "calling_code": "+1"}, tier={"column": "v", "table": {"a": "b"}}, photo_url="v",
    )  # fmt: skip
    mapped = given.map_batch(texts(id=["1"], v=[text]), 1, IDENTIFY)
    assert mapped.frame.height + len(mapped.rejections) == 1


def test_decode_gives_python_values():
    fields = {"a": "text", "b": "integer", "c": "decimal", "d": "date", "e": "datetime", "f": "boolean", "g": "text"}
    record = {
        "a": "x",
        "b": "-7",
        "c": "12.5",
        "d": "2026-01-31",
        "e": "2026-01-31T11:00:00.5Z",
        "f": "false",
        "z": "1",
    }
    read = decode(record, fields)
    assert read == {
        "a": "x", "b": -7, "c": Decimal("12.5"), "d": date(2026, 1, 31), "f": False, "g": None,
        "e": datetime.fromisoformat("2026-01-31T11:00:00.5+00:00"),
    }  # fmt: skip
    assert read["e"].utcoffset() == timedelta(0)


@given(st.dictionaries(st.text(), st.none() | st.text()))
def test_records_survive_their_encoding(record):
    encoded = encode_record(record)
    assert decode_record(encoded) == record
    assert encoded == json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() or any(
        ord(letter) < 0x20 or ord(letter) == 0x7F for text in [*record, *record.values()] if text for letter in text
    )
    assert encode_record(dict(reversed(record.items()))) == encoded
