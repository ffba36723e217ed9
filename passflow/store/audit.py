"""The audit: who did what, when. It holds no personal data, so that it survives every erasure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, insert, select

from passflow.store.engine import Store
from passflow.store.tables import audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did.

    Attributes:
        number: order of the entries.
        at: when, microseconds on the store's clock.
        actor: who: a user name, a run id, ``gateway``.
        action: what: such as ``plan.approved`` or ``member.erased``.
        program: in which program, if in one.
        subject: plan id, receipt id or serial number.
        details: further JSON values.
    """

    number: int
    at: int
    actor: str
    action: str
    program: str | None
    subject: str | None
    details: Mapping[str, object]


def add_entry(
    store: Store,
    conn: Connection,
    *,
    actor: str,
    action: str,
    program: str | None = None,
    subject: str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Records an action in the transaction that does it, so that neither happens without the other.

    Args:
        store: the store.
        conn: an open write transaction.
        actor: who did it; cut to 128 characters.
        action: what was done.
        program: in which program.
        subject: plan id, receipt id or serial number; never an external id.
        details: JSON values; nothing personal.
    """
    conn.execute(
        insert(audit).values(
            at=store.now(conn),
            actor=actor[:128],
            action=action,
            program=program,
            subject=subject,
            details=orjson.dumps(details or {}).decode(),
        )
    )


def read_entries(conn: Connection, *, program: str | None = None, limit: int = 100) -> list[AuditEntry]:
    """The newest entries, newest first."""
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if program is not None:
        query = query.where(audit.c.program == program)
    return [
        AuditEntry(row.number, row.at, row.actor, row.action, row.program, row.subject, orjson.loads(row.details))
        for row in conn.execute(query)
    ]
