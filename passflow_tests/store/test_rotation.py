from __future__ import annotations

import pytest
from sqlalchemy import delete, func, insert, select, update

from passflow.errors import CryptoError
from passflow.security.keyring import Keyring, MasterKey, Wrapped
from passflow.store import rotation
from passflow.store.audit import read_entries
from passflow.store.keys import (
    STORE_KEYS,
    load_keys,
    new_keys,
    new_plan_key,
    open_package_key,
    open_plan_key,
    store_key,
)
from passflow.store.rotation import check_masters, read_uses, refuse_retiring, rotate
from passflow.store.tables import member_keys, plans, store_keys, wallet_states
from passflow.testing.store import plant_pass


@pytest.fixture
def filled(store):
    """A store with every kind of wrapped key: 5 passes, 30 more members, 2 plans (one without a key)."""
    planted = [plant_pass(store, f"M-{n}") for n in range(5)]
    _, more = new_keys(store.keyring, "gold", [n.to_bytes(16) for n in range(30)])
    key, wrapped = new_plan_key(store.keyring, "gold", "p1")
    common = {"program": "gold", "status": "applied", "observed_at": 0, "created_at": 0, "template_revision": "t"}
    with store.begin() as conn:
        conn.execute(insert(member_keys), more)
        conn.execute(
            insert(plans).values(plan_id="p1", key_sealed=wrapped.sealed, key_master_id=wrapped.master_id, **common)
        )
        conn.execute(insert(plans).values(plan_id="p2", **common))
        conn.execute(
            insert(wallet_states).values(
                serial="s", wallet="google", program="gold", id_hash=b"", target_revision=0, behind=False
            )
        )
    return planted, key.raw


@pytest.fixture
def renewed(store_url, open_store, keyring):
    """The same store, opened with a new master key per role in front of the old ones."""
    return open_store(store_url, keyring=Keyring((MasterKey(), *keyring.members), (MasterKey(), *keyring.packages)))


def raw_keys(store, planted):
    with store.read() as conn:
        members = load_keys(store, conn, "gold", [one.id_hash for one in planted])
        states = conn.execute(select(wallet_states).where(wallet_states.c.wallet == "apple")).all()
        plan = conn.execute(select(plans).where(plans.c.plan_id == "p1")).one()
    packages = {
        row.serial: open_package_key(
            store.keyring, "gold", row.serial, "apple", Wrapped(row.key_master_id, row.key_sealed)
        ).raw
        for row in states
    }
    plan_key = open_plan_key(store.keyring, "gold", "p1", Wrapped(plan.key_master_id, plan.key_sealed)).raw
    return {k: v.raw for k, v in members.items()}, packages, plan_key, {n: store_key(store, n) for n in STORE_KEYS}


def test_after_a_rotation_the_new_keys_alone_open_everything_as_before(store, store_url, open_store, filled, renewed):
    planted, plan_key = filled
    before = raw_keys(store, planted)
    assert before[2] == plan_key
    steps = []
    members = rotate(renewed, "members", actor="ops", progress=lambda *step: steps.append(step))
    packages = rotate(renewed, "packages", actor="ops")
    kept = {role: sum(r == role for r in STORE_KEYS.values()) for role in ("members", "packages")}
    assert (members, packages) == (35 + 1 + kept["members"], 5 + kept["packages"])
    assert steps[-1][1:] == (members, members) and {table for table, *_ in steps} == {
        "store_keys",
        "plans",
        "member_keys",
    }
    new_only = Keyring(renewed.keyring.members[:1], renewed.keyring.packages[:1])
    alone = open_store(store_url, keyring=new_only)
    check_masters(alone)
    assert raw_keys(alone, planted) == before
    with alone.read() as conn:
        assert [entry.details["rows"] for entry in read_entries(conn)] == [packages, members]


def test_rotating_again_does_nothing(filled, renewed):
    assert rotate(renewed, "members", actor="ops") > 0
    assert rotate(renewed, "members", actor="ops") == 0


