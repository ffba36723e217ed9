"""Erasure: ending everything the store knows of one member, with a receipt.

In one transaction the member's key is destroyed, what it sealed is deleted, and the pass is cut loose from the member and
put behind, so that convergence publishes a blank, voided pass in its place. A tombstone keeps the external id from coming
back unnoticed. What remains to be done elsewhere (wallets, providers, CRMs) stands on the receipt with a deadline.

On SQLite the deleted bytes are overwritten and the write-ahead log is emptied. On PostgreSQL they stay in free space, WAL
archives and backups for as long as these live; what is left there is ciphertext whose key is wrapped by a master key.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import orjson
from sqlalchemy import Connection, PoolProxiedConnection, Row, delete, insert, select, update

from passflow.errors import StoreBusy
from passflow.model import HASH_BYTES, EventKind, Outcome, Status
from passflow.store.audit import add_entry
from passflow.store.engine import Store
from passflow.store.events import add_event
from passflow.store.faults import translated
from passflow.store.keys import store_key
from passflow.store.receipts import Receipt, as_receipt, complete_step, find_receipt, read_receipt
from passflow.store.tables import (
    deliveries,
    erasures,
    events,
    inbox,
    member_keys,
    operations,
    pass_records,
    passes,
    rejected_members,
    wallet_states,
)

__all__ = ["Receipt", "complete_step", "erase", "read_receipt", "readmit", "scrub", "settle"]

DEADLINE_DAYS: Final = 30
"""One month to answer a request: Article 12(3) of the GDPR, taken as 30 days."""

SCRUB_WAIT_MS: Final = 2000
CODE: Final = "member.erased"
_DAY: Final = 86_400_000_000
_BLANK: Final = (
    "key_master_id", "key_sealed", "content_sealed", "personal_sealed", "signature", "signed_at", "certificate_id",
    "asset_set", "package_format", "manifest_hash", "retry_at", "error_code",
)  # fmt: skip


def erase(store: Store, program: str, external_id: str, *, actor: str, remote: Sequence[str] = ()) -> Receipt:
    """Ends everything the store knows of a member of a program; doing it again changes nothing more.

    Args:
        store: the store; needs the master key ``members``.
        program: the program.
        external_id: the member's identifier in the master system; not kept.
        actor: who asked, for the audit.
        remote: further steps outside the store, such as the names of providers and CRMs, to be reported by
            :func:`passflow.store.receipts.complete_step`.

    Raises:
        CryptoError: this process does not hold the master key ``members``.
        StoreBusy: nothing was erased; try again.
    """
    id_hash = _id_hash(store, program, external_id)
    with store.begin() as conn:
        now = store.now(conn)
        issued = _lock_pass(conn, program, id_hash)
        receipt = find_receipt(conn, erasures.c.program == program, erasures.c.id_hash == id_hash)
        if receipt is None:
            receipt = _entomb(conn, program, id_hash, issued, remote, now)
            add_entry(
                store, conn, actor=actor, action=CODE, program=program, subject=receipt.receipt_id,
                details={"steps": list(receipt.steps)},
            )  # fmt: skip
        if issued is not None:
            _detach(conn, issued, now)
        destroy(conn, program, id_hash, now)
    if scrub(store):
        complete_step(store, receipt.receipt_id, "files")
    settle(store)
    return read_receipt(store, receipt.receipt_id)


def settle(store: Store) -> list[Receipt]:
    """Looks whether wallets show the blank passes by now, and returns the erasures that are still open, oldest first."""
    with store.read() as conn:
        query = select(erasures).where(erasures.c.completed_at.is_(None)).order_by(erasures.c.requested_at)
        open_now = [as_receipt(row) for row in conn.execute(query)]
        behind = [receipt for receipt in open_now if _is_behind(conn, receipt.serial)]
    for receipt in open_now:
        if receipt.steps.get("wallets", 0) is None and receipt not in behind:
            complete_step(store, receipt.receipt_id, "wallets")
        if receipt.steps.get("files", 0) is None and scrub(store):
            complete_step(store, receipt.receipt_id, "files")
    found = [read_receipt(store, receipt.receipt_id) for receipt in open_now]
    return [receipt for receipt in found if receipt.completed_at is None]


def readmit(store: Store, program: str, external_id: str, *, actor: str) -> bool:
    """Lets an erased member come back: the next reconciliation issues a pass with a new serial number.

    Returns:
        Whether there was a tombstone. Its receipt stays, cut loose from the member.
    """
    id_hash = _id_hash(store, program, external_id)
    with store.begin() as conn:
        tombstone = (erasures.c.program == program, erasures.c.id_hash == id_hash)
        receipt = find_receipt(conn, *tombstone)
        if receipt is None:
            return False
        conn.execute(update(erasures).where(*tombstone).values(id_hash=secrets.token_bytes(HASH_BYTES)))
        add_entry(store, conn, actor=actor, action="member.readmitted", program=program, subject=receipt.receipt_id)
        return True


def scrub(store: Store) -> bool:
    """Removes what deleted rows leave in SQLite's files; on PostgreSQL there is nothing to do from here.

    Returns:
        False when a reader or writer was in the way for two seconds; try again later.
    """
    if store.dialect == "postgresql":
        return True
    try:
        with translated(), closing(store.engine.raw_connection()) as borrowed:
            return _empty_log(borrowed)
    except StoreBusy:
        return False


def _empty_log(connection: PoolProxiedConnection) -> bool:
    def pragma(statement: str) -> list[Any]:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {statement}")
        return list(cursor.fetchall())

    ((patience,),) = pragma("busy_timeout")
    pragma(f"busy_timeout={min(patience, SCRUB_WAIT_MS)}")
    try:
        pragma("incremental_vacuum")
        ((busy, _, _),) = pragma("wal_checkpoint(TRUNCATE)")
    finally:
        pragma(f"busy_timeout={patience}")
    return not busy


def _id_hash(store: Store, program: str, external_id: str) -> bytes:
    from passflow.sync.fingerprint import id_hash

    return id_hash(external_id, store_key(store, "hash"), program)


def _lock_pass(conn: Connection, program: str, id_hash: bytes) -> Row[Any] | None:
    query = select(passes).where(passes.c.program == program, passes.c.id_hash == id_hash)
    return conn.execute(query.with_for_update()).one_or_none()


def _entomb(
    conn: Connection, program: str, id_hash: bytes, issued: Row[Any] | None, remote: Sequence[str], now: int
) -> Receipt:
    steps = {"store": now, "files": None, "wallets": None, **dict.fromkeys(remote)}
    values = {
        "program": program,
        "serial": issued.serial if issued else None,
        "receipt_id": f"erasure-{secrets.token_hex(8)}",
        "requested_at": now,
        "deadline_at": now + DEADLINE_DAYS * _DAY,
        "completed_at": None,
        "steps": steps,
    }
    conn.execute(insert(erasures).values({**values, "id_hash": id_hash, "steps": orjson.dumps(steps).decode()}))
    return Receipt(**values)  # type: ignore[arg-type]  # the values just listed


def _detach(conn: Connection, issued: Row[Any], now: int) -> None:
    """Cuts the pass loose from the member: another id hash, nothing to show, and behind in every wallet."""
    loose, revision = secrets.token_bytes(HASH_BYTES), issued.revision + 1
    if issued.status != Status.DELETED.value:
        add_event(conn, serial=issued.serial, kind=EventKind.DELETED, occurred_at=now, now=now, data={"cause": CODE})
    conn.execute(
        update(passes)
        .where(passes.c.program == issued.program, passes.c.id_hash == issued.id_hash)
        .values(
            id_hash=loose,
            fingerprint=bytes(HASH_BYTES),
            content_hash=bytes(HASH_BYTES),
            status=Status.DELETED.value,
            revision=revision,
            observed_at=now,
            due_at=None,
            updated_at=now,
        )
    )
    blank = dict.fromkeys(_BLANK)
    conn.execute(
        update(wallet_states)
        .where(wallet_states.c.serial == issued.serial)
        .values(id_hash=loose, target_revision=revision, behind=True, attempts=0, **blank)
    )
    conn.execute(update(events).where(events.c.serial == issued.serial).values(id_hash=loose))
    waiting = (deliveries.c.serial == issued.serial, deliveries.c.state.not_in(("delivered", "dead")))
    conn.execute(update(deliveries).where(*waiting).values(state="dead", code=CODE))


def destroy(conn: Connection, program: str, id_hash: bytes, now: int) -> None:
    """Destroys a member's key and all that was sealed with it; operations that wait are refused."""
    for table in (member_keys, pass_records, rejected_members):
        conn.execute(delete(table).where(table.c.program == program, table.c.id_hash == id_hash))
    own = (operations.c.program == program, operations.c.id_hash == id_hash)
    pending = operations.c.outcome == Outcome.PENDING.value
    refused = {"outcome": Outcome.REFUSED.value, "code": CODE, "ended_at": now}
    conn.execute(update(operations).where(*own, pending).values(**refused))
    conn.execute(update(operations).where(*own).values(record_sealed=None))
    messages = (inbox.c.program == program, inbox.c.id_hash == id_hash)
    unhandled = {"handled_at": now, "outcome": Outcome.REFUSED.value, "code": CODE}
    conn.execute(update(inbox).where(*messages, inbox.c.handled_at.is_(None)).values(**unhandled))
    conn.execute(update(inbox).where(*messages).values(body_sealed=b""))


def _is_behind(conn: Connection, serial: str | None) -> bool:
    behind = select(wallet_states.c.serial).where(wallet_states.c.serial == serial, wallet_states.c.behind)
    return serial is not None and conn.execute(behind).first() is not None
