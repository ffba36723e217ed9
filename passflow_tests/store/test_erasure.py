from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import make_url

from passflow.errors import CryptoError, StoreError
from passflow.model import EventKind
from passflow.security.encryption import DataKey, Slot
from passflow.security.keyring import Keyring
from passflow.store.audit import read_entries
from passflow.store.devices import register, updatable
from passflow.store.erasure import erase, readmit, scrub, settle
from passflow.store.events import add_event
from passflow.store.keys import load_keys
from passflow.store.receipts import complete_step, read_receipt
from passflow.store.tables import (
    deliveries,
    erasures,
    events,
    inbox,
    member_keys,
    metadata,
    operations,
    pass_records,
    passes,
    registrations,
    rejected_members,
    wallet_states,
)
from passflow.testing.store import PASS_TYPE, plant_pass, plant_publication

PERSON = "ada.lovelace@example.com"
SEALED = {name: f"<<{name} sealed of ada>>".encode() * 9 for name in ("operation", "pending", "rejected", "inbox")}


@pytest.fixture
def member(store):
    """A member with everything a store may hold of one: pass, key, operations, refused row, message, device, events."""
    planted = plant_pass(store, PERSON, record=PERSON.encode() * 40, content=PERSON.encode() * 40)
    own = {"program": "gold", "id_hash": planted.id_hash}
    op = {**own, "op_id": b"o", "kind": "update", "base_revision": 1, "fingerprint": b"f", "status": "active"}
    with store.begin() as conn:
        conn.execute(
            insert(operations).values(**op, plan_id="p1", record_sealed=SEALED["operation"], outcome="applied")
        )
        conn.execute(insert(operations).values(**op, plan_id="p2", record_sealed=SEALED["pending"], outcome="pending"))
        refused = {"plan_id": "p1", "row": 7, "code": "date.unreadable", "record_sealed": SEALED["rejected"]}
        conn.execute(insert(rejected_members).values(**own, **refused))
        message = {"sender": "shop", "message_id": "m1", "received_at": 1, "body_sealed": SEALED["inbox"]}
        conn.execute(insert(inbox).values(**own, **message))
        add_event(
            conn, serial=planted.serial, kind=EventKind.CREATED, occurred_at=1, now=1, subscribers=lambda *_: ["a", "b"]
        )
        conn.execute(update(deliveries).where(deliveries.c.crm == "a").values(state="delivered"))
    plant_publication(store, planted)
    with store.begin() as conn:
        register(store, conn, device_id="d1", push_token="t1", pass_type=PASS_TYPE, serial=planted.serial)
    return planted


def rows(store, table):
    with store.read() as conn:
        return [dict(row) for row in conn.execute(select(table)).mappings()]


def find(store, table, **values):
    return [row for row in rows(store, table) if values.items() <= row.items()]


def test_nothing_of_the_member_is_left_but_the_tombstone(store, member):
    other = plant_pass(store, "M-2", record=b"kept")
    receipt = erase(store, "gold", PERSON, actor="ops")
    for table in (member_keys, pass_records, rejected_members):
        assert find(store, table, id_hash=member.id_hash) == []
    left = {
        table.name
        for table in metadata.sorted_tables
        if "id_hash" in table.c and find(store, table, id_hash=member.id_hash)
    }
    assert left == {"erasures", "operations", "inbox"}  # keyed hashes without anything sealed
    assert {row["record_sealed"] for row in rows(store, operations)} == {None}
    assert {row["body_sealed"] for row in rows(store, inbox)} == {b""}
    with store.read() as conn:
        assert load_keys(store, conn, "gold", [member.id_hash]) == {}
        key = load_keys(store, conn, "gold", [other.id_hash])[other.id_hash]
        sealed = conn.execute(select(pass_records.c.record_sealed)).scalar_one()
    assert Slot("pass_records", "record_sealed", "gold").open(key, other.id_hash, sealed) == b"kept"
    assert receipt.serial == member.serial and receipt.steps["store"] == receipt.requested_at


def test_the_pass_is_cut_loose_and_waits_to_be_shown_blank(store, member):
    before = find(store, wallet_states, serial=member.serial)[0]
    erase(store, "gold", PERSON, actor="ops")
    (issued,) = find(store, passes, serial=member.serial)
    (state,) = find(store, wallet_states, serial=member.serial)
    assert (issued["status"], issued["revision"], issued["due_at"]) == ("deleted", 2, None)
    assert issued["fingerprint"] == issued["content_hash"] == bytes(16)
    assert issued["id_hash"] == state["id_hash"] != member.id_hash
    assert state["behind"] and state["target_revision"] == 2 and state["revision"] == 1
    assert all(state[name] is None for name in ("content_sealed", "personal_sealed", "key_sealed", "signature"))
    # what the device needs to fetch the blank pass stays: token, tag and time go on from where they were
    for name in ("token_hash", "published", "last_modified", "pass_type", "installation"):
        assert state[name] == before[name] is not None
    assert len(rows(store, registrations)) == 1


