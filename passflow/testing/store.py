"""The contract of a store, and passes planted in one without going through a plan.

Run it against your own database by inheriting it with a fixture ``store``::

    class TestOurDatabase(StoreContract):
        @pytest.fixture
        def store(self):
            store = Store.open("postgresql://…", keyring=…)
            upgrade(store)
            yield store
            store.dispose()
"""

# ruff: noqa: S101, S105, S106 - assertions are what a contract is made of; its tokens are nobody's
from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Final

import pytest
from sqlalchemy import func, insert, select, update

from passflow.errors import CryptoError, LeaseHeld, LeaseLost
from passflow.model import HASH_BYTES, EventKind, Origin, Status
from passflow.security.encryption import Slot
from passflow.security.keyring import Wrapped
from passflow.store.devices import register, unregister, updatable
from passflow.store.engine import Store
from passflow.store.events import add_event
from passflow.store.keys import (
    authentication_token,
    load_keys,
    new_keys,
    new_package_key,
    open_package_key,
    package_row,
    store_key,
    token_hash,
)
from passflow.store.leases import acquire, release
from passflow.store.publish import next_modified, publish
from passflow.store.tables import (
    counters,
    events,
    member_keys,
    pass_records,
    passes,
    registrations,
    wallet_states,
)

PASS_TYPE: Final = "pass.com.example.passflow"
"""The pass type of planted passes."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A pass that a test put into a store.

    Attributes:
        program: the program.
        external_id: whose pass.
        id_hash: its keyed hash.
        serial: serial number.
    """

    program: str
    external_id: str
    id_hash: bytes
    serial: str


def plant_pass(
    store: Store, external_id: str, *, program: str = "gold", record: bytes = b"{}", content: bytes = b"{}"
) -> Planted:
    """Issues an active pass with a sealed record and an Apple wallet state that was never published.

    Args:
        store: a migrated store.
        external_id: the member.
        program: the program.
        record: what ``pass_records`` holds of the member, before sealing.
        content: what ``wallet_states`` holds as pass.json, before sealing.
    """
    from passflow.sync.fingerprint import id_hash

    planted = Planted(
        program, external_id, id_hash(external_id, store_key(store, "hash"), program), secrets.token_urlsafe(20)
    )
    keys, rows = new_keys(store.keyring, program, [planted.id_hash])
    package_key, wrapped = new_package_key(store.keyring, program, planted.serial, "apple")
    own = {"program": program, "id_hash": planted.id_hash}
    sealed = Slot("pass_records", "record_sealed", program).seal(keys[planted.id_hash], planted.id_hash, record)
    body = Slot("wallet_states", "content_sealed", program).seal(
        package_key, package_row(planted.serial, "apple"), content
    )
    with store.begin() as conn:
        now = store.now(conn)
        conn.execute(insert(member_keys), rows)
        conn.execute(
            insert(passes).values(
                **own,
                serial=planted.serial,
                fingerprint=secrets.token_bytes(HASH_BYTES),
                content_hash=secrets.token_bytes(HASH_BYTES),
                template_revision="t1",
                status=Status.ACTIVE.value,
                origin=Origin.SOURCE.value,
                adopted=True,
                revision=1,
                observed_at=now,
                operation_id=secrets.token_bytes(HASH_BYTES),
                created_at=now,
                updated_at=now,
            )
        )
        conn.execute(insert(pass_records).values(**own, record_sealed=sealed))
        conn.execute(
            insert(wallet_states).values(
                **own,
                serial=planted.serial,
                wallet="apple",
                target_revision=1,
                behind=True,
                pass_type=PASS_TYPE,
                token_hash=token_hash(authentication_token(store, planted.serial)),
                key_master_id=wrapped.master_id,
                key_sealed=wrapped.sealed,
                content_sealed=body,
            )
        )
    return planted


def plant_publication(store: Store, *planted: Planted) -> int:
    """Publishes passes as a wallet does after signing them, in one transaction; returns the published number."""
    with store.begin() as conn:
        now = store.now(conn)
        number = publish(conn)
        for one in planted:
            mine = (wallet_states.c.serial == one.serial, wallet_states.c.wallet == "apple")
            before = conn.execute(select(wallet_states.c.last_modified).where(*mine)).scalar_one()
            shown = {"published": number, "last_modified": next_modified(before, now), "behind": False}
            conn.execute(update(wallet_states).where(*mine).values(**shown, revision=wallet_states.c.target_revision))
    return number


