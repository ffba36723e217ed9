"""Playing nights: plan, apply and converge a small program against a real store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from passflow.model import EventKind, Kind, Outcome, Plan, Status
from passflow.program import Program
from passflow.store.engine import Store
from passflow.store.keys import store_key
from passflow.store.passes import PassRow, read_rows
from passflow.store.tables import events, passes
from passflow.sync.apply import Applied, apply_plan
from passflow.sync.converge import Converged, converge
from passflow.sync.fingerprint import id_hash
from passflow.sync.plan import make_plan
from passflow.testing.programs import MemorySource, MemoryWallet, Row, make_program


@dataclass
class Club:
    """A program over members in memory, and its store."""

    folder: Path
    store: Store
    changes: dict[str, Any]
    rows: list[Row]

    @property
    def program(self) -> Program:
        source = MemorySource(rows=self.rows, **self.changes.get("read", {}))
        blocks = {name: block for name, block in self.changes.items() if name != "read"}
        return make_program(self.folder, self.rows, source=source, **blocks)

    def plan(self, rows: Sequence[Row] | None = None) -> Plan:
        if rows is not None:
            self.rows = list(rows)
        return make_plan(self.program, self.store)

    def apply(self, plan: Plan) -> Applied:
        return apply_plan(self.program, self.store, plan.plan_id, holder="test")

    def night(self, rows: Sequence[Row] | None = None) -> Plan:
        plan = self.plan(rows)
        self.apply(plan)
        return plan

    def converge(self) -> Converged:
        program = self.program
        return converge(program, self.store, program.wallets[0])

    def pass_of(self, external_id: str) -> PassRow | None:
        key = id_hash(external_id, store_key(self.store, "hash"), "gold")
        with self.store.read() as conn:
            return read_rows(conn, "gold", [key]).get(key)

    def status(self, external_id: str) -> Status | None:
        row = self.pass_of(external_id)
        return row.status if row else None

    def live(self) -> int:
        with self.store.read() as conn:
            query = select(passes.c.serial).where(passes.c.status != Status.DELETED.value)
            return len(conn.execute(query).all())

    def events_of(self, external_id: str) -> list[tuple[int, EventKind]]:
        row = self.pass_of(external_id)
        assert row is not None
        with self.store.read() as conn:
            query = select(events.c.number, events.c.kind).where(events.c.serial == row.serial)
            return [(number, EventKind(kind)) for number, kind in conn.execute(query.order_by(events.c.number))]


def outcomes(applied: Applied, kind: Kind) -> dict[Outcome, int]:
    """How the operations of one kind ended."""
    return {outcome: count for (each, outcome), count in applied.outcomes.items() if each is kind}


def wallet_of(program: Program) -> MemoryWallet:
    """The wallet of a program in memory."""
    wallet = program.wallets[0]
    assert isinstance(wallet, MemoryWallet)
    return wallet
