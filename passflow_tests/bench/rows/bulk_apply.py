"""Applying in bulk on PostgreSQL, against the same rows by multi-row INSERT … ON CONFLICT."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import Workshop

ROWS = ("bulk_apply_postgresql", "bulk_apply_operations_per_second")
ORDER = 15
OPERATIONS: Final = 40_000
STATEMENT: Final = 1_000
"""Rows of one INSERT of the rival."""


def measure(workshop: Workshop) -> Iterator[Measure]:
    """A first load: every row of it by passflow, then the very same rows by the rival into an empty database."""
    folder = workshop.snapshots(workshop.size(OPERATIONS))
    pairs: list[tuple[float, float, int]] = []
    for _ in range(workshop.rounds):
        with workshop.new_database() as ours, workshop.new_database() as theirs:
            pairs.append(run_fresh(f"{__name__}:compare", folder=str(folder), ours=ours, theirs=theirs).result)
    against = "multi-row INSERT … ON CONFLICT of rows made before, psycopg, 1,000 rows per statement"
    yield Measure(ROWS[0], median(rival / mine for mine, rival, _ in pairs), "×", ">= 2", against)
    per_second = median(count / mine for mine, _, count in pairs)
    yield Measure(ROWS[1], per_second, "operations/s", None, "keys, encryption, plan's operations and apply")


def compare(folder: str, ours: str, theirs: str) -> tuple[float, float, int]:
    """Seconds of passflow, seconds of the rival, and operations; runs in a process of its own."""
    from passflow.store.migrate import upgrade
    from passflow_tests.bench.club import open_store

    with open_store(ours) as store:
        mine, count, tables = _apply(store, Path(folder))
    with open_store(theirs) as store:
        upgrade(store)
        rival = _insert(store, tables)
    return mine, rival, count


def _apply(store: Any, folder: Path) -> tuple[float, int, dict[str, list[tuple[object, ...]]]]:
    from passflow.model import Outcome
    from passflow.store.keys import create_store_keys
    from passflow.store.migrate import upgrade
    from passflow.sync.apply import apply_plan
    from passflow.sync.plan import _Planner, make_plan
    from passflow_tests.bench.club import ArrowRead, make_club

    upgrade(store)
    create_store_keys(store)
    program = make_club(folder)
    saving = [0.0]
    save = _Planner._save

    def timed(planner: _Planner, drafts: Any) -> None:
        begun = time.perf_counter()
        save(planner, drafts)
        saving[0] += time.perf_counter() - begun

    _Planner._save = timed  # type: ignore[method-assign]  # sealing and saving happen inside a plan
    plan = make_plan(program, store, read=ArrowRead(folder / "old.arrow", in_memory=True))
    begun = time.perf_counter()
    applied = apply_plan(program, store, plan.plan_id, holder="bench")
    spent = time.perf_counter() - begun + saving[0]
    assert applied.count(Outcome.APPLIED) == plan.counts.creates
    return spent, plan.counts.creates, _rows(store)


TABLES: Final = ("member_keys", "operations", "passes", "pass_records", "wallet_states", "events")


def _rows(store: Any) -> dict[str, list[tuple[object, ...]]]:
    from passflow.store.tables import metadata

    with store.read() as conn:
        return {name: [tuple(row) for row in conn.execute(metadata.tables[name].select())] for name in TABLES}


def _insert(store: Any, tables: dict[str, list[tuple[object, ...]]]) -> float:
    """Every row by psycopg, in transactions of as many operations as passflow's."""
    from passflow.store.tables import metadata
    from passflow.sync.apply import BATCH

    statements = {name: _statement(metadata.tables[name]) for name in TABLES}
    begun = time.perf_counter()
    for start in range(0, len(tables["passes"]), BATCH):
        with store.begin() as conn, conn.connection.cursor() as cursor:
            for name, (head, row, tail) in statements.items():
                for first in range(start, start + BATCH, STATEMENT):
                    part = tables[name][first : min(first + STATEMENT, start + BATCH)]
                    if part:
                        text = head + ", ".join([row] * len(part)) + tail
                        cursor.execute(text, [value for each in part for value in each])
    return time.perf_counter() - begun


def _statement(table: Any) -> tuple[str, str, str]:
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key]
    head = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES "
    assigned = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return head, f"({', '.join(['%s'] * len(names))})", f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {assigned}"
