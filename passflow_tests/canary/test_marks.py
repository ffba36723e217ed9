"""The search finds what it should: a search that finds nothing proves nothing by itself."""

from __future__ import annotations

import base64
import sqlite3
import urllib.parse
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow_tests.canary.marks import Search, new_mark

MARK = new_mark("Grace")
ENCODED = {
    "plain": MARK.encode(),
    "utf-16": MARK.encode("utf-16"),
    "utf-16-be": MARK.encode("utf-16-be"),
    "hex": MARK.encode().hex().encode(),
    "url": urllib.parse.quote(f"?name={MARK}&x").encode(),
    "url plus": urllib.parse.urlencode({"a b": MARK}).encode(),
    "json": __import__("json").dumps({"name": MARK}).encode(),
    "repr of bytes": repr({"name": MARK.encode()}).encode(),
    "zlib": b"head" + zlib.compress(b"x" * 50 + MARK.encode()),
    "lower": MARK.lower().encode(),
}


@pytest.mark.parametrize("form", ENCODED)
def test_each_form_is_found(form):
    assert Search({"name": MARK}).in_bytes(b"before " + ENCODED[form] + b" after", "here")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_base64_is_found_wherever_it_stands(before, after):
    search = Search({"name": MARK})
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert search.in_bytes(encode(before + MARK.encode() + after), "here")


@given(st.binary(max_size=400))
def test_nothing_is_found_where_nothing_is(noise):
    assert Search({"name": MARK}).in_bytes(noise, "here") == []


def test_a_database_a_folder_and_an_exception_are_searched(tmp_path):
    search = Search({"name": MARK})
    with sqlite3.connect(tmp_path / "some.db") as conn:
        conn.execute("CREATE TABLE t (a TEXT)")
        conn.execute("INSERT INTO t VALUES (?)", [MARK])
    conn.close()
    (tmp_path / MARK).mkdir()
    assert len(search.in_folder(tmp_path)) >= 2
    assert search.in_folder(tmp_path, apart=["some.db", MARK]) == []
    assert search.in_texts([ValueError(f"no {MARK} here")], "errors")
