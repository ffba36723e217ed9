"""Leases: who may apply in bulk to which range of a program.

A lease names a range of the first byte of the id hash and carries a fencing token. A run renews it by the first statement
of every transaction: the row it updates stays locked until the commit, so nobody can take the range over in between, and
a run that was taken over updates no row and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from passflow.errors import LeaseHeld, LeaseLost
from passflow.store.engine import Store
from passflow.store.publish import next_number
from passflow.store.statements import insert_new
from passflow.store.tables import leases, programs


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to apply in bulk to one range of a program.

    Attributes:
        program: the program.
        low: first byte of the first id hash, 0 to 255.
        high: one past the last first byte, 1 to 256.
        token: fencing token; a later lease of the same range has a higher one.
        holder: who holds it, for people.
        ttl: microseconds from its last renewal until another may take it over.
    """

    program: str
    low: int
    high: int
    token: int
    holder: str
    ttl: int


def acquire(store: Store, program: str, *, low: int = 0, high: int = 256, holder: str, ttl: float = 60.0) -> Lease:
    """Takes a range that nobody holds, or whose lease has expired.

    Args:
        store: the store.
        program: the program.
        low: first byte of the first id hash.
        high: one past the last first byte.
        holder: run id or host and process, shown to whoever waits.
        ttl: seconds without a transaction after which another may take over.

    Raises:
        LeaseHeld: another run works on some of the range; says who, and until when.
    """
    if not 0 <= low < high <= 256:
        raise ValueError(f"a lease covers bytes 0 to 256, not {low} to {high}")
    with store.begin() as conn:
        now = store.now(conn)
        insert_new(conn, programs, [{"program": program, "created_at": now}])
        # PostgreSQL: this row orders everybody who wants a lease of the program; SQLite has one writer anyway
        conn.execute(select(programs.c.program).where(programs.c.program == program).with_for_update())
        overlap = (leases.c.program == program, leases.c.low < high, leases.c.high > low)
        conn.execute(delete(leases).where(*overlap, leases.c.expires_at <= store.now(conn)))
        held = conn.execute(select(leases).where(*overlap).order_by(leases.c.expires_at.desc())).first()
        if held is not None:
            until = datetime.fromtimestamp(held.expires_at / 1e6, UTC).isoformat(timespec="seconds")
            raise LeaseHeld(
                f"Program {program}: {held.holder} works on range {held.low}-{held.high} of passes, until {until} "
                "or longer if it goes on."
            )
        lease = Lease(program, low, high, next_number(conn, "lease"), holder, round(ttl * 1e6))
        conn.execute(
            insert(leases).values(
                program=program,
                low=low,
                high=high,
                token=lease.token,
                holder=holder,
                expires_at=store.now(conn) + lease.ttl,
            )
        )
        return lease


def renew(store: Store, conn: Connection, lease: Lease) -> None:
    """Extends the lease and locks it until the transaction ends; ``store.begin(lease)`` does this first.

    Raises:
        LeaseLost: it went to another, or was released.
    """
    mine = (leases.c.program == lease.program, leases.c.token == lease.token)
    renewed = conn.execute(update(leases).where(*mine).values(expires_at=store.now(conn) + lease.ttl))
    if renewed.rowcount != 1:
        raise LeaseLost(f"Program {lease.program}: the lease of {lease.holder} on its passes went to another run.")


def release(store: Store, lease: Lease) -> None:
    """Gives the range back; a lease that is no longer ours is left alone."""
    with store.begin() as conn:
        conn.execute(delete(leases).where(leases.c.program == lease.program, leases.c.token == lease.token))
