"""The asset ``passes`` and one asset per wallet: what the saved plan says, then what the wallets still lack."""

import time
from typing import TYPE_CHECKING, Any

import dagster as dg

from passflow.errors import PlanError
from passflow.pipeline import names
from passflow.pipeline.faults import reported
from passflow.pipeline.lineage import column_lineage
from passflow.pipeline.metadata import applied_metadata, push_metadata, wallet_metadata
from passflow.pipeline.progress import StageClock
from passflow.pipeline.resources import IO_MANAGER, RESOURCE
from passflow.pipeline.shards import Shard, backfill_policy, partitions, shards_of
from passflow.ports import WalletSettings

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.pipeline.component import PassProgram


Context = dg.AssetExecutionContext | dg.OpExecutionContext


class ApplyConfig(dg.Config):
    """Which plan to apply."""

    plan_id: str = ""
    """Id of the plan; empty takes the program's newest one."""


def build_passes(component: "PassProgram") -> dg.AssetsDefinition:
    """One step that applies the plan, shard by shard."""
    program = component.program

    @dg.multi_asset(
        name=names.step(program, names.PASSES),
        specs=[component.get_asset_spec(names.PASSES)],
        partitions_def=partitions(program),
        backfill_policy=backfill_policy(program),
        required_resource_keys={RESOURCE, IO_MANAGER},
        pool=names.pool(program, sharded=program.shards > 1),
    )
    def passes(context: dg.AssetExecutionContext, config: ApplyConfig) -> dg.MaterializeResult[Any]:
        with reported(context.log), context.resources.passflow.open() as installation:
            plan_id = config.plan_id or newest_plan(component, installation)
            for shard in shards_of(context, program):
                metadata = apply_shard(component, context, installation, plan_id, shard)
                context.add_asset_metadata(metadata, partition_key=shard.key)
        return dg.MaterializeResult(metadata=column_lineage(program, names.PASSES))

    return passes


def build_wallet(component: "PassProgram", wallet: WalletSettings) -> dg.AssetsDefinition:
    """One step that brings one wallet up to date, shard by shard, and then tells the phones."""
    program, kind = component.program, names.wallet_kind(wallet.name)

    @dg.multi_asset(
        name=names.step(program, kind),
        specs=[component.get_asset_spec(kind)],
        partitions_def=partitions(program),
        backfill_policy=backfill_policy(program),
        required_resource_keys={RESOURCE, IO_MANAGER},
        pool=names.pool(program, sharded=program.shards > 1),
    )
    def converge(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with reported(context.log), context.resources.passflow.open() as installation:
            for shard in shards_of(context, program):
                metadata = converge_shard(component, context, installation, wallet, shard)
                context.add_asset_metadata(metadata, partition_key=shard.key)
            pushed = component.execute_push(context, installation, wallet, progress=StageClock(context.log))
        return dg.MaterializeResult(metadata={**column_lineage(program, kind), **push_metadata(pushed)})

    return converge


def newest_plan(component: "PassProgram", installation: "Installation") -> str:
    """Id of the program's newest finished plan.

    Raises:
        PlanError: there is none yet.
    """
    from passflow.store.plans import latest_plan

    with installation.store.read() as conn:
        plan = latest_plan(conn, component.program.program)
    if plan is None:
        raise PlanError(
            f"Program {component.program.program!r} has no plan yet.",
            fix=f"Run the job {names.job(component.program, 'plan')} first.",
            code="plan.missing",
        )
    return plan.plan_id


def apply_shard(
    component: "PassProgram", context: Context, installation: "Installation", plan_id: str, shard: Shard
) -> dict[str, Any]:
    """Applies one shard of a plan and returns what it says of itself."""
    began, clock = time.monotonic(), StageClock(context.log)
    applied = component.execute_apply(context, installation, plan_id, low=shard.low, high=shard.high, progress=clock)
    return dict(applied_metadata(applied, time.monotonic() - began))


def converge_shard(
    component: "PassProgram", context: Context, installation: "Installation", wallet: WalletSettings, shard: Shard
) -> dict[str, Any]:
    """Brings one shard of a wallet up to date and returns what it says of itself."""
    began, clock = time.monotonic(), StageClock(context.log)
    done = component.execute_wallet(context, installation, wallet, low=shard.low, high=shard.high, progress=clock)
    return dict(wallet_metadata(done, time.monotonic() - began))