def test_the_device_is_led_to_the_blank_pass(store, member):
    with store.read() as conn:
        tag = updatable(store, conn, device_id="d1", pass_type=PASS_TYPE, since=None).tag
    erase(store, "gold", PERSON, actor="ops")
    plant_publication(store, member)
    with store.read() as conn:
        assert updatable(store, conn, device_id="d1", pass_type=PASS_TYPE, since=tag).serials == (member.serial,)


def test_no_byte_of_it_stays_in_the_files_of_sqlite(sqlite_url, open_store):
    store = open_store(sqlite_url)
    planted = plant_pass(store, PERSON, record=PERSON.encode() * 400, content=PERSON.encode() * 4000)
    for number in range(50):
        plant_pass(store, f"M-{number}", record=b"x" * 700)
    with store.read() as conn:
        own = [
            conn.execute(select(column).where(table.c.id_hash == planted.id_hash)).scalar_one()
            for table, column in (
                (member_keys, member_keys.c.wrapped_sealed),
                (pass_records, pass_records.c.record_sealed),
                (wallet_states, wallet_states.c.content_sealed),
                (wallet_states, wallet_states.c.key_sealed),
            )
        ]
    pieces = [value[start : start + 24] for value in own for start in range(0, len(value) - 24, 200)] + [own[0], own[3]]
    pieces = [piece for piece in pieces if any(piece in data for data in _files(store))]  # not those split by a page
    assert len(pieces) > 400 and own[0] in pieces and own[3] in pieces
    size = len(b"".join(_files(store)))
    receipt = erase(store, "gold", PERSON, actor="ops")
    assert receipt.steps["files"] is not None
    assert [piece for piece in pieces if any(piece in data for data in _files(store))] == []
    assert PERSON.encode() not in b"".join(_files(store)) and len(b"".join(_files(store))) < size


def _files(store):
    path = Path(str(make_url(store.engine.url).database))
    return [file.read_bytes() for file in path.parent.glob(path.name + "*") if not file.name.endswith("-shm")]


def test_a_reader_that_keeps_the_log_open_only_delays_that_step(sqlite_url, open_store):
    store = open_store(sqlite_url, busy_timeout=0.1)
    plant_pass(store, PERSON)
    with store.read() as reading:
        reading.execute(text("SELECT count(*) FROM passes")).scalar_one()
        receipt = erase(store, "gold", PERSON, actor="ops")
        assert receipt.steps["store"] and receipt.steps["files"] is None
    assert scrub(store)
    (still,) = settle(store)
    assert still.steps["files"] is not None and still.steps["wallets"] is None


def test_what_was_planned_told_or_taken_in_ends_with_a_code(store, member):
    erase(store, "gold", PERSON, actor="ops")
    outcomes = {row["plan_id"]: (row["outcome"], row["code"]) for row in rows(store, operations)}
    assert outcomes == {"p1": ("applied", None), "p2": ("refused", "member.erased")}
    (message,) = rows(store, inbox)
    assert message["handled_at"] and message["code"] == "member.erased"
    states = {row["crm"]: (row["state"], row["code"]) for row in rows(store, deliveries)}
    assert states == {"a": ("delivered", None), "b": ("dead", "member.erased")}
    told = sorted(rows(store, events), key=lambda row: row["number"])
    assert [row["kind"] for row in told] == ["created", "installed", "deleted"]
    assert len({row["id_hash"] for row in told}) == 1 and told[0]["id_hash"] != member.id_hash


def test_erasing_again_changes_nothing_and_gives_the_same_receipt(store, member):
    first = erase(store, "gold", PERSON, actor="ops", remote=["klaviyo"])
    before = {table.name: sorted(map(repr, rows(store, table))) for table in metadata.sorted_tables}
    assert erase(store, "gold", PERSON, actor="ops", remote=["klaviyo"]) == first
    assert {table.name: sorted(map(repr, rows(store, table))) for table in metadata.sorted_tables} == before


def test_what_a_running_plan_wrote_after_the_erasure_goes_with_the_next_one(store, member):
    erase(store, "gold", PERSON, actor="ops")
    late = {"plan_id": "p3", "op_id": b"o", "program": "gold", "id_hash": member.id_hash, "kind": "create"}
    with store.begin() as conn:
        late |= {"base_revision": 0, "fingerprint": b"f", "status": "active", "record_sealed": b"late"}
        conn.execute(insert(operations).values(**late))
    erase(store, "gold", PERSON, actor="ops")
    (row,) = find(store, operations, plan_id="p3")
    assert (row["record_sealed"], row["outcome"]) == (None, "refused")


