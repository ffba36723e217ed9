"""Refused rows at rest: sealed with the key of the plan that refused them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from passflow.model import Rejection
from passflow.security.encryption import DataKey, Slot
from passflow.security.keyring import Wrapped
from passflow.store.engine import Store
from passflow.store.keys import open_plan_key
from passflow.store.tables import plans, rejected_members


def _row(plan_id: str, row: int) -> bytes:
    return f"{plan_id}\0{row}".encode()


def seal_rejection(program: str, plan_id: str, key: DataKey, rejection: Rejection) -> bytes:
    """Encrypts a refused row as it came."""
    slot = Slot("rejected_members", "record_sealed", program)
    return slot.seal(key, _row(plan_id, rejection.row), rejection.record)


def read_rejections(conn: Connection, store: Store, plan_id: str, *, limit: int | None = None) -> list[Rejection]:
    """Refused rows of a plan, opened, in the order of the read.

    Raises:
        CryptoError: this process does not hold the members' master key.
    """
    plan = conn.execute(select(plans).where(plans.c.plan_id == plan_id)).one()
    key = open_plan_key(store.keyring, plan.program, plan_id, Wrapped(plan.key_master_id, plan.key_sealed))
    slot = Slot("rejected_members", "record_sealed", plan.program)
    query = select(rejected_members).where(rejected_members.c.plan_id == plan_id).order_by(rejected_members.c.row)
    return [
        Rejection(row.row, row.code, row.field, row.id_hash, slot.open(key, _row(plan_id, row.row), row.record_sealed))
        for row in conn.execute(query.limit(limit))
    ]
