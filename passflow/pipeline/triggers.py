"""What starts the runs of a program: the nightly schedule, a finished plan, a change at the source."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

# what `dg.define_asset_job` returns; it has no public name
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from passflow.pipeline import names
from passflow.pipeline.shards import ranges
from passflow.ports import DetectsChange, NeedsUpstream

if TYPE_CHECKING:
    from passflow.pipeline.component import PassProgram

Job = UnresolvedAssetJobDefinition
START_SECONDS = 5
"""Dagster looks at its sensors every 5 s; more often is not to be had."""

_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def build_schedule(component: "PassProgram", plan_job: Job) -> dg.ScheduleDefinition:
    """The nightly reconciliation."""
    program = component.program
    return dg.ScheduleDefinition(
        name=names.job(program, "nightly"),
        description=f"Reconciles {program.program!r} with its master system.",
        job=plan_job,
        cron_schedule=program.schedule.cron,
        execution_timezone=program.schedule.time_zone,
        default_status=_schedule_status(running=program.schedule.running),
    )


def build_start_apply(component: "PassProgram", apply_job: Job) -> dg.SensorDefinition:
    """Starts the apply job, bound to the plan's id, once a plan and its verdict are stored.

    Only plans made in Dagster start it; one saved from the command line is applied from there. The run key is the plan's
    id, so that a plan is started once however often the event is seen.
    """
    program = component.program

    @dg.asset_sensor(
        asset_key=names.key(program, names.PLAN),
        name=names.job(program, "start_apply"),
        description="Starts the apply job for each new plan; switch it off to apply by hand.",
        job=apply_job,
        minimum_interval_seconds=START_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def start_apply(
        context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        materialization = asset_event.asset_materialization
        plan_id = materialization.metadata.get("passflow/plan_id") if materialization else None
        if plan_id is None:
            yield dg.SkipReason("The materialization names no plan: it was reported by hand.")
            return
        yield from apply_requests(component, str(plan_id.value))

    return start_apply


def apply_requests(component: "PassProgram", plan_id: str) -> Iterator[dg.RunRequest]:
    """The runs that apply a plan: one, or one for each range of shards."""
    program = component.program
    config = dg.RunConfig(ops={names.step(program, names.PASSES): {"config": {"plan_id": plan_id}}})
    tags = {"passflow/plan_id": plan_id}
    if program.shards == 1:
        yield dg.RunRequest(run_key=plan_id, run_config=config, tags=tags)
        return
    for first, last in ranges(program):
        bounds = dict(zip(_RANGE, (first, last), strict=True))
        yield dg.RunRequest(run_key=f"{plan_id}/{first}", run_config=config, tags={**tags, **bounds})


def build_watch(component: "PassProgram", plan_job: Job) -> dg.SensorDefinition | None:
    """Starts the plan job when the source changed; None where the source cannot tell."""
    source = component.program.source
    if isinstance(source, NeedsUpstream):
        return _watch_upstream(component, plan_job)
    return _watch_mark(component, plan_job) if isinstance(source, DetectsChange) else None


def _watch_upstream(component: "PassProgram", plan_job: Job) -> dg.SensorDefinition:
    program = component.program

    @dg.asset_sensor(
        asset_key=names.source_key(program),
        name=names.job(program, "watch"),
        description="Makes a plan after each materialization of the upstream asset.",
        job=plan_job,
        minimum_interval_seconds=program.watch.every_seconds,
        default_status=_sensor_status(running=program.watch.running),
    )
    def watch(context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry) -> dg.RunRequest:
        return dg.RunRequest(run_key=str(asset_event.timestamp))

    return watch


def _watch_mark(component: "PassProgram", plan_job: Job) -> dg.SensorDefinition:
    program = component.program

    @dg.sensor(
        name=names.job(program, "watch"),
        description="Makes a plan when the source says that something changed.",
        job=plan_job,
        minimum_interval_seconds=program.watch.every_seconds,
        default_status=_sensor_status(running=program.watch.running),
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        mark = component.read_mark()
        if mark == context.cursor:
            return dg.SensorResult(skip_reason="Nothing new at the source.")
        # no run key: a source may return to an earlier state, and a run too many changes nothing
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=mark)

    return watch


def _sensor_status(*, running: bool) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED


def _schedule_status(*, running: bool) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED
