from __future__ import annotations

import pytest
from pydantic import ValidationError
from sqlalchemy import func, insert, select

from passflow.model import EventKind
from passflow.store import retention
from passflow.store.audit import add_entry
from passflow.store.events import add_event
from passflow.store.retention import Retention, purge
from passflow.store.tables import (
    approvals,
    audit,
    deliveries,
    events,
    inbox,
    metadata,
    nonces,
    operations,
    pass_records,
    passes,
    plans,
    programs,
    rejected_members,
)
from passflow.testing.store import plant_pass

DAY = 86_400_000_000


class Clock:
    offset = 0

    def __call__(self):
        return self.offset


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(store_url, open_store, clock):
    return open_store(store_url, clock=clock)


def count(store, table):
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def fill(store, plan_id, status, ended=True):
    with store.begin() as conn:
        now = store.now(conn)
        if status:
            row = {"plan_id": plan_id, "program": "gold", "status": status, "observed_at": now, "created_at": now}
            conn.execute(insert(plans).values(**row, template_revision="t"))
        op = {"plan_id": plan_id, "op_id": b"o", "program": "gold", "kind": "update", "base_revision": 1}
        op |= {"fingerprint": b"f", "status": "active", "record_sealed": b"sealed"}
        op |= {"outcome": "applied", "ended_at": now} if ended else {"outcome": "pending", "ended_at": None}
        conn.execute(insert(operations), [{**op, "id_hash": n.to_bytes(16)} for n in range(3)])
        conn.execute(
            insert(rejected_members).values(plan_id=plan_id, row=1, program="gold", code="c", record_sealed=b"r")
        )
        approval = {"kind": "delete", "count": 1, "ops_hash": "h", "approved_by": "ada", "approved_at": now}
        conn.execute(insert(approvals).values(plan_id=plan_id, **approval))


def test_closed_plans_fade_in_steps_and_open_ones_stay(store, clock):
    fill(store, "old", "applied")
    fill(store, "stale", "superseded", ended=False)
    fill(store, "open", "ready", ended=False)
    fill(store, "single", None)
    assert purge(store) == {}
    clock.offset = 15 * DAY
    assert purge(store) == {"operations.record_sealed": 9}
    clock.offset = 31 * DAY
    assert purge(store) == {"rejected_members": 2}
    clock.offset = 91 * DAY
    assert purge(store) == {"operations": 9}
    clock.offset = 731 * DAY
    assert purge(store) == {"plans": 2}
    with store.read() as conn:
        assert list(conn.execute(select(plans.c.plan_id)).scalars()) == ["open"]
        assert set(conn.execute(select(operations.c.plan_id)).scalars()) == {"open"}
        assert conn.execute(select(operations.c.record_sealed)).first()[0] == b"sealed"
        assert set(conn.execute(select(approvals.c.plan_id)).scalars()) == {"open", "single"}
    clock.offset = 5000 * DAY
    assert purge(store) == {}


def test_events_go_when_all_their_deliveries_have_ended(store, clock):
    serial = plant_pass(store, "M-1").serial
    with store.begin() as conn:
        conn.execute(insert(programs).values(program="gold", created_at=0))
        now = store.now(conn)
        for crms in ([], ["a", "b"], ["a"]):
            add_event(
                conn,
                serial=serial,
                kind=EventKind.VIEWED,
                occurred_at=now,
                now=now,
                subscribers=lambda *_, crms=crms: crms,
            )
        conn.execute(deliveries.update().where(deliveries.c.number == 2).values(state="delivered"))
        conn.execute(deliveries.update().where(deliveries.c.number == 3).values(state="retry"))
    clock.offset = 731 * DAY
    assert purge(store) == {"events": 2}
    with store.read() as conn:
        assert list(conn.execute(select(events.c.number)).scalars()) == [3]
        assert list(conn.execute(select(deliveries.c.number)).scalars()) == [3]
    with store.begin() as conn:
        conn.execute(deliveries.update().values(state="dead"))
    assert purge(store) == {"events": 1} and count(store, deliveries) == 0


def test_unhandled_messages_and_live_nonces_stay(store, clock):
    with store.begin() as conn:
        now = store.now(conn)
        common = {"sender": "shop", "body_sealed": b"x", "received_at": now}
        conn.execute(
            insert(inbox),
            [{**common, "message_id": "done", "handled_at": now}, {**common, "message_id": "new", "handled_at": None}],
        )
        conn.execute(
            insert(nonces), [{"scope": "s", "nonce_hash": bytes([n]), "expires_at": now + n * DAY} for n in (1, 9)]
        )
        add_entry(store, conn, actor="ada", action="something")
    clock.offset = 5 * DAY
    assert purge(store) == {"nonces": 1}
    assert purge(store, Retention(inbox=4)) == {"inbox": 1}
    clock.offset = 1096 * DAY
    assert purge(store) == {"nonces": 1, "audit": 1}
    assert (count(store, inbox), count(store, audit)) == (1, 0)


def test_what_a_pass_needs_is_never_purged(store, clock):
    plant_pass(store, "M-1")
    before = {name: count(store, table) for name, table in metadata.tables.items()}
    clock.offset = 10_000 * DAY
    assert purge(store) == {}
    assert {name: count(store, table) for name, table in metadata.tables.items()} == before
    assert before["passes"] == count(store, passes) == count(store, pass_records) == 1


def test_many_rows_go_in_short_transactions(store, clock, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)
    serial = plant_pass(store, "M-1").serial
    with store.begin() as conn:
        conn.execute(insert(programs).values(program="gold", created_at=0))
        conn.execute(insert(nonces), [{"scope": "s", "nonce_hash": bytes([n]), "expires_at": 0} for n in range(95)])
        for _ in range(25):
            add_event(conn, serial=serial, kind=EventKind.VIEWED, occurred_at=0, now=0)
    assert purge(store) == {"nonces": 95, "events": 25}


@pytest.mark.parametrize("setting", [{"inbox": 3}, {"records": 0}, {"audit": 1}, {"passes": 1}])
def test_settings_that_would_break_a_promise_are_refused(setting):
    with pytest.raises(ValidationError):
        Retention(**setting)
