"""The assets ``members`` and ``pass_plan``: one read of the source, one plan, one verdict."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from passflow.pipeline import names
from passflow.pipeline.checks import plan_check_results, plan_checks
from passflow.pipeline.faults import reported
from passflow.pipeline.lineage import column_lineage
from passflow.pipeline.metadata import members_metadata, plan_metadata
from passflow.pipeline.picture import preview_metadata
from passflow.pipeline.progress import StageClock
from passflow.pipeline.resources import IO_MANAGER, RESOURCE
from passflow.pipeline.sample import operations_table
from passflow.ports import NeedsUpstream

if TYPE_CHECKING:
    from passflow.pipeline.component import PassProgram

UPSTREAM = "upstream"


def build_plan_assets(component: "PassProgram") -> dg.AssetsDefinition:
    """One step that reads the members once and saves the plan with the guard's verdict."""
    program = component.program
    upstream = {}
    if isinstance(program.source, NeedsUpstream):
        upstream[UPSTREAM] = dg.AssetIn(key=names.source_key(program))

    @dg.multi_asset(
        name=names.step(program, names.PLAN),
        specs=[component.get_asset_spec(names.MEMBERS), component.get_asset_spec(names.PLAN)],
        ins=upstream,
        check_specs=plan_checks(program),
        required_resource_keys={RESOURCE, IO_MANAGER},
        can_subset=False,
        pool=names.pool(program),
    )
    def plan(
        context: dg.AssetExecutionContext, **inputs: Any
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        yield from _make_plan(component, context, inputs)

    return plan


def _make_plan(
    component: "PassProgram", context: dg.AssetExecutionContext, inputs: Mapping[str, Any]
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    program, clock = component.program, StageClock(context.log)
    with reported(context.log), context.resources.passflow.open() as installation:
        read = _upstream_read(component, context, inputs)
        plan = component.execute_plan(context, installation, read=read, progress=clock)
        operations = operations_table(program, installation.store, plan)
        preview = preview_metadata(program, installation.store, plan.template_revision)
    yield dg.MaterializeResult(
        asset_key=names.key(program, names.MEMBERS),
        metadata={
            **members_metadata(plan),
            **column_lineage(program, names.MEMBERS),
            "dagster/row_count": plan.proof.rows,
        },
    )
    yield dg.MaterializeResult(
        asset_key=names.key(program, names.PLAN),
        metadata={**preview, **plan_metadata(plan, operations=operations, seconds=clock.seconds())},
    )
    yield from plan_check_results(program, plan)


def _upstream_read(component: "PassProgram", context: dg.AssetExecutionContext, inputs: Mapping[str, Any]) -> Any:
    """The read of an upstream asset's value; None where the source reads for itself."""
    source = component.program.source
    if not isinstance(source, NeedsUpstream):
        return None
    from passflow.sync.plan import source_context

    bound = source.bind(inputs[UPSTREAM], _expected_rows(context, component))
    return bound.open(source_context(component.program))


def _expected_rows(context: dg.AssetExecutionContext, component: "PassProgram") -> int | None:
    """The row count that the newest materialization of the upstream asset said, or None."""
    event = context.instance.get_latest_materialization_event(names.source_key(component.program))
    materialization = event.asset_materialization if event else None
    count = materialization.metadata.get("dagster/row_count") if materialization else None
    return count.value if isinstance(count, dg.IntMetadataValue) else None
