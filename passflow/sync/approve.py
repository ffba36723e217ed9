"""Approving what the guard withheld: bound to a plan, a kind, a count and the hash of the operations; used once."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from passflow.errors import PlanError
from passflow.model import Kind, Outcome, PlanStatus, Withholding
from passflow.store.audit import add_entry
from passflow.store.engine import Store
from passflow.store.plans import hash_operations, hold_status, load_plan
from passflow.store.tables import approvals, operations


def approve(store: Store, plan_id: str, kind: Kind, count: int, *, actor: str) -> Withholding:
    """Releases the withheld operations of one kind of the newest plan; applying the plan then takes them along.

    Args:
        count: how many operations the approver believes to release; anything else is refused.
        actor: who approves, for the audit.

    Raises:
        PlanError: the plan is not the newest, withholds nothing of the kind, was approved before, or the operations
            are not those that the guard judged.
    """
    with store.begin() as conn:
        hold_status(conn, plan_id, alone=True)  # an apply that is under way looks before or after us, not in between
        plan = load_plan(conn, plan_id)
        if plan.status is not PlanStatus.READY:
            raise PlanError(
                f"Plan {plan_id} is {plan.status.value}: only the newest plan can be approved.",
                fix=f"Run `passflow plan {plan.program}` and approve that plan.",
                code="plan.stale",
            )
        withholding = _find(plan_id, plan.withheld, kind)
        if withholding.count != count:
            raise PlanError(
                f"Plan {plan_id} withholds {withholding.count:,} {kind.value}(s), not {count:,}.",
                fix=f"Look at the plan with `passflow show {plan_id}`, then approve exactly that number.",
                code="plan.approval_count",
            )
        if conn.execute(
            select(approvals).where(approvals.c.plan_id == plan_id, approvals.c.kind == kind.value)
        ).first():
            raise PlanError(
                f"The {kind.value}s of plan {plan_id} were approved before; an approval is used once.",
                fix="Apply the plan, or make a new one.",
                code="plan.approval_used",
            )
        held = (operations.c.plan_id == plan_id, operations.c.kind == kind.value, operations.c.withheld.is_not(None))
        ids = conn.execute(select(operations.c.op_id).where(*held)).scalars()
        if hash_operations(bytes(op_id) for op_id in ids) != withholding.ops_hash:
            raise PlanError(
                f"The operations of plan {plan_id} are not those that the guard judged.", code="plan.approval_hash"
            )
        now = store.now(conn)
        conn.execute(
            insert(approvals).values(
                plan_id=plan_id,
                kind=kind.value,
                count=count,
                ops_hash=withholding.ops_hash,
                approved_by=actor,
                approved_at=now,
                used_at=now,
            )
        )
        conn.execute(
            update(operations).where(*held, operations.c.outcome == Outcome.PENDING.value).values(withheld=None)
        )
        add_entry(
            store, conn, actor=actor, action="plan.approved", program=plan.program, subject=plan_id,
            details={"kind": kind.value, "count": count, "rule": withholding.rule},
        )  # fmt: skip
    return withholding


def _find(plan_id: str, withheld: tuple[Withholding, ...], kind: Kind) -> Withholding:
    for withholding in withheld:
        if withholding.kind is kind:
            return withholding
    raise PlanError(
        f"Plan {plan_id} withholds no {kind.value}s.",
        fix=f"Apply it with `passflow apply {plan_id}`.",
        code="plan.nothing_withheld",
    )
