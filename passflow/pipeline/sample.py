"""A masked sample of a plan's operations, as the asset page shows it."""

from typing import TYPE_CHECKING

from dagster import TableMetadataValue

from passflow.model import Plan
from passflow.pipeline.metadata import table
from passflow.program import Program

if TYPE_CHECKING:
    from passflow.store.engine import Store
    from passflow.sync.explain import ExplainedOperation

ROWS = 10
"""Operations of each kind: what fits a page, and little in Dagster's event log."""

_SIGNS = {"create": "+", "update": "~", "delete": "-"}
_RINGS = " 🔔"


def operations_table(program: Program, store: "Store", plan: Plan) -> TableMetadataValue | None:
    """Some operations of each kind: what happens to which pass; members and values are masked."""
    from passflow.sync.explain import explain

    shown = explain(program, store, plan.plan_id, limit=ROWS, show_values=False)
    columns = {
        "operation": "string", "member": "string", "serial": "string", "changes": "string", "status": "string",
        "withheld": "string",
    }  # fmt: skip
    rows = [_row(operation) for operation in shown.operations]
    rows += [
        ("", f"and {count:,} more", "", "", kind.value, "") for kind, count in shown.operations_cut.items() if count
    ]
    return table(columns, rows)


def _row(operation: "ExplainedOperation") -> tuple[str, ...]:
    kind = operation.kind.value
    before, after = operation.status_before, operation.status_after
    status = after.value if before in (None, after) else f"{before.value} → {after.value}"
    return (
        f"{_SIGNS[kind]} {kind}{_RINGS if operation.rings else ''}",
        operation.external_id,
        # whoever knows a serial number can open the pass, so an event log does not hold it whole
        f"{operation.serial[:8]}…" if operation.serial else "assigned on issue",
        _changes(operation),
        status,
        operation.withheld or "",
    )


def _changes(operation: "ExplainedOperation") -> str:
    if operation.silent:
        return f"not shown on the pass: {', '.join(operation.silent)}"
    return "; ".join(
        f"{change.key}: {change.old or '–'} → {change.new or '–'}{_RINGS if change.rings else ''}"
        for change in operation.changes
    )
