"""Strict JSON: what RFC 8259 forbids is named with its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.wallets.apple import json_reader
from passflow.wallets.apple.json_reader import read_json


def read(data: bytes) -> tuple[object, list[str]]:
    result = read_json("pass.json", data)
    return result.value, [each.code for each in result.findings]


def test_plain_json() -> None:
    assert read('{"a": [1, 2.5, "ü", null]}'.encode()) == ({"a": [1, 2.5, "ü", None]}, [])


def test_byte_order_mark_and_repeated_keys_are_read_past() -> None:
    assert read(b'\xef\xbb\xbf{"a": 1}') == ({"a": 1}, ["json.bom"])
    assert read(b'{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}') == ({"a": 3, "b": {"c": 2}}, ["json.key_twice"] * 2)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (b'{"a": 1,}', "json.syntax", "comma"),
        (b'{"a": [1, ]\n}', "json.syntax", "comma"),
        (b'{"a": 1,, "b": 2}', "json.syntax", "comma"),
        (b'{"a": "\xff"}', "json.encoding", "Byte 7"),
        ('{"a": 1}'.encode("utf-16"), "json.encoding", "UTF-8"),
        (b"", "json.syntax", "Line 1, column 1"),
        (b"{'a': 1}", "json.syntax", "column 2"),
        (b'{"a": NaN}', "json.syntax", "NaN"),
        (b'{"a": -Infinity}', "json.syntax", "NaN"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "json.syntax", "endless"),
        (b"[" * 100_000, "json.syntax", "levels"),
        (b'{"a": 1} // x', "json.syntax", "column 10"),
        (b'{"a": "\n"}', "json.syntax", "control character"),
    ],
)
def test_what_is_not_json(data: bytes, code: str, reason: str) -> None:
    result = read_json("pass.json", data)
    (finding,) = result.findings
    assert result.value is None
    assert (finding.level, finding.code) == ("error", code)
    assert reason in finding.message


def test_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_reader, "MAX_BYTES", 10)
    assert read(b'{"a": "long"}') == (None, ["json.too_large"])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_agrees_with_the_standard_parser(data: bytes) -> None:
    value, codes = read(data)
    try:
        expected = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        assert codes
    else:
        assert codes or value == expected