def test_a_member_without_a_pass_gets_a_tombstone_too(store):
    receipt = erase(store, "gold", "never-seen", actor="ops")
    assert receipt.serial is None and receipt.completed_at is not None
    assert len(rows(store, erasures)) == 1 and settle(store) == []


def test_the_receipt_counts_the_steps_and_names_nobody(store, member):
    receipt = erase(store, "gold", PERSON, actor="ops", remote=["klaviyo", "google"])
    assert {name for name, done in receipt.steps.items() if done is None} == {"wallets", "klaviyo", "google"}
    assert receipt.deadline_at - receipt.requested_at == 30 * 86_400_000_000
    assert [one.receipt_id for one in settle(store)] == [receipt.receipt_id]
    complete_step(store, receipt.receipt_id, "klaviyo")
    plant_publication(store, member)  # the wallet has caught up
    assert settle(store)[0].steps["wallets"] is not None
    done = complete_step(store, receipt.receipt_id, "google")
    assert done.completed_at is not None and settle(store) == []
    assert complete_step(store, receipt.receipt_id, "google") == done
    shown = "\n".join(done.lines())
    assert receipt.receipt_id in shown and "klaviyo: done" in shown and "not completed" not in shown
    assert PERSON not in shown and member.id_hash.hex() not in shown


def test_unknown_receipts_and_steps_are_named(store):
    with pytest.raises(StoreError, match="no receipt"):
        read_receipt(store, "erasure-0")
    with pytest.raises(StoreError, match="no receipt"):
        complete_step(store, "erasure-0", "files")
    receipt = erase(store, "gold", "x", actor="ops")
    with pytest.raises(StoreError, match="no step 'braze'") as raised:
        complete_step(store, receipt.receipt_id, "braze")
    assert "store, files, wallets" in raised.value.fix


def test_the_audit_says_what_was_done_but_not_to_whom(store, member):
    receipt = erase(store, "gold", PERSON, actor="dpo")
    readmit(store, "gold", PERSON, actor="dpo")
    with store.read() as conn:
        entries = read_entries(conn)
    assert [(one.action, one.subject) for one in entries] == [
        ("member.readmitted", receipt.receipt_id),
        ("member.erased", receipt.receipt_id),
    ]
    assert PERSON not in repr(entries)


def test_a_readmitted_member_gets_a_new_serial_and_the_receipt_stays(store, member):
    receipt = erase(store, "gold", PERSON, actor="ops")
    assert readmit(store, "gold", PERSON, actor="ops")
    assert not readmit(store, "gold", PERSON, actor="ops")
    again = plant_pass(store, PERSON)
    assert again.id_hash == member.id_hash and again.serial != member.serial
    assert len(rows(store, passes)) == 2
    assert read_receipt(store, receipt.receipt_id).serial == member.serial
    second = erase(store, "gold", PERSON, actor="ops")
    assert second.receipt_id != receipt.receipt_id and len(rows(store, erasures)) == 2


def test_another_program_and_another_spelling_are_other_members(store, member):
    silver = plant_pass(store, PERSON, program="silver")
    erase(store, "gold", PERSON.upper(), actor="ops")
    assert find(store, passes, serial=member.serial)[0]["status"] == "active"
    erase(store, "gold", f" {PERSON} ", actor="ops")  # trimmed, as every external id is
    assert find(store, passes, serial=member.serial)[0]["status"] == "deleted"
    assert find(store, passes, serial=silver.serial)[0]["status"] == "active"


def test_a_crash_before_the_commit_erases_nothing(store, member, monkeypatch):
    from passflow.store import erasure

    before = {table.name: sorted(map(repr, rows(store, table))) for table in metadata.sorted_tables}

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(erasure, "destroy", die)
    with pytest.raises(KeyboardInterrupt):
        erase(store, "gold", PERSON, actor="ops")
    assert {table.name: sorted(map(repr, rows(store, table))) for table in metadata.sorted_tables} == before


def test_the_gateway_cannot_erase(store_url, open_store, keyring, store, member):
    with pytest.raises(CryptoError, match="'members'"):
        erase(open_store(store_url, keyring=Keyring(packages=keyring.packages)), "gold", PERSON, actor="gateway")


def test_the_destroyed_key_was_the_only_way_in(store, member):
    (record,) = rows(store, pass_records)
    erase(store, "gold", PERSON, actor="ops")
    # a backup of the ciphertext is worth nothing: neither a new key nor the master keys open it
    slot = Slot("pass_records", "record_sealed", "gold")
    masters = [key.key for key in (*store.keyring.members, *store.keyring.packages)]
    for key in (DataKey(), *masters):
        with pytest.raises(CryptoError):
            slot.open(key, member.id_hash, record["record_sealed"])
