"""Plan, apply and approve as real runs on a real instance and a real store."""

import json
from collections.abc import Callable

import dagster as dg
import pytest
from sqlalchemy import func, select

from passflow.model import Status
from passflow.pipeline.metadata import AppliedMetadata, MembersMetadata, PlanMetadata, WalletMetadata
from passflow.store.tables import passes, wallet_states
from passflow_tests.pipeline.club import Project, Run, members

Result = dg.ExecuteInProcessResult


def metadata(result: Result, *key: str) -> dict[str, object]:
    (event,) = [
        event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey(list(key))
    ]
    return dict(event.step_materialization_data.materialization.metadata)


def evaluations(result: Result) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def count(project: Project, where: object = None) -> int:
    with project.open() as installation, installation.store.read() as conn:
        query = select(func.count()).select_from(passes)
        return int(conn.execute(query if where is None else query.where(where)).scalar_one())


def test_a_night_from_source_to_signed_passes(project: Project, run: Run) -> None:
    project.add("club", rows=members(30))
    planned = run("club_plan")
    assert planned.success
    told = PlanMetadata.extract(metadata(planned, "club", "pass_plan"))
    assert (told.creates, told.updates, told.deletes, told.withheld) == (30, 0, 0, 0)
    read = MembersMetadata.extract(metadata(planned, "club", "members"))
    assert (read.rows, read.complete, read.refused) == (30, True, 0)
    assert metadata(planned, "club", "members")["dagster/row_count"].value == 30
    assert all(check.passed for check in evaluations(planned).values())
    assert count(project) == 0  # a plan changes nothing

    applied = run("club_apply", run_config={"ops": {"club__passes": {"config": {"plan_id": told.plan_id}}}})
    assert applied.success
    assert AppliedMetadata.extract(metadata(applied, "club", "passes")).applied == 30
    wallet = WalletMetadata.extract(metadata(applied, "club", "apple_wallet"))
    assert (wallet.signed, wallet.failed, wallet.behind) == (30, 0, 0)
    assert count(project, passes.c.status == Status.ACTIVE.value) == 30
    checks = evaluations(applied)
    assert set(checks) == {"certificates_valid", "up_to_date", "signatures_verified"}
    assert {name: check.passed for name, check in checks.items()} == dict.fromkeys(checks, True)
    assert checks["signatures_verified"].metadata["passflow/verified"].value == 5


def test_without_a_plan_id_the_newest_plan_is_applied(project: Project, run: Run) -> None:
    project.add("club", rows=members(3))
    run("club_plan")
    project.write_members("club", members(4))
    newest = metadata(run("club_plan"), "club", "pass_plan")["passflow/plan_id"].value
    applied = AppliedMetadata.extract(metadata(run("club_apply"), "club", "passes"))
    assert (applied.plan_id, applied.applied) == (newest, 4)


def test_applying_before_planning_says_what_to_run(project: Project, run: Run) -> None:
    project.add("club")
    result = run("club_apply", raise_on_error=False)
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    description = failed.step_failure_data.error.message + str(failed.step_failure_data.user_failure_data)
    assert "club_plan" in description
    assert "plan.missing" in description


def test_a_stale_plan_is_refused(project: Project, run: Run) -> None:
    project.add("club", rows=members(3))
    old = metadata(run("club_plan"), "club", "pass_plan")["passflow/plan_id"].value
    run("club_plan")
    config = {"ops": {"club__passes": {"config": {"plan_id": old}}}}
    result = run("club_apply", run_config=config, raise_on_error=False)
    assert not result.success
    assert count(project) == 0


def test_what_the_guard_withholds_waits_and_the_rest_goes_on(project: Project, run: Run) -> None:
    project.add("club", rows=members(40))
    run("club_plan")
    run("club_apply")
    project.write_members("club", members(20, points=250))  # 20 of 40 gone, 20 changed
    planned = run("club_plan")
    assert planned.success  # a withheld part stops nothing
    guard = evaluations(planned)["guard"]
    assert not guard.passed
    assert guard.severity is dg.AssetCheckSeverity.ERROR
    assert "club_approve" in str(guard.description)
    plan_id = metadata(planned, "club", "pass_plan")["passflow/plan_id"].value

    applied = AppliedMetadata.extract(metadata(run("club_apply"), "club", "passes"))
    assert (applied.applied, applied.withheld, applied.closed) == (20, 20, False)
    assert count(project, passes.c.status == Status.DELETED.value) == 0

    def approve(number: int) -> Result:
        config = {"plan_id": plan_id, "kind": "delete", "count": number, "approved_by": "ops@example.com"}
        return run("club_approve", run_config={"ops": {"club__approve": {"config": config}}}, raise_on_error=False)

    assert not approve(19).success
    assert count(project, passes.c.status == Status.DELETED.value) == 0
    approved = approve(20)
    assert approved.success
    assert AppliedMetadata.extract(metadata(approved, "club", "passes")).applied == 20
    assert WalletMetadata.extract(metadata(approved, "club", "apple_wallet")).signed == 20
    assert count(project, passes.c.status == Status.DELETED.value) == 20
    assert not approve(20).success  # used once


