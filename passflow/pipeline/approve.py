"""The approve job: a person releases what the guard withheld, and it is applied at once."""

import os
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field

from passflow.model import Kind
from passflow.pipeline import names
from passflow.pipeline.apply import apply_shard, converge_shard
from passflow.pipeline.faults import reported
from passflow.pipeline.progress import StageClock
from passflow.pipeline.resources import RESOURCE
from passflow.pipeline.shards import all_shards

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.pipeline.component import PassProgram


class ApproveConfig(dg.Config):
    """What is approved; all three must match what the guard withheld, and an approval is used once."""

    plan_id: str = Field(description="Id of the plan, as `pass_plan` shows it.")
    kind: Literal["create", "update", "delete"] = Field(description="Kind of the withheld operations.")
    count: int = Field(description="How many operations the guard withheld; another number is refused.")
    approved_by: str = Field(default="", description="Who approves, for the audit; empty names the run.")


def build_approve_job(component: "PassProgram") -> dg.JobDefinition:
    """A job of one op: approve, apply what was withheld, bring the wallets there."""
    program = component.program

    @dg.op(
        name=names.step(program, "approve"),
        description="Approves withheld operations of a plan and applies them.",
        required_resource_keys={RESOURCE},
        pool=names.pool(program),
        out=dg.Out(dg.Nothing),
    )
    def approve(context: dg.OpExecutionContext, config: ApproveConfig) -> None:
        with reported(context.log), context.resources.passflow.open() as installation:
            component.execute_approve(
                context, installation, config.plan_id, Kind(config.kind), config.count, actor=_actor(context, config)
            )
            _apply_and_converge(component, context, installation, config.plan_id)

    @dg.job(
        name=names.job(program, "approve"),
        description=f"Approve what the guard withheld of a plan of {program.program!r}, then apply it.",
        executor_def=dg.in_process_executor,
        tags=component.run_tags(),
    )
    def approve_job() -> None:
        approve()

    return approve_job


def _actor(context: dg.OpExecutionContext, config: ApproveConfig) -> str:
    return config.approved_by or os.environ.get("PASSFLOW_ACTOR") or f"dagster run {context.run.run_id}"


def _apply_and_converge(
    component: "PassProgram", context: dg.OpExecutionContext, installation: "Installation", plan_id: str
) -> None:
    """The same steps as the assets', told to Dagster as materializations of them."""
    program = component.program
    for shard in all_shards(program):
        applied = apply_shard(component, context, installation, plan_id, shard)
        context.log_event(
            dg.AssetMaterialization(names.key(program, names.PASSES), metadata=applied, partition=shard.key)
        )
    for wallet in program.wallets:
        key = names.key(program, names.wallet_kind(wallet.name))
        for shard in all_shards(program):
            converged = converge_shard(component, context, installation, wallet, shard)
            context.log_event(dg.AssetMaterialization(key, metadata=converged, partition=shard.key))
        component.execute_push(context, installation, wallet, progress=StageClock(context.log))
