from collections import Counter

import dagster as dg
import pytest

from passflow.model import Counts, Kind, Outcome, Plan, PlanStatus, Proof, Withholding
from passflow.pipeline.metadata import (
    AppliedMetadata,
    MembersMetadata,
    PlanMetadata,
    applied_metadata,
    codes_table,
    members_metadata,
    outcomes_table,
    plan_metadata,
    push_metadata,
    refusals_table,
    seconds_table,
    table,
    wallet_metadata,
)
from passflow.ports import Rung
from passflow.sync.apply import Applied
from passflow.sync.codes import ROW_CODES
from passflow.sync.converge import Converged

PLAN = Plan(
    plan_id="0123456789abcdef",
    program="gold",
    status=PlanStatus.READY,
    observed_at=1_790_000_000_000_000,
    template_revision="ab" * 32,
    template_changed=False,
    proof=Proof(complete=True, rows=2400, reason="2,400 rows, as the control file says"),
    counts=Counts(
        rows=2400, creates=3, updates=5, deletes=12, unchanged=2370, refused=7, ringing=4, phones=100, live=2397
    ),
    refusals={"id.duplicate": 4, "date.unreadable": 3},
    withheld=(Withholding(Kind.DELETE, "deletes.share", 12, "10 and 10 %", "12 of 100 live passes would be deleted."),),
)


def records(value: dg.TableMetadataValue | None) -> list[dict[str, object]]:
    assert value is not None
    return [dict(record.data) for record in value.records]


def test_keys_are_namespaced_and_typed() -> None:
    metadata = dict(plan_metadata(PLAN, operations=None, seconds={"read": 1.234}))
    assert metadata["passflow/plan_id"] == "0123456789abcdef"
    assert metadata["passflow/deletes"] == 12
    assert metadata["passflow/withheld"] == 12
    assert "passflow/operations" not in metadata
    assert PlanMetadata.extract(metadata).creates == 3
    assert records(metadata["passflow/seconds"]) == [{"stage": "read", "seconds": 1.23}]


def test_the_guards_table_names_rule_and_limit() -> None:
    metadata = dict(plan_metadata(PLAN, operations=None, seconds={}))
    (row,) = records(metadata["passflow/guard"])
    assert row["rule"] == "deletes.share"
    assert row["count"] == 12
    assert row["limit"] == "10 and 10 %"


def test_members_say_whether_the_read_is_proved() -> None:
    metadata = dict(members_metadata(PLAN))
    assert metadata["passflow/complete"] is True
    assert metadata["passflow/refused"] == 7
    assert metadata["passflow/observed_at"].value == 1_790_000_000.0
    assert MembersMetadata.extract(metadata).rows == 2400


def test_refusals_teach() -> None:
    rows = records(refusals_table({"id.duplicate": 4, "from.the.future": 1}))
    assert rows[1]["cause"] == ROW_CODES["id.duplicate"].cause
    assert rows[1]["next_step"] == ROW_CODES["id.duplicate"].fix
    assert rows[0] == {"code": "from.the.future", "rows": 1, "cause": "", "next_step": ""}


def test_outcomes_by_kind() -> None:
    rows = records(outcomes_table({(Kind.UPDATE, Outcome.STALE): 1, (Kind.CREATE, Outcome.APPLIED): 3}))
    assert rows == [
        {"kind": "create", "outcome": "applied", "count": 3},
        {"kind": "update", "outcome": "stale", "count": 1},
    ]


def test_the_commonest_code_comes_first() -> None:
    assert [row["code"] for row in records(codes_table({"a": 1, "b": 9, "c": 9}))] == ["b", "c", "a"]


@pytest.mark.parametrize(
    "empty", [codes_table({}), outcomes_table({}), refusals_table({}), seconds_table({}), table({}, [])]
)
def test_an_empty_table_is_left_out(empty: object) -> None:
    assert empty is None


def test_a_wrong_type_is_refused() -> None:
    with pytest.raises(Exception, match="plan_id"):
        AppliedMetadata.model_validate({"plan_id": 3})


def test_applied_counts_every_outcome() -> None:
    outcomes = {
        (Kind.CREATE, Outcome.APPLIED): 5,
        (Kind.UPDATE, Outcome.APPLIED): 2,
        (Kind.UPDATE, Outcome.STALE): 3,
        (Kind.DELETE, Outcome.REFUSED): 1,
        (Kind.DELETE, Outcome.UNCHANGED): 4,
        (Kind.CREATE, Outcome.FAILED): 6,
    }
    told = applied_metadata(Applied("p", outcomes, withheld=9, closed=False), seconds=1.5)
    assert (told.applied, told.stale, told.refused, told.unchanged, told.failed) == (7, 3, 1, 4, 6)
    assert (told.withheld, told.closed, told.seconds) == (9, False, 1.5)
    assert sum(row["count"] for row in records(told.outcomes)) == 21  # type: ignore[misc]  # integers


def test_a_wallet_shows_failures_and_notices_by_code() -> None:
    done = Converged(
        "apple", brought=10, published=8, signed_again=2, behind=3,
        failed=Counter({"image.too_large": 3}), notices=Counter({"fetch.refused": 1}),
    )  # fmt: skip
    told = wallet_metadata(done)
    assert (told.signed, told.signed_again, told.published, told.failed, told.behind) == (10, 2, 8, 3, 3)
    assert {row["code"]: row["count"] for row in records(told.codes)} == {"image.too_large": 3, "fetch.refused": 1}


def test_pushes_by_reason() -> None:
    told = dict(push_metadata(Rung(told=7, gone=2, retry=1, reasons={"Unregistered": 2})))
    assert (told["passflow/pushed"], told["passflow/gone"], told["passflow/push_retries"]) == (7, 2, 1)
    assert records(told["passflow/push_reasons"]) == [{"code": "Unregistered", "count": 2}]
    assert "passflow/push_reasons" not in dict(push_metadata(Rung()))