def test_shards_are_applied_apart_and_add_up(project: Project, instance: dg.DagsterInstance, run: Run) -> None:
    project.add("club", shards=8, rows=members(60))
    run("club_plan")
    tags = {"dagster/asset_partition_range_start": "000", "dagster/asset_partition_range_end": "003"}
    assert run("club_apply", tags=tags).success
    first = count(project)
    assert 0 < first < 60
    tags = {"dagster/asset_partition_range_start": "004", "dagster/asset_partition_range_end": "007"}
    assert run("club_apply", tags=tags).success
    assert count(project) == 60
    records = instance.fetch_materializations(dg.AssetKey(["club", "passes"]), limit=50).records
    by_shard = {record.partition_key: record.asset_materialization.metadata for record in records}
    assert sorted(by_shard) == [f"{number:03}" for number in range(8)]
    assert sum(told["passflow/applied"].value for told in by_shard.values()) == 60


def test_one_shard_alone(project: Project, run: Run) -> None:
    project.add("club", shards=8, rows=members(60))
    run("club_plan")
    result = run("club_apply", partition_key="005")
    assert result.success
    told = WalletMetadata.extract(metadata(result, "club", "apple_wallet"))
    assert told.signed == count(project)


def test_approving_a_sharded_program(project: Project, instance: dg.DagsterInstance, run: Run) -> None:
    project.add("club", shards=4, first_load=False, rows=members(20))
    plan_id = metadata(run("club_plan"), "club", "pass_plan")["passflow/plan_id"].value
    config = {"plan_id": plan_id, "kind": "create", "count": 20}
    assert run("club_approve", run_config={"ops": {"club__approve": {"config": config}}}).success
    assert count(project) == 20
    done = instance.get_materialized_partitions(dg.AssetKey(["club", "apple_wallet"]))
    assert done == {"000", "001", "002", "003"}


def test_a_second_night_without_changes_does_nothing(project: Project, run: Run) -> None:
    project.add("club", rows=members(10))
    for _ in range(2):
        run("club_plan")
        applied = run("club_apply")
    assert AppliedMetadata.extract(metadata(applied, "club", "passes")).applied == 0
    assert WalletMetadata.extract(metadata(applied, "club", "apple_wallet")).signed == 0


def test_a_source_that_is_gone_fails_the_run_and_changes_nothing(project: Project, run: Run) -> None:
    folder = project.add("club", rows=members(5))
    run("club_plan")
    run("club_apply")
    (folder / "members.csv").unlink()
    result = run("club_plan", raise_on_error=False)
    assert not result.success
    assert count(project, passes.c.status == Status.ACTIVE.value) == 5


def test_an_expired_certificate_stops_signing_not_applying(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime, timedelta

    from passflow.testing.authority import TestAuthority

    folder = project.add("club", rows=members(3))
    now = datetime.now(UTC)
    expired = TestAuthority().issue_pass_certificate(
        valid_from=now - timedelta(days=400), valid_until=now - timedelta(days=1)
    )
    (folder / "certificate.pem").write_bytes(expired.certificate_pem)
    run("club_plan")
    result = run("club_apply", raise_on_error=False)
    assert not result.success
    assert AppliedMetadata.extract(metadata(result, "club", "passes")).applied == 3
    with project.open() as installation, installation.store.read() as conn:
        behind = conn.execute(
            select(func.count()).select_from(wallet_states).where(wallet_states.c.behind)
        ).scalar_one()
    assert behind == 3  # and the next run sees the same gap


def test_a_certificate_that_ends_soon_is_warned_of(project: Project, run: Run) -> None:
    from datetime import UTC, datetime, timedelta

    from passflow.testing.authority import TestAuthority

    folder = project.add("club", rows=members(3))
    soon = TestAuthority().issue_pass_certificate(valid_until=datetime.now(UTC) + timedelta(days=12, hours=1))
    (folder / "certificate.pem").write_bytes(soon.certificate_pem)
    run("club_plan")
    check = evaluations(run("club_apply"))["certificates_valid"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert "12 days" in str(check.description)


def test_dagsters_files_hold_no_person_and_no_secret(
    project: Project, instance: dg.DagsterInstance, run: Run, secrets_of: Callable[[], list[str]]
) -> None:
    project.add("club", rows=members(30, names="Przemysława"))
    run("club_plan")
    run("club_apply")
    project.write_members("club", members(30, names="Przemysława", points=777))
    run("club_plan")
    run("club_apply")
    home = project.root.parent / "home" / "dagster"
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"passflow/plan_id" in held  # we look at the right files
    assert b"Przemys" not in held
    assert json.dumps("Przemysława")[1:8].encode() not in held
    for secret in secrets_of():
        assert secret.encode() not in held


@pytest.fixture
def secrets_of(project: Project) -> Callable[[], list[str]]:
    """Lines of every key file of the project."""

    def collect() -> list[str]:
        paths = [*project.root.rglob("key.pem"), *(project.root.parent / "home" / "keys").iterdir()]
        lines = [line for path in paths for line in path.read_text().splitlines()]
        return [line for line in lines if len(line) > 20 and "PRIVATE" not in line]

    return collect