def test_uses_are_counted_by_key_and_table(store, filled, renewed, keyring):
    uses = {(use.role, use.table): use for use in read_uses(renewed)}
    assert uses["members", "member_keys"].rows == 35 and uses["packages", "wallet_states"].rows == 5
    assert {use.master_id for use in uses.values()} == {*keyring.ids("members"), *keyring.ids("packages")}
    assert all(use.held and not use.newest for use in uses.values())
    assert all(use.newest for use in read_uses(store, "members")) and {
        use.role for use in read_uses(store, "members")
    } == {"members"}


def test_an_old_key_may_not_go_while_rows_need_it(filled, renewed, keyring):
    old = keyring.ids("members")[0]
    with pytest.raises(CryptoError, match="35 in member_keys") as raised:
        refuse_retiring(renewed, "members", old)
    assert raised.value.error_code == "crypto.master_in_use" and "keys rotate" in raised.value.fix
    rotate(renewed, "members", actor="ops")
    refuse_retiring(renewed, "members", old)
    with pytest.raises(CryptoError, match="still needed"):
        refuse_retiring(renewed, "members", renewed.keyring.ids("members")[0])


def test_the_wrapping_key_may_not_go_even_before_it_wraps_anything(store, open_store, store_url):
    with store.begin() as conn:
        conn.execute(delete(store_keys))
    with pytest.raises(CryptoError, match="wraps now"):
        refuse_retiring(store, "members", store.keyring.ids("members")[0])


def test_a_process_that_lacks_a_needed_key_is_told_at_the_start(filled, store_url, open_store, keyring):
    check_masters(open_store(store_url, keyring=Keyring(packages=keyring.packages)))
    with pytest.raises(CryptoError, match=keyring.ids("members")[0]) as raised:
        check_masters(open_store(store_url, keyring=Keyring((MasterKey(),), keyring.packages)))
    assert "PASSFLOW_MEMBERS_KEY" in raised.value.fix


def test_a_rotation_that_was_killed_goes_on_where_it_stopped(filled, store, renewed, monkeypatch):
    planted, _ = filled
    before = raw_keys(store, planted)
    monkeypatch.setattr(rotation, "BATCH", 4)
    calls = 0

    def die(*_):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(renewed, "members", actor="ops", progress=die)
    left = sum(use.rows for use in read_uses(renewed, "members") if not use.newest)
    assert 0 < left < 39
    assert raw_keys(renewed, planted) == before  # half and half opens too
    assert rotate(renewed, "members", actor="ops") == left
    assert raw_keys(renewed, planted) == before


def test_what_is_erased_or_sealed_anew_meanwhile_is_left_alone(filled, renewed, keyring, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 100)
    original = rotation._rewrap

    def race(store, conn, kept, batch):
        if kept.table is member_keys:
            conn.execute(delete(member_keys).where(member_keys.c.id_hash == (1).to_bytes(16)))
            conn.execute(
                update(member_keys).where(member_keys.c.id_hash == (2).to_bytes(16)).values(wrapped_sealed=b"new")
            )
        return original(store, conn, kept, batch)

    monkeypatch.setattr(rotation, "_rewrap", race)
    rotate(renewed, "members", actor="ops")
    with renewed.read() as conn:
        assert conn.execute(select(func.count()).select_from(member_keys)).scalar_one() == 34
        row = conn.execute(select(member_keys).where(member_keys.c.id_hash == (2).to_bytes(16))).one()
    assert (row.wrapped_sealed, row.master_id) == (b"new", keyring.ids("members")[0])


def test_without_the_role_or_the_old_key_nothing_is_rotated(filled, store_url, open_store, keyring):
    with pytest.raises(CryptoError, match="'members'"):
        rotate(open_store(store_url, keyring=Keyring(packages=keyring.packages)), "members", actor="ops")
    stranger = open_store(store_url, keyring=Keyring((MasterKey(),), keyring.packages))
    with pytest.raises(CryptoError, match="which this process does not hold"):
        rotate(stranger, "members", actor="ops")
    check_masters(open_store(store_url))
