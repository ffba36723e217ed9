"""Retention: what the store forgets, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Table, delete, exists, select, tuple_, update

from passflow.model import PlanStatus
from passflow.store.engine import Store
from passflow.store.tables import (
    approvals,
    audit,
    deliveries,
    events,
    inbox,
    nonces,
    operations,
    plans,
    programs,
    rejected_members,
)

BATCH: Final = 5000
"""Rows in one transaction."""

DAY: Final = 86_400_000_000
_OPEN: Final = (PlanStatus.BUILDING.value, PlanStatus.READY.value)
_ENDED: Final = ("delivered", "dead")


class Retention(BaseModel):
    """How many days the store keeps what grows; passes, their records and erasures are not on this list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    records: int = Field(14, ge=1, description="Encrypted member data in operations that have ended.")
    rejected: int = Field(30, ge=1, description="Refused rows, encrypted.")
    operations: int = Field(90, ge=1, description="Operations of plans that are not open any more, and single changes.")
    plans: int = Field(730, ge=1, description="Plans: counts and verdicts, nothing personal.")
    events: int = Field(730, ge=1, description="Events and their deliveries, once every delivery has ended.")
    inbox: int = Field(
        14, ge=4, description="Handled inbox messages; a sender may repeat one for days, and must then be recognised."
    )
    audit: int = Field(1095, ge=30, description="The audit.")


def purge(store: Store, retention: Retention | None = None) -> dict[str, int]:
    """Removes what is older than the retention, in short transactions; doing it again continues.

    What is still to be done stays whatever its age: open plans, unhandled messages, deliveries that are due.

    Args:
        store: the store.
        retention: days per kind; the defaults when left out.

    Returns:
        Rows removed (or emptied) by table.
    """
    keep = retention or Retention()
    with store.read() as conn:
        now = store.now(conn)
    removed = {
        "operations.record_sealed": _empty_records(store, now - keep.records * DAY),
        "rejected_members": _purge_by_plan(store, rejected_members, now - keep.rejected * DAY),
        "operations": _purge_operations(store, now - keep.operations * DAY),
        "plans": _purge_plans(store, now - keep.plans * DAY),
        "events": _purge_events(store, now - keep.events * DAY),
        "inbox": _delete(store, inbox, inbox.c.handled_at < now - keep.inbox * DAY),
        "nonces": _delete(store, nonces, nonces.c.expires_at < now),
        "audit": _delete(store, audit, audit.c.at < now - keep.audit * DAY),
    }
    return {table: count for table, count in removed.items() if count}


def _empty_records(store: Store, before: int) -> int:
    emptied = 0
    for plan_id in _closed_plans(store, before):
        condition = (operations.c.plan_id == plan_id, operations.c.record_sealed.is_not(None))
        with store.begin() as conn:
            emptied += conn.execute(update(operations).where(*condition).values(record_sealed=None)).rowcount
    ended = (operations.c.ended_at < before, operations.c.record_sealed.is_not(None))
    with store.begin() as conn:
        return emptied + conn.execute(update(operations).where(*ended).values(record_sealed=None)).rowcount


def _purge_operations(store: Store, before: int) -> int:
    removed = _purge_by_plan(store, operations, before)
    of_plan = exists().where(plans.c.plan_id == operations.c.plan_id)
    return removed + _delete(store, operations, operations.c.ended_at < before, ~of_plan)


def _purge_by_plan(store: Store, table: Table, before: int) -> int:
    return sum(_delete(store, table, table.c.plan_id == plan_id) for plan_id in _closed_plans(store, before))


def _purge_plans(store: Store, before: int) -> int:
    closed = list(_closed_plans(store, before))
    for plan_id in closed:
        for table in (operations, rejected_members, approvals):
            _delete(store, table, table.c.plan_id == plan_id)
        _delete(store, plans, plans.c.plan_id == plan_id)
    return len(closed)


def _purge_events(store: Store, before: int) -> int:
    with store.read() as conn:
        names = conn.execute(select(programs.c.program).order_by(programs.c.program)).scalars().all()
    unfinished = exists().where(deliveries.c.event_id == events.c.event_id, deliveries.c.state.not_in(_ENDED))
    removed = 0
    for name in names:
        oldest = (
            select(events.c.event_id)
            .where(events.c.program == name, events.c.occurred_at < before, ~unfinished)
            .order_by(events.c.occurred_at)
            .limit(BATCH)
        )
        while True:
            with store.begin() as conn:
                gone = conn.execute(oldest).scalars().all()
                for start in range(0, len(gone), 500):
                    part = gone[start : start + 500]
                    conn.execute(delete(deliveries).where(deliveries.c.event_id.in_(part)))
                    conn.execute(delete(events).where(events.c.event_id.in_(part)))
            removed += len(gone)
            if len(gone) < BATCH:
                break
    return removed


def _closed_plans(store: Store, before: int) -> Iterator[str]:
    query = select(plans.c.plan_id).where(plans.c.created_at < before, plans.c.status.not_in(_OPEN))
    with store.read() as conn:
        yield from conn.execute(query.order_by(plans.c.created_at)).scalars().all()


def _delete(store: Store, table: Table, *conditions: ColumnElement[bool]) -> int:
    keys: list[Any] = list(table.primary_key)
    oldest = select(*keys).where(*conditions).limit(BATCH)
    removed = 0
    while True:
        with store.begin() as conn:
            count = conn.execute(delete(table).where(tuple_(*keys).in_(oldest))).rowcount
        removed += count
        if count < BATCH:
            return removed
