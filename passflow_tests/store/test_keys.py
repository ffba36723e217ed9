from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading

import pytest
from sqlalchemy import delete, insert, select, update

from passflow.errors import CryptoError
from passflow.security.keyring import Keyring, MasterKey, Wrapped
from passflow.store import keys
from passflow.store.tables import member_keys, passes, store_keys
from passflow.testing.store import plant_pass


def test_store_keys_differ_and_are_the_same_in_every_process(store, store_url, open_store):
    found = {name: keys.store_key(store, name) for name in keys.STORE_KEYS}
    assert len(set(found.values())) == len(found) and {len(key) for key in found.values()} == {32}
    again = open_store(store_url)
    assert {name: keys.store_key(again, name) for name in keys.STORE_KEYS} == found


def test_the_gateway_opens_its_own_keys_only(store_url, open_store, keyring):
    gateway = open_store(store_url, keyring=Keyring(packages=keyring.packages))
    assert keys.store_key(gateway, "device")
    for name in ("hash", "fingerprint", "token"):
        with pytest.raises(CryptoError, match="'members'"):
            keys.store_key(gateway, name)
    with pytest.raises(CryptoError, match="'members'"):
        keys.authentication_token(gateway, "s")


def test_a_missing_store_key_names_the_fix(store):
    with store.begin() as conn:
        conn.execute(delete(store_keys))
    with pytest.raises(CryptoError, match="passflow init"):
        keys.store_key(store, "hash")


def test_store_keys_are_made_once_by_many(store):
    with store.begin() as conn:
        conn.execute(delete(store_keys))
    threads = [threading.Thread(target=keys.create_store_keys, args=(store,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        assert len(conn.execute(select(store_keys)).all()) == len(keys.STORE_KEYS)
    assert keys.store_key(store, "hash")


def test_a_store_with_passes_never_gets_a_second_hash_key(store):
    plant_pass(store, "M-1")
    with store.begin() as conn:
        conn.execute(delete(store_keys).where(store_keys.c.name == "hash"))
    with pytest.raises(CryptoError, match="Restore the table"):
        keys.create_store_keys(store)
    with store.read() as conn:
        assert conn.execute(select(passes)).one()
        assert conn.execute(select(store_keys).where(store_keys.c.name == "hash")).first() is None


def test_the_gateways_missing_keys_are_made_when_the_role_comes(store_url, open_store, keyring):
    members_only = open_store(store_url, keyring=Keyring(members=keyring.members))
    with members_only.begin() as conn:
        conn.execute(delete(store_keys))
    keys.create_store_keys(members_only)
    with pytest.raises(CryptoError, match="'packages'"):
        keys.store_key(members_only, "device")
    whole = open_store(store_url)
    keys.create_store_keys(whole)
    assert keys.store_key(whole, "device") != keys.store_key(whole, "hash")


def test_a_store_key_moved_to_another_name_does_not_open(store):
    with store.begin() as conn:
        moved = select(store_keys.c.wrapped_sealed).where(store_keys.c.name == "hash").scalar_subquery()
        conn.execute(update(store_keys).where(store_keys.c.name == "token").values(wrapped_sealed=moved))
    with pytest.raises(CryptoError, match="does not open"):
        keys.store_key(store, "token")


def test_member_keys_are_loaded_in_bulk_and_only_those_there_are(store):
    ids = [number.to_bytes(16) for number in range(2500)]
    made, rows = keys.new_keys(store.keyring, "gold", ids)
    with store.begin() as conn:
        conn.execute(insert(member_keys), rows)
    with store.read() as conn:
        found = keys.load_keys(store, conn, "gold", [*ids, b"unknown member 16"[:16]])
        assert keys.load_keys(store, conn, "silver", ids) == {}
        assert keys.load_keys(store, conn, "gold", []) == {}
    assert {id_hash: key.raw for id_hash, key in found.items()} == {id_hash: key.raw for id_hash, key in made.items()}
    assert len({key.raw for key in made.values()}) == 2500


def test_a_member_key_copied_to_another_member_does_not_open(store):
    _, rows = keys.new_keys(store.keyring, "gold", [b"a" * 16])
    with store.begin() as conn:
        conn.execute(insert(member_keys), [{**rows[0], "id_hash": b"b" * 16}])
    with pytest.raises(CryptoError, match="member_keys"), store.read() as conn:
        keys.load_keys(store, conn, "gold", [b"b" * 16])


def test_package_keys_are_bound_to_program_serial_and_wallet():
    ring = Keyring(packages=(MasterKey(),))
    key, wrapped = keys.new_package_key(ring, "gold", "s1", "apple")
    assert keys.open_package_key(ring, "gold", "s1", "apple", wrapped).raw == key.raw
    for place in (
        ("silver", "s1", "apple"),
        ("gold", "s2", "apple"),
        ("gold", "s1", "google"),
        ("gold", "s1a", "pple"),
    ):
        with pytest.raises(CryptoError):
            keys.open_package_key(ring, *place, wrapped)


def test_plan_keys_are_bound_to_their_plan():
    ring = Keyring(members=(MasterKey(),))
    key, wrapped = keys.new_plan_key(ring, "gold", "plan-1")
    assert keys.open_plan_key(ring, "gold", "plan-1", wrapped).raw == key.raw
    with pytest.raises(CryptoError):
        keys.open_plan_key(ring, "gold", "plan-2", wrapped)
    with pytest.raises(CryptoError, match="which this process does not hold"):
        keys.open_plan_key(ring, "gold", "plan-1", Wrapped("0" * 16, wrapped.sealed))


def test_an_authentication_token_is_an_hmac_of_its_serial(store):
    token = keys.authentication_token(store, "serial-1")
    # RFC 2104 by Python's hmac, RFC 4648 §5 without padding
    expected = hmac.new(keys.store_key(store, "token"), b"serial-1", hashlib.sha256).digest()
    assert token == base64.urlsafe_b64encode(expected).decode().rstrip("=")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token == keys.authentication_token(store, "serial-1") != keys.authentication_token(store, "serial-2")


def test_a_token_hash_is_sha256_and_takes_any_text():
    assert keys.token_hash("abc") == hashlib.sha256(b"abc").digest()
    assert len(keys.token_hash("\ud800")) == 32  # a hostile header may decode to anything
