import dagster as dg
import pytest

from passflow.model import Counts, Kind, Outcome, Plan, PlanStatus, Proof, Withholding
from passflow.pipeline.metadata import (
    AppliedMetadata,
    MembersMetadata,
    PlanMetadata,
    codes_table,
    members_metadata,
    outcomes_table,
    plan_metadata,
    refusals_table,
    seconds_table,
    table,
)
from passflow.sync.codes import ROW_CODES

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
