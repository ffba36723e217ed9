"""Hashes against independent implementations: the blake3 package and hmac of the standard library."""

import hashlib
import hmac
import subprocess
import sys
import unicodedata

import blake3
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import CryptoError
from passflow.sync.fingerprint import fingerprints, id_hash, id_hashes, normalise_id, shard_ranges

KEY = bytes(range(32))
RECORDS = st.lists(st.fixed_dictionaries({"b": st.none() | st.text(), "a_1": st.none() | st.text()}), min_size=1)
IDS = st.lists(st.none() | st.text(min_size=1, max_size=20).map(normalise_id), min_size=1)


def frame(*records):
    return pl.DataFrame(list(records), schema=dict.fromkeys(records[0], pl.String))


def expected(record, context=b""):
    """The documented text of a record, hashed by the blake3 package."""
    scope = "\x01" + "\x1f".join([context.hex(), *sorted(record)])
    text = hmac.new(KEY, scope.encode(), hashlib.sha256).hexdigest()[:32]
    for name in sorted(record):
        value = record[name]
        if value is None:
            shown = "\x00"
        else:
            shown = value.replace("\x1b", "\x1b[").replace("\x1f", "\x1b]").replace("\x00", "\x1b@")
        text += f"\x1f{shown}"
    return blake3.blake3(text.encode()).digest()[:16]


@given(RECORDS, st.binary(max_size=8))
def test_fingerprints_agree_with_the_documented_text(records, context):
    hashes = fingerprints(frame(*records), ["b", "a_1"], KEY, context).to_list()
    assert hashes == [expected(record, context) for record in records]


@given(RECORDS)
def test_equal_fingerprints_mean_equal_records(records):
    hashes = fingerprints(frame(*records), ["a_1", "b"], KEY, b"").to_list()
    assert len(set(hashes)) == len({tuple(sorted(record.items())) for record in records})


PINNED = {  # computed by the blake3 package, version 1.0.11
    "name and points": ({"given_name": "Zoë", "points": "1200"}, "5209f1a3c99ff80c817a59ad1f7ed665"),
    "null": ({"given_name": None, "points": "0"}, "16a21329dcaeff982dc46c24fbe7f0ea"),
    "empty": ({"given_name": "", "points": "0"}, "0785ccf774ec7223a593f9f9be899b9f"),
    "hostile": ({"given_name": "a\x1fpoints=9\x1b\x00", "points": None}, "3d15cecc9bcd94d50d2ee75947a96142"),
}


@pytest.mark.parametrize("case", PINNED)
def test_pinned_vectors(case):
    record, digest = PINNED[case]
    assert fingerprints(frame(record), list(record), KEY, b"rev-1").to_list() == [bytes.fromhex(digest)]
    assert expected(record, b"rev-1").hex() == digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": None, "b": "x"}, {"a": "", "b": "x"}),
        ({"a": "x", "b": None}, {"a": None, "b": "x"}),
        ({"a": "1\x1f2", "b": "3"}, {"a": "1", "b": "2\x1f3"}),
        ({"a": "\x00", "b": ""}, {"a": None, "b": ""}),
        ({"a": "\x1b@", "b": ""}, {"a": "\x00", "b": ""}),
        ({"a": "é", "b": ""}, {"a": "e\u0301", "b": ""}),
    ],
)
def test_what_looks_alike_is_told_apart(one, other):
    assert fingerprints(frame(one), one, KEY, b"").to_list() != fingerprints(frame(other), other, KEY, b"").to_list()


def test_key_context_and_names_count_but_column_order_does_not():
    table = frame({"a": "1", "b": "2"})
    base = fingerprints(table, ["a", "b"], KEY, b"x").to_list()
    assert fingerprints(table.select("b", "a"), ["b", "a"], KEY, b"x").to_list() == base
    assert fingerprints(table, ["a", "b"], KEY, b"y").to_list() != base
    assert fingerprints(table, ["a", "b"], bytes(32), b"x").to_list() != base
    assert fingerprints(table.rename({"a": "c"}), ["c", "b"], KEY, b"x").to_list() != base
    assert fingerprints(table, ["a"], KEY, b"x").to_list() != base


