from __future__ import annotations

import copy
import os
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import CryptoError
from passflow.security.encryption import KEY_BYTES, OVERHEAD, DataKey, Slot

SLOT = Slot("pass_records", "record_sealed", "gold")
ROW = bytes(range(16))


@pytest.fixture(scope="module")
def key() -> DataKey:
    return DataKey()


@given(content=st.binary(max_size=2000), row=st.binary(max_size=64))
def test_what_was_sealed_opens_again(content, row):
    key = DataKey()
    sealed = SLOT.seal(key, row, content)
    assert SLOT.open(key, row, sealed) == content
    assert len(sealed) == len(content) + OVERHEAD


def test_the_format_is_plain_aes_256_gcm():
    # what another implementation needs to know: version, nonce, and the additional data built by hand
    raw = bytes(range(32))
    additional = b"\x01" + b"\x00\x0cpass_records" + b"\x00\x0drecord_sealed" + b"\x00\x04gold" + ROW
    nonce = b"n" * 12
    foreign = b"\x01" + nonce + AESGCM(raw).encrypt(nonce, b"Ada", additional)
    assert SLOT.open(DataKey(raw), ROW, foreign) == b"Ada"
    sealed = SLOT.seal(DataKey(raw), ROW, b"Ada")
    assert AESGCM(raw).decrypt(sealed[1:13], sealed[13:], additional) == b"Ada"


def test_an_outside_vector_opens():
    # McGrew and Viega, The Galois/Counter Mode of Operation (GCM), test case 16 (AES-256, with additional data)
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    additional = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    expected = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    assert DataKey(key).cipher.encrypt(nonce, plain, additional) == expected


PLACES = [
    (Slot("pass_records", "overlay_sealed", "gold"), ROW),
    (Slot("operations", "record_sealed", "gold"), ROW),
    (Slot("pass_records", "record_sealed", "silver"), ROW),
    (Slot("pass_records", "record_sealed"), ROW),
    (SLOT, ROW[::-1]),
    (SLOT, ROW + b"\0"),
    (SLOT, b""),
]


@pytest.mark.parametrize(("slot", "row"), PLACES)
def test_a_ciphertext_does_not_open_in_another_place(key, slot, row):
    sealed = SLOT.seal(key, ROW, b"Ada")
    with pytest.raises(CryptoError, match="does not open"):
        slot.open(key, row, sealed)


@given(st.tuples(*[st.text(max_size=6)] * 3), st.tuples(*[st.text(max_size=6)] * 3))
def test_no_two_places_are_bound_alike(one, other):
    # a prefix that could be cut elsewhere ("a", "bc" and "ab", "c") would let a value move
    if one != other:
        key = DataKey()
        with pytest.raises(CryptoError):
            Slot(*other).open(key, ROW, Slot(*one).seal(key, ROW, b"x"))


@given(st.data())
def test_any_altered_byte_is_noticed(data):
    key = DataKey()
    sealed = bytearray(SLOT.seal(key, ROW, b"points: 1200"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CryptoError):
        SLOT.open(key, ROW, bytes(sealed))


@given(st.binary(max_size=80))
def test_bytes_that_nobody_sealed_raise_only_our_error(junk):
    with pytest.raises(CryptoError):
        SLOT.open(DataKey(), ROW, junk)


def test_another_key_does_not_open_and_nothing_is_told_about_the_content(key):
    sealed = SLOT.seal(key, ROW, b"ada@example.com")
    with pytest.raises(CryptoError) as raised:
        SLOT.open(DataKey(), ROW, sealed)
    shown = str(raised.value) + repr(raised.value)
    assert "pass_records.record_sealed of program gold" in shown
    assert "ada@example.com" not in shown and sealed.hex() not in shown and raised.value.__cause__ is None


def test_the_same_content_never_looks_the_same_twice(key):
    assert len({SLOT.seal(key, ROW, b"Ada") for _ in range(1000)}) == 1000


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33, 64])
def test_only_keys_of_256_bits_are_taken(length):
    with pytest.raises(CryptoError, match=str(KEY_BYTES)):
        DataKey(os.urandom(length))


def test_a_key_is_not_printed_pickled_or_copied():
    raw = os.urandom(32)
    key = DataKey(raw)
    assert repr(key) == str(key) == f"{key}" == "DataKey()"
    for action in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            action(key)
