"""Applying a plan: what should be, committed in batches; nothing outside the store is touched here.

Each batch is one transaction: the passes, their records, wallet states, operations, events and deliveries together. A
run that dies continues where it stopped, because operations that ended are not pending any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from passflow.errors import PlanError
from passflow.model import Kind, Origin, Outcome, Plan, PlanStatus
from passflow.program import Program
from passflow.store.bulk import gather_statistics
from passflow.store.changes import Change, write_changes
from passflow.store.engine import Store
from passflow.store.erasure import destroy
from passflow.store.leases import Lease, acquire, release
from passflow.store.passes import read_erased, read_rows
from passflow.store.plans import close_plan, end_operations, hold_status, latest_plan, load_plan, read_operations
from passflow.store.tables import member_keys, pass_records, passes, wallet_states
from passflow.sync.points import reach
from passflow.sync.progress import Progress, silent
from passflow.sync.settle import Cause, Settled, settle

BATCH = 2_000
"""Operations in one transaction: 2,000 keep a write lock of SQLite well under a second."""

ATTEMPTS = 5
"""Tries of one batch where a single change issues the same pass in the same moment."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a plan did."""

    plan_id: str
    outcomes: Mapping[tuple[Kind, Outcome], int]
    withheld: int
    closed: bool

    def count(self, outcome: Outcome) -> int:
        """Operations that ended so, over all kinds."""
        return sum(number for (_, ended), number in self.outcomes.items() if ended is outcome)


def apply_plan(
    program: Program,
    store: Store,
    plan_id: str,
    *,
    low: int = 0,
    high: int = 256,
    holder: str,
    progress: Progress = silent,
) -> Applied:
    """Applies what of a plan may be applied, in one range of ids.

    Args:
        low: first byte of the first id hash of the range.
        high: one past the last first byte.
        holder: who applies, shown to whoever waits for the lease.

    Raises:
        PlanError: the plan is unknown, unfinished, superseded, or of another program.
        LeaseHeld: another run applies to the same passes.
        LeaseLost: this run's lease went to another; the batch in hand was rolled back.
    """
    plan = check_applicable(program, store, plan_id)
    lease = acquire(store, program.program, low=low, high=high, holder=holder)
    reach("apply.leased")
    outcomes: Counter[tuple[Kind, Outcome]] = Counter()
    cause = Cause(plan_id, plan.observed_at, plan.template_revision, Origin.SOURCE)
    try:
        while batch := _apply_batch(program, store, lease, cause):
            if not outcomes:
                gather_statistics(store, member_keys, pass_records, passes, wallet_states)
            outcomes.update(batch)
            progress("apply", outcomes.total(), None)
        with store.begin(lease) as conn:
            closed = close_plan(conn, plan_id, store.now(conn))
        reach("apply.closed")
    finally:
        release(store, lease)
    with store.read() as conn:
        withheld = sum(item.count for item in load_plan(conn, plan_id).withheld)
    return Applied(plan_id, dict(outcomes), withheld, closed)


def check_applicable(program: Program, store: Store, plan_id: str) -> Plan:
    """The plan, if it may be applied now.

    Raises:
        PlanError: it may not; the message says why.
    """
    with store.read() as conn:
        plan = load_plan(conn, plan_id)
        newest = latest_plan(conn, program.program)
    if plan.program != program.program:
        raise PlanError(f"Plan {plan_id} belongs to program {plan.program!r}, not {program.program!r}.")
    if plan.status is PlanStatus.SUPERSEDED or (newest and newest.plan_id != plan_id):
        raise _stale(plan_id, f"plan {newest.plan_id}" if newest else "another plan")
    return plan


def _stale(plan_id: str, newer: str) -> PlanError:
    return PlanError(
        f"Plan {plan_id} is stale: a newer read of the source produced {newer}.",
        fix="Apply the newest plan; what an old one saw may not be true any more.",
        code="plan.stale",
    )


def _apply_batch(program: Program, store: Store, lease: Lease, cause: Cause) -> Counter[tuple[Kind, Outcome]]:
    for attempt in range(ATTEMPTS):
        try:
            return _try_batch(program, store, lease, cause)
        except IntegrityError:
            # a link or webhook issued one of these passes since we looked; the next look finds it
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _try_batch(program: Program, store: Store, lease: Lease, cause: Cause) -> Counter[tuple[Kind, Outcome]]:
    with store.begin(lease) as conn:
        # held until the commit: neither a newer plan nor an approval comes between what is read and what is recorded
        if hold_status(conn, cause.plan_id) not in (PlanStatus.READY, PlanStatus.APPLIED):
            raise _stale(cause.plan_id, "another plan while it was applied")
        found = read_operations(conn, cause.plan_id, low=lease.low, high=lease.high, pending_only=True, limit=BATCH)
        if not found:
            return Counter()
        ids = [saved.operation.id_hash for saved in found]
        rows = read_rows(conn, program.program, ids, lock=True)
        erased = read_erased(conn, program.program, ids)
        reach("apply.batch_read")
        now = store.now(conn)
        outcomes: Counter[tuple[Kind, Outcome]] = Counter()
        changes: list[Change] = []
        exceptions: list[tuple[bytes, Outcome, str | None]] = []
        for saved in found:
            operation = saved.operation
            if operation.id_hash in erased:
                settled = Settled(Outcome.REFUSED, code="member.erased")
            else:
                settled = settle(operation, saved.record_sealed, rows.get(operation.id_hash), cause)
            outcomes[operation.kind, settled.outcome] += 1
            if settled.change is not None:
                changes.append(settled.change)
            if settled.outcome is not Outcome.APPLIED:
                exceptions.append((operation.id_hash, settled.outcome, settled.code))
        write_changes(conn, program, changes, now=now)
        for id_hash in sorted(erased):
            destroy(conn, program.program, id_hash, now)  # what the plan sealed while the member was erased
        end_operations(conn, cause.plan_id, ids[0], ids[-1], exceptions, now)
        reach("apply.batch_written")
    reach("apply.batch_committed")
    return outcomes
