"""What the assets of a program tell Dagster: typed sets under ``passflow/…``, counts and codes only.

Nothing here may show a person: members appear masked, pictures show an invented specimen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import MarkdownMetadataValue, TableMetadataValue, TimestampMetadataValue

# dagster's own integrations extend this class; it has no public door yet
from dagster._core.definitions.metadata.metadata_set import NamespacedMetadataSet

from passflow.model import Kind, Outcome, Plan

if TYPE_CHECKING:
    from passflow.ports import Rung
    from passflow.sync.apply import Applied
    from passflow.sync.converge import Converged


class PassflowMetadata(NamespacedMetadataSet):
    """Base of the typed metadata; keys read ``passflow/<field>``."""

    @classmethod
    def namespace(cls) -> str:
        """The prefix of every key."""
        return "passflow"


class MembersMetadata(PassflowMetadata):
    """What reading the source gave."""

    rows: int
    complete: bool
    proof: str
    refused: int
    refusals: TableMetadataValue | None = None
    observed_at: TimestampMetadataValue


class PlanMetadata(PassflowMetadata):
    """What a plan would do, and the guard's verdict on it."""

    plan_id: str
    template_revision: str
    template_changed: bool
    creates: int
    updates: int
    deletes: int
    unchanged: int
    ignored: int
    ringing: int
    phones: int
    live: int
    withheld: int
    guard: TableMetadataValue | None = None
    operations: TableMetadataValue | None = None
    seconds: TableMetadataValue | None = None


class AppliedMetadata(PassflowMetadata):
    """How the operations of a plan ended, in all or in one shard."""

    plan_id: str
    applied: int
    unchanged: int
    stale: int
    refused: int
    failed: int
    withheld: int
    closed: bool
    outcomes: TableMetadataValue | None = None
    seconds: float | None = None


class WalletMetadata(PassflowMetadata):
    """What a wallet did, in all or in one shard: passes signed or sent, and what is still behind."""

    signed: int
    signed_again: int
    published: int
    failed: int
    behind: int
    codes: TableMetadataValue | None = None
    seconds: float | None = None


class PushMetadata(PassflowMetadata):
    """How the phones were told."""

    pushed: int
    gone: int
    push_retries: int
    push_reasons: TableMetadataValue | None = None


class PreviewMetadata(PassflowMetadata):
    """A picture of the pass, with invented values."""

    preview: MarkdownMetadataValue | None = None


def table(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> TableMetadataValue | None:
    """A table for the UI; None when it has no rows.

    Args:
        columns: name to type (string, int, float) of each column.
        rows: values in column order.
    """
    records = [dg.TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    if not records:
        return None
    schema = dg.TableSchema(columns=[dg.TableColumn(name, kind) for name, kind in columns.items()])
    return dg.MetadataValue.table(records=records, schema=schema)


def codes_table(codes: Mapping[str, int]) -> TableMetadataValue | None:
    """Codes with their counts, the commonest first."""
    rows = sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    return table({"code": "string", "count": "int"}, rows)


def refusals_table(refusals: Mapping[str, int]) -> TableMetadataValue | None:
    """Refused rows by code, each with its cause and the way out."""
    from passflow.sync.codes import ROW_CODES

    def row(code: str, count: int) -> tuple[str, int, str, str]:
        known = ROW_CODES.get(code)
        return code, count, known.cause if known else "", known.fix if known else ""

    columns = {"code": "string", "rows": "int", "cause": "string", "next_step": "string"}
    return table(columns, (row(code, count) for code, count in sorted(refusals.items())))


def guard_table(plan: Plan) -> TableMetadataValue | None:
    """The guard's verdict: what is withheld, by which rule, and the job config that approves it."""
    columns = {"kind": "string", "count": "int", "rule": "string", "limit": "string", "reason": "string"}
    return table(columns, ((held.kind.value, held.count, held.rule, held.limit, held.reason) for held in plan.withheld))


def outcomes_table(outcomes: Mapping[tuple[Kind, Outcome], int]) -> TableMetadataValue | None:
    """Operations by kind and outcome."""
    rows = [(kind.value, outcome.value, count) for (kind, outcome), count in sorted(outcomes.items()) if count]
    return table({"kind": "string", "outcome": "string", "count": "int"}, rows)


def seconds_table(seconds: Mapping[str, float]) -> TableMetadataValue | None:
    """Seconds by stage, in the order they were gone through."""
    return table(
        {"stage": "string", "seconds": "float"}, ((stage, round(value, 2)) for stage, value in seconds.items())
    )


def timestamp(microseconds: int) -> TimestampMetadataValue:
    """A time of the store (microseconds since 1970 UTC) for the UI."""
    return dg.MetadataValue.timestamp(microseconds / 1e6)


def members_metadata(plan: Plan) -> MembersMetadata:
    """What a plan says of its read."""
    return MembersMetadata(
        rows=plan.proof.rows,
        complete=plan.proof.complete,
        proof=plan.proof.reason,
        refused=plan.counts.refused,
        refusals=refusals_table(plan.refusals),
        observed_at=timestamp(plan.observed_at),
    )


def plan_metadata(plan: Plan, *, operations: TableMetadataValue | None, seconds: Mapping[str, float]) -> PlanMetadata:
    """What a plan says of itself.

    Args:
        plan: the finished plan.
        operations: a masked sample of its operations.
        seconds: duration of each stage.
    """
    counts = plan.counts
    return PlanMetadata(
        plan_id=plan.plan_id,
        template_revision=plan.template_revision[:16],
        template_changed=plan.template_changed,
        creates=counts.creates,
        updates=counts.updates,
        deletes=counts.deletes,
        unchanged=counts.unchanged,
        ignored=counts.ignored,
        ringing=counts.ringing,
        phones=counts.phones,
        live=counts.live,
        withheld=sum(held.count for held in plan.withheld),
        guard=guard_table(plan),
        operations=operations,
        seconds=seconds_table(seconds),
    )


def applied_metadata(applied: "Applied", seconds: float | None = None) -> AppliedMetadata:
    """How the operations of one shard, or of the whole plan, ended.

    Args:
        applied: what applying said; ``withheld`` and ``closed`` are of the whole plan.
        seconds: how long it took.
    """
    return AppliedMetadata(
        plan_id=applied.plan_id,
        applied=applied.count(Outcome.APPLIED),
        unchanged=applied.count(Outcome.UNCHANGED),
        stale=applied.count(Outcome.STALE),
        refused=applied.count(Outcome.REFUSED),
        failed=applied.count(Outcome.FAILED),
        withheld=applied.withheld,
        closed=applied.closed,
        outcomes=outcomes_table(applied.outcomes),
        seconds=seconds,
    )


def wallet_metadata(done: "Converged", seconds: float | None = None) -> WalletMetadata:
    """What bringing one shard of a wallet up to date did; ``behind`` is of the whole wallet."""
    return WalletMetadata(
        signed=done.brought,
        signed_again=done.signed_again,
        published=done.published,
        failed=sum(done.failed.values()),
        behind=done.behind,
        codes=codes_table({**done.notices, **done.failed}),
        seconds=seconds,
    )


def push_metadata(rung: "Rung") -> PushMetadata:
    """How telling the phones went."""
    return PushMetadata(
        pushed=rung.told, gone=rung.gone, push_retries=rung.retry, push_reasons=codes_table(rung.reasons)
    )
