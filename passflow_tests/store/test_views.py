from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from passflow.model import EventKind
from passflow.store.devices import register
from passflow.store.events import add_event
from passflow.store.tables import metadata, operations, passes, plans
from passflow.store.views import VIEWS, describe_views
from passflow.testing.store import PASS_TYPE, plant_pass

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def query(store, statement):
    with store.read() as conn:
        return [dict(row) for row in conn.execute(text(statement)).mappings()]


def test_every_view_answers_with_its_columns(store):
    for view in VIEWS:
        with store.read() as conn:
            assert list(conn.execute(text(f"SELECT * FROM {view.name}")).keys()) == [c.name for c in view.columns]


def test_nothing_encrypted_or_secret_is_shown():
    shown = " ".join(f"{column.source or column.name}" for view in VIEWS for column in view.columns)
    hidden = {column.name for table in metadata.tables.values() for column in table.columns}
    hidden = {name for name in hidden if name.endswith("_sealed") or "token" in name}
    assert hidden and not {name for name in hidden if re.search(rf"\b{name}\b", shown)}


def test_a_pass_is_shown_with_hex_ids_and_iso_times(store):
    planted = plant_pass(store, "M-1")
    with store.begin() as conn:
        conn.execute(passes.update().values(due_at=1_700_000_000_000_007))
        register(store, conn, device_id="d", push_token="t", pass_type=PASS_TYPE, serial=planted.serial)
    (row,) = query(store, "SELECT * FROM v_passes")
    assert (row["id"], row["serial"], row["status"]) == (planted.id_hash.hex(), planted.serial, "active")
    assert row["due_at"] == "2023-11-14T22:13:20.000007Z"
    assert ISO.fullmatch(row["created_at"]) and (row["installed"], row["behind"]) == (1, 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 253_402_300_799_999_999))
def test_times_are_exact_to_the_microsecond(store, at):
    with store.begin() as conn:
        conn.execute(plans.delete())
        common = {"program": "gold", "status": "ready", "template_revision": "t"}
        conn.execute(insert(plans).values(plan_id="p", observed_at=at, created_at=0, **common))
    (row,) = query(store, "SELECT observed_at, ready_at FROM v_runs")
    expected = datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1_000_000:06d}Z"
    assert row == {"observed_at": expected.rjust(len("9999-12-31T23:59:59.999999Z"), "0"), "ready_at": None}


def test_runs_show_their_counts_and_a_plan_in_the_making_shows_none(store):
    counts = {"rows": 9, "creates": 1, "updates": 2, "deletes": 3, "unchanged": 4, "refused": 5}
    common = {"program": "gold", "observed_at": 0, "created_at": 0, "template_revision": "t"}
    with store.begin() as conn:
        done = {"plan_id": "a", "status": "ready", "summary": json.dumps({"counts": counts})}
        conn.execute(insert(plans), [common | done, common | {"plan_id": "b", "status": "building", "summary": "{}"}])
    made, making = query(store, f"SELECT {', '.join(counts)} FROM v_runs ORDER BY plan_id")
    assert made == counts and set(making.values()) == {0}


def test_operations_are_shown_with_their_end(store):
    row = {"plan_id": "p", "op_id": b"\xab" * 16, "program": "gold", "id_hash": b"\x01" * 16, "kind": "update"}
    row |= {"base_revision": 1, "fingerprint": b"f", "status": "active", "outcome": "stale", "code": "c", "ended_at": 0}
    with store.begin() as conn:
        conn.execute(insert(operations).values(**row))
    (shown,) = query(store, "SELECT operation_id, id, outcome, code, ended_at FROM v_operations")
    assert shown == {
        "operation_id": "ab" * 16,
        "id": "01" * 16,
        "outcome": "stale",
        "code": "c",
        "ended_at": "1970-01-01T00:00:00.000000Z",
    }


def test_engagement_counts_by_program_wallet_and_day(store):
    gold, silver = plant_pass(store, "M-1"), plant_pass(store, "M-1", program="silver")
    day = 86_400_000_000
    made = [
        (gold, EventKind.INSTALLED, "apple", 0),
        (gold, EventKind.INSTALLED, "apple", day - 1),
        (gold, EventKind.VIEWED, "apple", day - 1),
        (gold, EventKind.INSTALLED, "apple", day),
        (gold, EventKind.CREATED, None, 0),
        (silver, EventKind.REDEEMED, "google", 0),
    ]
    with store.begin() as conn:
        for planted, kind, wallet, at in made:
            add_event(
                conn,
                serial=planted.serial,
                kind=kind,
                wallet=wallet,
                occurred_at=at,
                now=0,
                subscribers=lambda *_: ["crm"],
            )
    rows = query(
        store, "SELECT program, wallet, day, created, viewed, installed, redeemed FROM v_engagement ORDER BY 1, 2, 3"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("gold", "", "1970-01-01", 1, 0, 0, 0),
        ("gold", "apple", "1970-01-01", 0, 1, 2, 0),
        ("gold", "apple", "1970-01-02", 0, 0, 1, 0),
        ("silver", "google", "1970-01-01", 0, 0, 0, 1),
    ]
    joined = query(
        store, "SELECT e.kind FROM v_events e JOIN v_deliveries d ON d.event_id = e.event_id WHERE d.state = 'due'"
    )
    assert len(joined) == len(made)


def test_a_view_is_documented_column_by_column():
    text_ = "\n".join(describe_views())
    for view in VIEWS:
        assert f"### `{view.name}`" in text_ and view.description in text_
        assert all(f"| `{column.name}` | {column.description} |" in text_ for column in view.columns)


def test_views_are_made_anew_by_an_upgrade(store):
    from passflow.store.migrate import upgrade

    with store.begin() as conn:
        conn.execute(text("DROP VIEW v_runs"))
        conn.execute(text("CREATE VIEW v_runs AS SELECT 1 AS old"))
    upgrade(store)
    with pytest.raises(Exception, match="old"), store.read() as conn:
        conn.execute(text("SELECT old FROM v_runs"))
