"""Receipts of erasures: what was ended, what is still to do, and by when; they name nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, update

from passflow.errors import StoreError
from passflow.store.engine import Store
from passflow.store.tables import erasures


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased and what is still to do; may be shown and kept, because it names nobody.

    Attributes:
        receipt_id: to find it again.
        program: the program.
        serial: serial number of the pass, which is blank from now on; None where none was issued.
        requested_at: microseconds on the store's clock.
        deadline_at: when all steps must be done.
        completed_at: when all steps were done, or None.
        steps: when each step was done, or None.
    """

    receipt_id: str
    program: str
    serial: str | None
    requested_at: int
    deadline_at: int
    completed_at: int | None
    steps: Mapping[str, int | None]

    def lines(self) -> Iterator[str]:
        """The receipt for people, line by line."""
        yield f"Receipt {self.receipt_id}: erasure in program {self.program}"
        yield f"requested {_date(self.requested_at)}, due {_date(self.deadline_at)}"
        for step, done in self.steps.items():
            yield f"{step}: {'done ' + _date(done) if done else 'to do'}"
        yield f"completed {_date(self.completed_at)}" if self.completed_at else "not completed"


def complete_step(store: Store, receipt_id: str, step: str) -> Receipt:
    """Records that a step of an erasure is done; the last one completes it.

    Raises:
        StoreError: there is no such receipt, or it has no such step.
    """
    with store.begin() as conn:
        query = select(erasures).where(erasures.c.receipt_id == receipt_id).with_for_update()
        receipt = as_receipt(conn.execute(query).one_or_none(), receipt_id)
        if step not in receipt.steps:
            raise StoreError(
                f"Receipt {receipt_id} has no step {step!r}.",
                fix=f"Its steps are: {', '.join(receipt.steps)}.",
                code="erasure.step",
            )
        if receipt.steps[step] is None:
            now = store.now(conn)
            steps = {**receipt.steps, step: now}
            done = None if None in steps.values() else now
            values = {"steps": orjson.dumps(steps).decode(), "completed_at": done}
            conn.execute(update(erasures).where(erasures.c.receipt_id == receipt_id).values(**values))
    return read_receipt(store, receipt_id)


def read_receipt(store: Store, receipt_id: str) -> Receipt:
    """A receipt by its id.

    Raises:
        StoreError: there is none.
    """
    with store.read() as conn:
        row = conn.execute(select(erasures).where(erasures.c.receipt_id == receipt_id)).one_or_none()
    return as_receipt(row, receipt_id)


def find_receipt(conn: Connection, *conditions: Any) -> Receipt | None:
    """The receipt of the one row that fits, or None."""
    row = conn.execute(select(erasures).where(*conditions)).one_or_none()
    return None if row is None else as_receipt(row)


def as_receipt(row: Row[Any] | None, receipt_id: str = "") -> Receipt:
    """A row of ``erasures`` as a receipt.

    Raises:
        StoreError: there is no row.
    """
    if row is None:
        raise StoreError(
            f"There is no receipt {receipt_id[:40]!r}.",
            fix="List the open ones with `passflow erasures`.",
            code="erasure.unknown",
        )
    return Receipt(
        receipt_id=row.receipt_id,
        program=row.program,
        serial=row.serial,
        requested_at=row.requested_at,
        deadline_at=row.deadline_at,
        completed_at=row.completed_at,
        steps=orjson.loads(row.steps),
    )


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
