from __future__ import annotations

import hashlib
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from passflow.errors import StoreError
from passflow.model import EventKind
from passflow.store.events import add_event, event_id
from passflow.store.tables import deliveries, events, passes
from passflow.testing.store import plant_pass


def test_an_event_and_its_deliveries_are_written_together(store):
    planted = plant_pass(store, "M-1")
    asked = []

    def subscribers(program, kind):
        asked.append((program, kind))
        return ["klaviyo", "braze"]

    with store.begin() as conn:
        made = add_event(
            conn,
            serial=planted.serial,
            kind=EventKind.REDEEMED,
            occurred_at=5,
            now=7,
            wallet="apple",
            data={"till": 3},
            subscribers=subscribers,
        )
    assert asked == [("gold", EventKind.REDEEMED)]
    with store.read() as conn:
        event = conn.execute(select(events)).one()
        due = conn.execute(select(deliveries).order_by(deliveries.c.crm)).all()
    assert event.event_id == made.event_id == event_id(planted.serial, 1)
    assert (event.id_hash, event.occurred_at, event.revision, event.wallet) == (planted.id_hash, 5, 1, "apple")
    assert json.loads(event.data) == {"till": 3}
    assert [(row.crm, row.state, row.due_at, row.number, row.event_id) for row in due] == [
        (crm, "due", 7, 1, made.event_id) for crm in ("braze", "klaviyo")
    ]


def test_an_event_without_a_pass_is_refused(store):
    with pytest.raises(StoreError, match="no pass") as raised, store.begin() as conn:
        add_event(conn, serial="x" * 500, kind=EventKind.VIEWED, occurred_at=1, now=1)
    assert raised.value.error_code == "pass.unknown" and len(str(raised.value)) < 300


def test_events_written_at_once_get_each_their_number(store):
    planted = plant_pass(store, "M-1")

    def write():
        for _ in range(10):
            with store.begin() as conn:
                add_event(conn, serial=planted.serial, kind=EventKind.VIEWED, occurred_at=1, now=1)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as conn:
        assert list(conn.execute(select(events.c.number).order_by(events.c.number)).scalars()) == list(range(1, 41))
        assert conn.execute(select(passes.c.event_number)).scalar_one() == 40


@given(st.lists(st.tuples(st.text(max_size=20), st.integers(0, 2**63 - 1)), unique=True, max_size=50))
def test_ids_are_sixteen_bytes_and_differ(causes):
    causes = [(serial.replace("\0", "").encode("utf-8", "replace").decode(), number) for serial, number in causes]
    ids = {event_id(serial, number) for serial, number in causes}
    assert len(ids) == len(set(causes)) and all(len(identity) == 16 for identity in ids)


def test_ids_never_change_between_versions():
    # CRMs have seen them: blake2b, 16 bytes, person b"passflow event", of the serial, a NUL and the decimal number
    assert event_id("serial", 1) == hashlib.blake2b(b"serial\x001", digest_size=16, person=b"passflow event").digest()
    assert event_id("serial", 1).hex() == "0c076cddd7806960100a5618fb825dcb"
