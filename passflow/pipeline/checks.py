"""Asset checks: two of the read, one of the plan, three of every wallet.

None of them blocks. A failed check holds only its own run back, and the guard withholds part of a plan, not all of it:
what it withheld is stored with the plan and applying obeys the store, while the rest goes on.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from passflow.model import Plan
from passflow.pipeline import names
from passflow.pipeline.metadata import codes_table, guard_table
from passflow.program import Program

if TYPE_CHECKING:
    pass

COMPLETE = "source_complete"
UNIQUE = "ids_unique"
GUARD = "guard"

_ID_CODES = ("id.duplicate", "id.case_variant")


def plan_checks(program: Program) -> list[dg.AssetCheckSpec]:
    """Checks of the read and of the plan; evaluated in the step that makes the plan."""
    members, plan = names.key(program, names.MEMBERS), names.key(program, names.PLAN)
    return [
        dg.AssetCheckSpec(
            COMPLETE, asset=members, description="The read is proved complete; only then are passes deleted."
        ),
        dg.AssetCheckSpec(UNIQUE, asset=members, description="No two members share an external id, not even by case."),
        dg.AssetCheckSpec(
            GUARD, asset=plan, description="The guard withheld nothing; what it withheld waits for approval."
        ),
    ]


def plan_check_results(program: Program, plan: Plan) -> Iterator[dg.AssetCheckResult]:
    """The verdicts on a finished plan."""
    members, pass_plan = names.key(program, names.MEMBERS), names.key(program, names.PLAN)
    yield dg.AssetCheckResult(
        asset_key=members,
        check_name=COMPLETE,
        passed=plan.proof.complete,
        severity=dg.AssetCheckSeverity.WARN,  # nothing is lost: deletes wait for a better read
        description=plan.proof.reason,
        metadata={"passflow/rows": plan.proof.rows},
    )
    repeated = {code: plan.refusals[code] for code in _ID_CODES if plan.refusals.get(code)}
    yield dg.AssetCheckResult(
        asset_key=members,
        check_name=UNIQUE,
        passed=not repeated,
        severity=dg.AssetCheckSeverity.WARN,  # those rows are refused and their passes stay as they are
        metadata=_without_none({"passflow/codes": codes_table(repeated)}),
    )
    yield dg.AssetCheckResult(
        asset_key=pass_plan,
        check_name=GUARD,
        passed=not plan.withheld,
        severity=dg.AssetCheckSeverity.ERROR,  # somebody has to decide
        description=guard_sentence(program, plan),
        metadata=_without_none({"passflow/plan_id": plan.plan_id, "passflow/guard": guard_table(plan)}),
    )


def guard_sentence(program: Program, plan: Plan) -> str:
    """What the guard withheld and how it is approved, in words."""
    if not plan.withheld:
        return "Nothing is withheld."
    held = " ".join(item.reason for item in plan.withheld)
    items = "; ".join(f"kind {item.kind.value}, count {item.count}" for item in plan.withheld)
    return f"{held} To release it, launch {names.job(program, 'approve')} with plan_id {plan.plan_id}: {items}."


def _without_none(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value is not None}
