"""What one operation does to the pass it finds: the change to write, or why it does nothing.

Three things may have happened since an operation was planned: it was applied already (a repeated run), the pass moved on
(another operation), or a newer truth was observed (a webhook or link in between). None of them may be overwritten.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from passflow.model import HASH_BYTES, EventKind, Kind, Operation, Origin, Outcome, Status
from passflow.store.changes import Change
from passflow.store.passes import PassRow

NOTHING = bytes(HASH_BYTES)
"""Fingerprint of a pass whose member is gone from the source: equal to no member's, so a return is always a change."""

MOVED_ON = "pass.moved_on"
"""Code of an operation whose pass changed since the operation was planned."""

SERIAL_BYTES = 20
"""160 random bits: nobody guesses a serial number."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why operations are applied.

    Args:
        plan_id: the plan, or the name of the single change.
        observed_at: store clock when the read behind them began.
        template_revision: what the passes are rendered with from now on.
        origin: what a pass created by them counts as.
    """

    plan_id: str
    observed_at: int
    template_revision: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Settled:
    """How an operation ends, and what it writes."""

    outcome: Outcome
    change: Change | None = None
    code: str | None = None


def new_serial() -> str:
    """A serial number nobody can guess, of characters that are safe in a path."""
    return secrets.token_hex(SERIAL_BYTES)


def settle(operation: Operation, record: bytes | None, row: PassRow | None, cause: Cause) -> Settled:
    """Decides an operation against the pass as it is now.

    Args:
        operation: what was planned.
        record: its sealed record.
        row: the pass, locked by the caller's transaction, or None where there is none.
        cause: the read behind the operation.
    """
    if row is not None and row.operation_id == operation.op_id:
        return Settled(Outcome.UNCHANGED)
    if row is None:
        if operation.kind is not Kind.CREATE or operation.base_revision:
            return Settled(Outcome.STALE, code="pass.gone")
        return Settled(Outcome.APPLIED, _create(operation, record, cause))
    if row.revision != operation.base_revision:
        return Settled(Outcome.STALE, code=MOVED_ON)
    if row.observed_at > cause.observed_at:
        return Settled(Outcome.STALE, code="pass.newer_truth")
    if row.status is Status.INVALIDATED and operation.status is not Status.DELETED:
        return Settled(Outcome.REFUSED, code="pass.invalidated")
    return Settled(Outcome.APPLIED, _change(operation, record, row, cause))


def _create(operation: Operation, record: bytes | None, cause: Cause) -> Change:
    return Change(
        id_hash=operation.id_hash,
        serial=new_serial(),
        is_new=True,
        fingerprint=operation.fingerprint,
        content_hash=operation.content_hash or NOTHING,
        template_revision=cause.template_revision,
        status=operation.status,
        origin=cause.origin,
        adopted=cause.origin is Origin.SOURCE,
        revision=1,
        observed_at=cause.observed_at,
        due_at=operation.due_at,
        operation_id=operation.op_id,
        event_number=1,
        event=EventKind.CREATED,
        record_sealed=record,
    )


def _change(operation: Operation, record: bytes | None, row: PassRow, cause: Cause) -> Change:
    content = operation.content_hash or NOTHING
    deleting = operation.status is Status.DELETED
    shows_anew = deleting or operation.kind is Kind.CREATE or content != row.content_hash
    return Change(
        id_hash=operation.id_hash,
        serial=row.serial,
        is_new=False,
        fingerprint=operation.fingerprint,
        content_hash=content,
        template_revision=cause.template_revision,
        status=operation.status,
        origin=row.origin,
        adopted=row.adopted or cause.origin is Origin.SOURCE,
        revision=row.revision + 1 if shows_anew else row.revision,
        observed_at=cause.observed_at,
        due_at=None if deleting else operation.due_at,
        operation_id=operation.op_id,
        event_number=row.event_number + 1 if shows_anew else row.event_number,
        event=_event(operation, row) if shows_anew else None,
        record_sealed=record,
    )


_EVENT_OF_STATUS = {Status.REDEEMED: EventKind.REDEEMED, Status.INVALIDATED: EventKind.INVALIDATED}


def _event(operation: Operation, row: PassRow) -> EventKind:
    if operation.status is Status.DELETED:
        return EventKind.DELETED
    if operation.kind is Kind.CREATE:
        return EventKind.CREATED
    if operation.status is not row.status:
        return _EVENT_OF_STATUS.get(operation.status, EventKind.UPDATED)
    return EventKind.UPDATED
