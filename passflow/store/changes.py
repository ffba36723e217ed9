"""Writing changed passes: pass, record, wallet states, event and deliveries in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from passflow.model import EventKind, Origin, Status
from passflow.program import Program
from passflow.store.bulk import write_rows
from passflow.store.events import event_id
from passflow.store.tables import deliveries, events, pass_records, passes, wallet_states

PASS_COLUMNS = (
    "program", "id_hash", "serial", "fingerprint", "content_hash", "template_revision", "status", "origin", "adopted",
    "revision", "observed_at", "due_at", "operation_id", "event_number", "created_at", "updated_at",
)  # fmt: skip
WALLET_COLUMNS = (
    "serial", "wallet", "program", "id_hash", "target_revision", "behind", "attempts", "retry_at", "error_code",
)  # fmt: skip
EVENT_COLUMNS = (
    "event_id", "program", "id_hash", "serial", "number", "kind", "occurred_at", "revision", "data",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A pass as it is after an operation.

    Args:
        is_new: no row exists yet; if one does after all, the transaction fails and is tried again.
        event: what is told of it, numbered ``event_number``; None where nothing that anybody sees changed.
        record_sealed: the member's sealed record, or None to keep the one there is.
        overlay_sealed: the sealed overlay, or None to keep the one there is.
    """

    id_hash: bytes
    serial: str
    is_new: bool
    fingerprint: bytes
    content_hash: bytes
    template_revision: str
    status: Status
    origin: Origin
    adopted: bool
    revision: int
    observed_at: int
    due_at: int | None
    operation_id: bytes
    event_number: int
    event: EventKind | None
    record_sealed: bytes | None = field(default=None, repr=False)
    overlay_sealed: bytes | None = field(default=None, repr=False)


def write_changes(conn: Connection, program: Program, changes: Sequence[Change], *, now: int) -> None:
    """Writes changes within the caller's transaction.

    Args:
        program: whose passes they are; names the wallets to bring up to date and the CRMs to tell.
        changes: in key order.
        now: the store's clock.

    Raises:
        sqlalchemy.exc.IntegrityError: a pass counted as new exists.
    """
    if not changes:
        return
    new = [change for change in changes if change.is_new]
    known = [change for change in changes if not change.is_new]
    write_rows(conn, passes, PASS_COLUMNS, [_pass(program, change, now) for change in new])
    updated = [name for name in PASS_COLUMNS[3:] if name != "created_at"]
    write_rows(
        conn, passes, PASS_COLUMNS, [_pass(program, change, now) for change in known],
        on_conflict="update", update=updated,
    )  # fmt: skip
    _write_records(conn, program, changes)
    shown = [change for change in changes if change.event is not None]
    _write_wallets(conn, program, shown)
    _write_events(conn, program, shown, now)


def _pass(program: Program, change: Change, now: int) -> tuple[object, ...]:
    return (
        program.program, change.id_hash, change.serial, change.fingerprint, change.content_hash,
        change.template_revision, change.status.value, change.origin.value, change.adopted, change.revision,
        change.observed_at, change.due_at, change.operation_id, change.event_number, now, now,
    )  # fmt: skip


def _write_records(conn: Connection, program: Program, changes: Sequence[Change]) -> None:
    for is_new in (True, False):
        rows = [
            (program.program, change.id_hash, change.record_sealed)
            for change in changes
            if change.record_sealed is not None and change.is_new is is_new
        ]
        write_rows(
            conn, pass_records, ("program", "id_hash", "record_sealed"), rows,
            on_conflict="error" if is_new else "update",
        )  # fmt: skip
    overlays = [
        (program.program, change.id_hash, b"", change.overlay_sealed)
        for change in changes
        if change.overlay_sealed is not None
    ]
    write_rows(
        conn, pass_records, ("program", "id_hash", "record_sealed", "overlay_sealed"), overlays,
        on_conflict="update", update=["overlay_sealed"],
    )  # fmt: skip


def _write_wallets(conn: Connection, program: Program, changes: Sequence[Change]) -> None:
    for is_new in (True, False):
        rows = [
            (change.serial, wallet.name, program.program, change.id_hash, change.revision, True, 0, None, None)
            for change in changes
            if change.is_new is is_new
            for wallet in program.wallets
        ]
        write_rows(
            conn, wallet_states, WALLET_COLUMNS, rows, on_conflict="error" if is_new else "update",
        )  # fmt: skip


def _write_events(conn: Connection, program: Program, changes: Sequence[Change], now: int) -> None:
    told = []
    due = []
    for change in changes:
        if change.event is None:
            continue
        identity = event_id(change.serial, change.event_number)
        told.append(
            (
                identity, program.program, change.id_hash, change.serial, change.event_number, change.event.value,
                now, change.revision, "{}",
            )
        )  # fmt: skip
        due += [
            (identity, crm.name, program.program, change.serial, change.event_number, now)
            for crm in program.crms
            if crm.wants(change.event.value)
        ]
    write_rows(conn, events, EVENT_COLUMNS, told)
    write_rows(conn, deliveries, ("event_id", "crm", "program", "serial", "number", "due_at"), due)
