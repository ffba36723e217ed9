"""Events: numbered under the pass's row lock, written with one delivery for each CRM that wants them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, insert, update

from passflow.errors import StoreError
from passflow.model import HASH_BYTES, EventKind
from passflow.store.tables import deliveries, events, passes

Subscribers = Callable[[str, EventKind], Sequence[str]]
"""Names of the CRMs that a program tells of a kind of event."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was written.

    Attributes:
        event_id: H(serial, number).
        program: the pass's program.
        number: order within the pass, from 1.
        revision: the pass's revision when it happened.
    """

    event_id: bytes
    program: str
    number: int
    revision: int


def nobody(program: str, kind: EventKind) -> Sequence[str]:
    """Subscribers of an installation without CRMs."""
    return ()


def event_id(serial: str, number: int) -> bytes:
    """The id of a pass's event: 16 bytes, the same wherever it is computed, so that a repeated delivery is known as one."""
    text = f"{serial}\0{number}".encode()
    return hashlib.blake2b(text, digest_size=HASH_BYTES, person=b"passflow event").digest()


def add_event(
    conn: Connection,
    *,
    serial: str,
    kind: EventKind,
    occurred_at: int,
    now: int,
    wallet: str | None = None,
    data: Mapping[str, object] | None = None,
    subscribers: Subscribers = nobody,
) -> Recorded:
    """Writes one event of a pass and its deliveries; a repeated cause must not come here twice.

    The number is taken by an update of the pass's row, which stays locked until the commit: events of one pass get their
    numbers in the order in which they are committed.

    Args:
        conn: an open write transaction.
        serial: serial number of the pass.
        kind: what happened.
        occurred_at: when, microseconds.
        now: the store's clock; deliveries are due from here on.
        wallet: where it happened, if in a wallet.
        data: JSON values about it; nothing personal.
        subscribers: which CRMs are told.

    Raises:
        StoreError: there is no such pass.
    """
    take_number = update(passes).where(passes.c.serial == serial).values(event_number=passes.c.event_number + 1)
    row = conn.execute(
        take_number.returning(passes.c.program, passes.c.id_hash, passes.c.event_number, passes.c.revision)
    ).one_or_none()
    if row is None:
        raise unknown_pass(serial)
    identity = event_id(serial, row.event_number)
    conn.execute(
        insert(events).values(
            event_id=identity,
            program=row.program,
            id_hash=row.id_hash,
            serial=serial,
            number=row.event_number,
            kind=kind.value,
            wallet=wallet,
            occurred_at=occurred_at,
            revision=row.revision,
            data=orjson.dumps(data or {}).decode(),
        )
    )
    due = [
        {
            "event_id": identity,
            "crm": crm,
            "program": row.program,
            "serial": serial,
            "number": row.event_number,
            "due_at": now,
        }
        for crm in subscribers(row.program, kind)
    ]
    if due:
        conn.execute(insert(deliveries), due)
    return Recorded(identity, row.program, row.event_number, row.revision)


def unknown_pass(serial: str) -> StoreError:
    """The error for a serial number that was never issued, or whose pass was erased."""
    return StoreError(
        f"There is no pass with serial number {serial[:64]!r}.",
        fix="Check the serial number with `passflow status`.",
        code="pass.unknown",
    )