def test_fingerprints_of_nothing_and_of_slices():
    table = frame(*({"a": str(number), "b": None} for number in range(100)))
    whole = fingerprints(table, ["a", "b"], KEY, b"")
    assert whole.dtype == pl.Binary
    assert fingerprints(table.slice(40, 20), ["a", "b"], KEY, b"").to_list() == whole.to_list()[40:60]
    assert fingerprints(table.clear(), ["a", "b"], KEY, b"").to_list() == []


def reference_id_hash(text, program):
    digest = [
        hmac.new(KEY.hex().encode(), f"{half}\0{program}\0{shown}".encode(), hashlib.sha256).digest()[:8]
        for half, shown in (("fold", text.casefold()), ("exact", text))
    ]
    return b"".join(digest)


@given(IDS)
def test_id_hashes_agree_with_hmac_and_with_the_single_one(ids):
    hashes = id_hashes(pl.Series(ids, dtype=pl.String), KEY, "gold").to_list()
    assert hashes == [None if text is None else reference_id_hash(text, "gold") for text in ids]
    assert hashes == [None if text is None else id_hash(text, KEY, "gold") for text in ids]


@pytest.mark.parametrize(
    ("one", "other"),
    [("abc", "ABC"), ("Straße", "STRASSE"), ("ΑΣ", "ας"), ("ÄÖ-1", "äö-1"), ("m007", "M007")],
)
def test_ids_that_differ_in_case_share_half_and_shard(one, other):
    first, second = id_hashes(pl.Series([one, other]), KEY, "gold").to_list()
    assert first[:8] == second[:8]
    assert first[8:] != second[8:]


def test_ids_in_another_spelling_of_unicode_are_the_same():
    composed, decomposed = "Zoë", unicodedata.normalize("NFD", "Zoë")
    assert id_hash(f"\u00a0{decomposed}\r\n", KEY, "gold") == id_hash(composed, KEY, "gold")


def test_an_id_means_another_hash_in_another_program_and_store():
    assert id_hash("1", KEY, "gold") != id_hash("1", KEY, "silver")
    assert id_hash("1", KEY, "gold") != id_hash("1", bytes(32), "gold")


def test_hashes_are_the_same_in_another_process():
    program = (
        "import polars as pl; from passflow.sync.fingerprint import fingerprints, id_hashes;"
        "k = bytes(range(32)); f = pl.DataFrame({'a': ['ä', None]});"
        "print(fingerprints(f, ['a'], k, b'c').to_list() + id_hashes(f['a'], k, 'p').to_list())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    table = pl.DataFrame({"a": ["ä", None]})
    here = fingerprints(table, ["a"], KEY, b"c").to_list() + id_hashes(table["a"], KEY, "p").to_list()
    assert done.stdout.strip() == str(here)


def test_one_id_is_hashed_without_a_data_frame_library():
    program = (
        "import sys; from passflow.sync.fingerprint import id_hash; id_hash('x', bytes(32), 'p');"
        "print(sorted({'polars', 'polars_hash', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("key", [b"", b"short", bytes(33)])
def test_a_key_of_the_wrong_length_is_refused(key):
    with pytest.raises(CryptoError, match="32"):
        fingerprints(frame({"a": "1"}), ["a"], key, b"")
    with pytest.raises(CryptoError, match="32"):
        id_hash("1", key, "gold")


def test_no_error_shows_the_key():
    with pytest.raises(Exception, match="nope") as caught:
        fingerprints(frame({"a": "1"}), ["nope"], KEY, b"")
    assert KEY.hex() not in str(caught.value)


@pytest.mark.parametrize("shards", [1, 2, 4, 64, 256])
def test_shards_cover_every_first_byte_once(shards):
    ranges = shard_ranges(shards)
    assert len(ranges) == shards
    assert [key for key, _, _ in ranges] == [f"{index:03d}" for index in range(shards)]
    assert [byte for _, low, high in ranges for byte in range(low, high)] == list(range(256))


@pytest.mark.parametrize("shards", [0, 3, 100, 512, -1])
def test_shards_are_powers_of_two(shards):
    with pytest.raises(ValueError, match="power of two"):
        shard_ranges(shards)