class StoreContract:
    """What passflow relies on in a store; inherit it and provide a fixture ``store`` (migrated, empty)."""

    def test_a_failed_transaction_leaves_nothing(self, store: Store) -> None:
        """Everything of a transaction is undone when its block raises."""
        with pytest.raises(RuntimeError), store.begin() as conn:
            publish(conn)
            raise RuntimeError("crash")
        with store.read() as conn:
            assert conn.execute(select(counters.c.value).where(counters.c.name == "published")).first() is None

    def test_a_read_sees_one_state(self, store: Store) -> None:
        """What is committed during a read stays unseen until the next one."""
        count = select(func.count()).select_from(passes)
        with store.read() as conn:
            assert conn.execute(count).scalar_one() == 0
            plant_pass(store, "M-1")
            assert conn.execute(count).scalar_one() == 0
        with store.read() as conn:
            assert conn.execute(count).scalar_one() == 1

    def test_numbers_rise_in_commit_order_without_gaps_left_by_failures(self, store: Store) -> None:
        """A number taken by a transaction that failed is taken again."""
        with store.begin() as conn:
            first = publish(conn)
        with pytest.raises(RuntimeError), store.begin() as conn:
            publish(conn)
            raise RuntimeError("crash")
        with store.begin() as conn:
            assert publish(conn) == first + 1

    def test_a_lease_excludes_what_overlaps_and_fences_what_is_late(self, store: Store) -> None:
        """One holder per range; a released or lost lease writes nothing."""
        lease = acquire(store, "gold", low=0, high=64, holder="a")
        with pytest.raises(LeaseHeld):
            acquire(store, "gold", low=63, high=65, holder="b")
        other = acquire(store, "gold", low=64, high=128, holder="b")
        assert other.token > lease.token
        release(store, lease)
        with pytest.raises(LeaseLost), store.begin(lease) as conn:
            publish(conn)
        assert acquire(store, "gold", low=0, high=64, holder="c").token > other.token

    def test_member_and_package_keys_come_back_bound_to_their_rows(self, store: Store) -> None:
        """A wrapped key opens for its own row and for no other."""
        planted = plant_pass(store, "M-1", record=b'{"name":"Ada"}')
        with store.read() as conn:
            key = load_keys(store, conn, "gold", [planted.id_hash])[planted.id_hash]
            sealed = conn.execute(select(pass_records.c.record_sealed)).scalar_one()
            row = conn.execute(select(wallet_states)).one()
        slot = Slot("pass_records", "record_sealed", "gold")
        assert slot.open(key, planted.id_hash, sealed) == b'{"name":"Ada"}'
        with pytest.raises(CryptoError):
            slot.open(key, bytes(HASH_BYTES), sealed)
        wrapped = Wrapped(row.key_master_id, row.key_sealed)
        assert open_package_key(store.keyring, "gold", row.serial, "apple", wrapped)
        with pytest.raises(CryptoError):
            open_package_key(store.keyring, "gold", "another", "apple", wrapped)

    def test_events_of_a_pass_are_numbered_without_gaps(self, store: Store) -> None:
        """Numbers count from one, and an event undone gives its number back."""
        serial = plant_pass(store, "M-1").serial
        for expected in (1, 2):
            with store.begin() as conn:
                event = add_event(conn, serial=serial, kind=EventKind.VIEWED, occurred_at=1, now=1)
                assert event.number == expected
        with pytest.raises(RuntimeError), store.begin() as conn:
            add_event(conn, serial=serial, kind=EventKind.VIEWED, occurred_at=1, now=1)
            raise RuntimeError("crash")
        with store.begin() as conn:
            assert add_event(conn, serial=serial, kind=EventKind.VIEWED, occurred_at=1, now=1).number == 3

    def test_a_device_is_told_of_what_was_published_since_its_tag(self, store: Store) -> None:
        """Register, list, list again, unregister: one installed and one uninstalled event."""
        planted = plant_pass(store, "M-1")
        enter = partial(register, store, device_id="d1", pass_type=PASS_TYPE, serial=planted.serial)
        leave = partial(unregister, store, device_id="d1", pass_type=PASS_TYPE, serial=planted.serial)
        plant_publication(store, planted)
        with store.begin() as conn:
            assert enter(conn, push_token="p1").new
            assert not enter(conn, push_token="p2").new
        with store.read() as conn:
            first = updatable(store, conn, device_id="d1", pass_type=PASS_TYPE, since=None)
            assert first.serials == (planted.serial,)
            assert updatable(store, conn, device_id="d1", pass_type=PASS_TYPE, since=first.tag).serials == ()
        plant_publication(store, planted)
        with store.begin() as conn:
            again = updatable(store, conn, device_id="d1", pass_type=PASS_TYPE, since=first.tag)
            assert again.serials == (planted.serial,) and int(again.tag) > int(first.tag)
            assert leave(conn) and not leave(conn)
        with store.read() as conn:
            kinds = conn.execute(select(events.c.kind).order_by(events.c.number)).scalars().all()
            assert kinds == ["installed", "uninstalled"]
            assert conn.execute(select(func.count()).select_from(registrations)).scalar_one() == 0
