"""Plans and their operations: saved while they are built, judged once, applied from here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from passflow.errors import PlanError
from passflow.model import Counts, Kind, Operation, Outcome, Plan, PlanStatus, Proof, Rejection, Status, Withholding
from passflow.store.bulk import write_rows
from passflow.store.passes import range_clause
from passflow.store.tables import operations, plans, programs, rejected_members

OPERATION_COLUMNS = (
    "plan_id", "op_id", "program", "id_hash", "kind", "base_revision", "fingerprint", "status", "due_at",
    "changed", "rings", "content_hash", "record_sealed", "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """An operation as it is saved with its plan.

    Args:
        record_sealed: the member's record, sealed for its place in ``pass_records``.
        withheld: the guard's rule that holds it back, or None.
        outcome: how it ended, or ``pending``.
        code: why it ended so, where it was not applied.
    """

    operation: Operation
    record_sealed: bytes | None = field(repr=False)
    withheld: str | None
    outcome: Outcome
    code: str | None


def ensure_program(conn: Connection, program: str, now: int) -> None:
    """Makes sure the program has its row."""
    write_rows(conn, programs, ("program", "created_at"), [(program, now)], on_conflict="ignore")


def begin_plan(conn: Connection, plan: Plan, *, now: int, key_sealed: bytes, key_master_id: str) -> None:
    """Saves a plan that is being built; what an earlier, unfinished build of the program left is removed."""
    unfinished = select(plans.c.plan_id).where(
        plans.c.program == plan.program, plans.c.status == PlanStatus.BUILDING.value
    )
    for plan_id in conn.execute(unfinished).scalars().all():
        discard_plan(conn, plan_id)
    conn.execute(
        insert(plans).values(
            plan_id=plan.plan_id,
            program=plan.program,
            status=PlanStatus.BUILDING.value,
            observed_at=plan.observed_at,
            template_revision=plan.template_revision,
            created_at=now,
            key_sealed=key_sealed,
            key_master_id=key_master_id,
        )
    )


def discard_plan(conn: Connection, plan_id: str) -> None:
    """Removes a plan that is being built, with all that was saved of it; a finished one is left alone."""
    finished = select(plans.c.plan_id).where(plans.c.plan_id == plan_id, plans.c.status != PlanStatus.BUILDING.value)
    if conn.execute(finished).first() is not None:
        return
    for table in (operations, rejected_members, plans):
        conn.execute(delete(table).where(table.c.plan_id == plan_id))


def hold_status(conn: Connection, plan_id: str, *, alone: bool = False) -> PlanStatus | None:
    """Status of a plan, which nobody changes until the transaction ends; None where there is no such plan.

    Args:
        alone: also wait for everybody else who holds it, and make them wait.
    """
    query = select(plans.c.status).where(plans.c.plan_id == plan_id).with_for_update(read=not alone)
    found = conn.execute(query).scalar_one_or_none()
    return None if found is None else PlanStatus(found)


def hold_building(conn: Connection, plan_id: str) -> None:
    """Makes sure that a plan is still being built, and that it remains so until the transaction ends.

    Raises:
        PlanError: another plan of the program was begun meanwhile; it reads the source later, so it counts.
    """
    if hold_status(conn, plan_id) is not PlanStatus.BUILDING:
        raise PlanError(
            f"Another plan of the program was begun while plan {plan_id} was made, and took its place.",
            fix="Wait for the other one; plan one program from one place at a time.",
            code="plan.overtaken",
        )


def write_operations(
    conn: Connection, plan_id: str, found: Sequence[Operation], sealed: Sequence[bytes | None]
) -> None:
    """Saves operations of a plan beside their sealed records, in key order."""
    rows = [
        (
            plan_id, op.op_id, op.program, op.id_hash, op.kind.value, op.base_revision, op.fingerprint,
            op.status.value, op.due_at, ",".join(op.changed), ",".join(op.rings), op.content_hash, record,
            Outcome.PENDING.value,
        )
        for op, record in sorted(zip(found, sealed, strict=True), key=lambda pair: pair[0].id_hash)
    ]  # fmt: skip
    write_rows(conn, operations, OPERATION_COLUMNS, rows)


def write_rejections(
    conn: Connection, plan_id: str, program: str, rejections: Sequence[Rejection], sealed: Sequence[bytes]
) -> None:
    """Saves refused rows beside their sealed records."""
    columns = ("plan_id", "row", "program", "id_hash", "code", "field", "record_sealed")
    rows = [
        (plan_id, rejection.row, program, rejection.id_hash, rejection.code, rejection.field, record)
        for rejection, record in zip(rejections, sealed, strict=True)
    ]
    write_rows(conn, rejected_members, columns, rows, on_conflict="ignore")


def finish_plan(conn: Connection, plan: Plan, *, now: int) -> None:
    """Stores the verdict and makes the plan the program's only ready one; operations held back are marked.

    Raises:
        PlanError: another plan of the program was begun meanwhile; it reads the source later, so it counts.
    """
    hold_building(conn, plan.plan_id)
    superseded = update(plans).where(plans.c.program == plan.program, plans.c.status == PlanStatus.READY.value)
    conn.execute(superseded.values(status=PlanStatus.SUPERSEDED.value))
    ready = {"status": PlanStatus.READY.value, "ready_at": now, "summary": _summary(plan)}
    conn.execute(update(plans).where(plans.c.plan_id == plan.plan_id).values(**ready))
    for withholding in plan.withheld:
        held = (operations.c.plan_id == plan.plan_id, operations.c.kind == withholding.kind.value)
        conn.execute(update(operations).where(*held).values(withheld=withholding.rule))
    of_program = update(programs).where(programs.c.program == plan.program)
    conn.execute(of_program.values(read_at=plan.observed_at, template_revision=plan.template_revision))


def _summary(plan: Plan) -> str:
    document = {
        "template_changed": plan.template_changed,
        "proof": asdict(plan.proof),
        "counts": asdict(plan.counts),
        "refusals": dict(plan.refusals),
        "withheld": [asdict(withholding) for withholding in plan.withheld],
    }
    return orjson.dumps(document).decode()


def load_plan(conn: Connection, plan_id: str) -> Plan:
    """A finished plan by its id.

    Raises:
        PlanError: there is none, or it was never finished.
    """
    row = conn.execute(select(plans).where(plans.c.plan_id == plan_id)).mappings().first()
    if row is None:
        raise PlanError(f"There is no plan {plan_id}.", code="plan.unknown")
    if row["status"] == PlanStatus.BUILDING.value:
        raise PlanError(f"Plan {plan_id} was never finished.", code="plan.unfinished")
    summary = orjson.loads(row["summary"])
    return Plan(
        plan_id=plan_id,
        program=row["program"],
        status=PlanStatus(row["status"]),
        observed_at=row["observed_at"],
        template_revision=row["template_revision"],
        template_changed=summary["template_changed"],
        proof=Proof(**summary["proof"]),
        counts=Counts(**summary["counts"]),
        refusals=summary["refusals"],
        withheld=tuple(replace(Withholding(**item), kind=Kind(item["kind"])) for item in summary["withheld"]),
    )


def latest_plan(conn: Connection, program: str) -> Plan | None:
    """The newest finished plan of a program, or None."""
    query = (
        select(plans.c.plan_id)
        .where(plans.c.program == program, plans.c.status != PlanStatus.BUILDING.value)
        .order_by(plans.c.created_at.desc())
        .limit(1)
    )
    plan_id = conn.execute(query).scalar()
    return load_plan(conn, plan_id) if plan_id else None


def read_operations(
    conn: Connection,
    plan_id: str,
    *,
    low: int = 0,
    high: int = 256,
    kinds: Iterable[Kind] | None = None,
    pending_only: bool = False,
    after: bytes = b"",
    limit: int | None = None,
) -> list[Saved]:
    """Operations of a plan in key order.

    Args:
        pending_only: those that may be applied now: not ended and not withheld.
        after: begin behind this id hash.
        limit: at most so many.
    """
    query = select(operations).where(operations.c.plan_id == plan_id, range_clause(operations.c.id_hash, low, high))
    if kinds is not None:
        query = query.where(operations.c.kind.in_([kind.value for kind in kinds]))
    if pending_only:
        query = query.where(operations.c.outcome == Outcome.PENDING.value, operations.c.withheld.is_(None))
    if after:
        query = query.where(operations.c.id_hash > after)
    rows = conn.execute(query.order_by(operations.c.id_hash).limit(limit)).all()
    return [Saved(_operation(row), row.record_sealed, row.withheld, Outcome(row.outcome), row.code) for row in rows]


def _operation(row: Row[Any]) -> Operation:
    get = row._mapping.__getitem__
    return Operation(
        op_id=get("op_id"),
        program=get("program"),
        id_hash=get("id_hash"),
        kind=Kind(get("kind")),
        base_revision=get("base_revision"),
        fingerprint=get("fingerprint"),
        status=Status(get("status")),
        due_at=get("due_at"),
        changed=tuple(filter(None, get("changed").split(","))),
        rings=tuple(filter(None, get("rings").split(","))),
        content_hash=get("content_hash"),
    )


def end_operations(
    conn: Connection,
    plan_id: str,
    first: bytes,
    last: bytes,
    exceptions: Sequence[tuple[bytes, Outcome, str | None]],
    now: int,
) -> None:
    """Records how the pending operations from ``first`` to ``last`` ended: applied, but for the exceptions."""
    pending = (
        operations.c.plan_id == plan_id,
        operations.c.outcome == Outcome.PENDING.value,
        operations.c.withheld.is_(None),
    )
    for id_hash, outcome, code in exceptions:
        conn.execute(
            update(operations)
            .where(operations.c.plan_id == plan_id, operations.c.id_hash == id_hash)
            .values(outcome=outcome.value, code=code, ended_at=now)
        )
    conn.execute(
        update(operations)
        .where(*pending, operations.c.id_hash.between(first, last))
        .values(outcome=Outcome.APPLIED.value, ended_at=now)
    )


def hash_of_kind(conn: Connection, plan_id: str, kind: Kind) -> str:
    """Hash over the ids of a plan's operations of one kind; what an approval is bound to."""
    query = select(operations.c.op_id).where(operations.c.plan_id == plan_id, operations.c.kind == kind.value)
    return hash_operations(bytes(op_id) for op_id in conn.execute(query).scalars())


