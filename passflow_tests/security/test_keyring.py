from __future__ import annotations

import base64
import os
import pickle
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import CryptoError, SecretError
from passflow.security.encryption import Slot
from passflow.security.keyring import Keyring, MasterKey, Wrapped, parse_keys, refuse_shared, write_key_file
from passflow.security.secrets import SecretRef

SLOT = Slot("member_keys", "wrapped_sealed", "gold")
ROW = bytes(16)
KEY = os.urandom(32)


def test_a_key_wrapped_by_an_old_master_opens_while_the_new_one_wraps():
    old, new = MasterKey(), MasterKey()
    before = Keyring(members=(old,)).wrap("members", SLOT, ROW, KEY)
    ring = Keyring(members=(new, old))
    assert ring.unwrap("members", SLOT, ROW, before) == KEY
    assert ring.wrap("members", SLOT, ROW, KEY).master_id == new.key_id
    assert ring.ids("members") == (new.key_id, old.key_id)


def test_a_dropped_master_is_named_with_the_fix():
    old = MasterKey()
    wrapped = Keyring(members=(old,)).wrap("members", SLOT, ROW, KEY)
    with pytest.raises(CryptoError, match=old.key_id) as raised:
        Keyring(members=(MasterKey(),)).unwrap("members", SLOT, ROW, wrapped)
    assert "PASSFLOW_MEMBERS_KEY" in raised.value.fix and raised.value.error_code == "crypto.master_unknown"


def test_the_gateway_has_no_way_to_the_members():
    gateway = Keyring(packages=(MasterKey(),))
    assert gateway.holds("packages") and not gateway.holds("members")
    for action in (
        lambda: gateway.wrap("members", SLOT, ROW, KEY),
        lambda: gateway.unwrap("members", SLOT, ROW, Wrapped(gateway.ids("packages")[0], b"x" * 61)),
        lambda: gateway.newest("members"),
    ):
        with pytest.raises(CryptoError, match="no master key of the role 'members'"):
            action()


def test_a_wrapped_key_belongs_to_its_row():
    ring = Keyring(members=(MasterKey(),))
    wrapped = ring.wrap("members", SLOT, ROW, KEY)
    with pytest.raises(CryptoError, match="does not open"):
        ring.unwrap("members", SLOT, b"another row 16 b", wrapped)


def test_a_role_cannot_be_taken_for_the_other():
    key = MasterKey()
    with pytest.raises(CryptoError, match="share a key"):
        refuse_shared(Keyring((key,), (MasterKey(key.key.raw),)))
    refuse_shared(Keyring((MasterKey(),), (MasterKey(),)))
    refuse_shared(Keyring())


@given(
    st.lists(st.binary(min_size=32, max_size=32).filter(any), min_size=1, max_size=4, unique=True),
    st.sampled_from("\n, \t"),
)
def test_a_list_of_keys_is_read_in_order(raws, separator):
    text = separator.join(base64.b64encode(raw).decode() for raw in raws)
    assert [master.key.raw for master in parse_keys(f" {text}\n", "members")] == raws


def test_url_safe_base64_is_the_same_key():
    raw = b"\xfb\xff" * 16
    assert parse_keys(base64.urlsafe_b64encode(raw).decode(), "packages")[0].key.raw == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "not base64!",
        base64.b64encode(b"short").decode(),
        base64.b64encode(bytes(32)).decode(),
        "a" * 64,
        "é" * 44,
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text):
    with pytest.raises(CryptoError, match="PASSFLOW_PACKAGES_KEY") as raised:
        parse_keys(text, "packages")
    assert "openssl rand" in raised.value.fix
    assert not text.strip() or text not in str(raised.value)


def test_the_position_of_a_bad_key_is_named():
    good = MasterKey().text
    with pytest.raises(CryptoError, match="Key 2 in"):
        parse_keys(f"{good}\nbad", "members")
    with pytest.raises(CryptoError, match="twice"):
        parse_keys(f"{good},{good}", "members")


def test_the_id_is_eight_bytes_and_the_same_everywhere():
    # sha256("passflow master key id\0" + 32 bytes of 0x01), first eight bytes, as sha256sum gives it
    assert MasterKey(b"\x01" * 32).key_id == _sha256sum(b"passflow master key id\0" + b"\x01" * 32)[:16]


def _sha256sum(data: bytes) -> str:
    import subprocess

    done = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=data, capture_output=True, check=True)
    return done.stdout.split()[0].decode()


def test_keys_are_read_from_references(tmp_path, monkeypatch):
    write_key_file(tmp_path / "members.key")
    monkeypatch.setenv("PASSFLOW_TEST_PACKAGES", MasterKey().text)
    ring = Keyring.from_secrets(
        members=SecretRef(f"file:{tmp_path / 'members.key'}"), packages=SecretRef("env:PASSFLOW_TEST_PACKAGES")
    )
    assert ring.holds("members") and ring.holds("packages")
    assert not Keyring.from_secrets(packages=SecretRef("env:PASSFLOW_TEST_PACKAGES")).holds("members")
    with pytest.raises(SecretError):
        Keyring.from_secrets(members=SecretRef("env:PASSFLOW_TEST_UNSET"))


def test_a_key_file_is_private_and_never_overwritten(tmp_path):
    path = tmp_path / "members.key"
    master = write_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert parse_keys(path.read_text(), "members")[0].key_id == master.key_id
    with pytest.raises(FileExistsError):
        write_key_file(path)
    assert parse_keys(path.read_text(), "members")[0].key_id == master.key_id


def test_master_keys_show_their_id_only():
    master = MasterKey()
    ring = Keyring((master,))
    for shown in (repr(master), repr(ring), str(ring)):
        assert master.key_id in shown and master.text not in shown and master.key.raw.hex() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(ring)