def count_outcomes(conn: Connection, plan_id: str) -> dict[tuple[Kind, Outcome, bool], int]:
    """Operations of a plan by kind, outcome and whether they are withheld."""
    held = operations.c.withheld.is_not(None).label("held")
    query = (
        select(operations.c.kind, operations.c.outcome, held, func.count().label("n"))
        .where(operations.c.plan_id == plan_id)
        .group_by(operations.c.kind, operations.c.outcome, held)
    )
    return {(Kind(row.kind), Outcome(row.outcome), bool(row.held)): row.n for row in conn.execute(query)}


def hash_operations(op_ids: Iterable[bytes]) -> str:
    """Hash over operation ids in ascending order."""
    digest = hashlib.sha256()
    for op_id in sorted(op_ids):
        digest.update(op_id)
    return digest.hexdigest()


def close_plan(conn: Connection, plan_id: str, now: int) -> bool:
    """Marks a plan applied once nothing of it may be applied any more and nothing waits for an approval."""
    left = conn.execute(
        select(func.count()).where(operations.c.plan_id == plan_id, operations.c.outcome == Outcome.PENDING.value)
    ).scalar_one()
    if left:
        return False
    conn.execute(
        update(plans)
        .where(plans.c.plan_id == plan_id, plans.c.status == PlanStatus.READY.value)
        .values(status=PlanStatus.APPLIED.value, applied_at=now)
    )
    return True
