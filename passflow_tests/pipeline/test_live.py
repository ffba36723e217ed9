"""The pipeline in a real `dagster dev`: a plan starts its apply, and a backfill from the web interface covers all shards."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from passflow.store.tables import passes, wallet_states
from passflow_tests.pipeline.club import Project, members
from passflow_tests.pipeline.live import Dagster, dagster_dev, wait_for

LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
PROGRESS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status runs(limit: 50) { status } } } }"""
RUNS = "{ runsOrError { ... on Runs { results { jobName status tags { key value } } } } }"
CHECKS = """{ assetNodes(group: {groupName: "club", repositoryName: "__repository__", repositoryLocationName: "club"}) {
  assetKey { path } assetChecksOrError { ... on AssetChecks { checks { name
    executionForLatestMaterialization { status } } } } } }"""


def finished(dagster: Dagster, job: str) -> list[dict[str, object]] | None:
    runs = [run for run in dagster.ask(RUNS)["runsOrError"]["results"] if run["jobName"] == job]
    return runs if runs and all(run["status"] in ("SUCCESS", "FAILURE") for run in runs) else None


def count(project: Project, table: object, *where: object) -> int:
    with project.open() as installation, installation.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one())  # type: ignore[arg-type]  # as given


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_from_the_web_interface(project: Project, tmp_path: Path) -> None:
    project.add("club", shards=32, rows=members(120))
    selector = {"repositoryLocationName": "club", "repositoryName": "__repository__"}
    with dagster_dev(project.root, tmp_path / "dagster.log") as dagster:
        params = {"selector": {**selector, "pipelineName": "club_plan"}, "runConfigData": "{}"}
        assert dagster.ask(LAUNCH, {"params": params})["launchRun"]["__typename"] == "LaunchRunSuccess"

        # the sensor finds the stored plan, and cuts its shards into runs
        applied = wait_for(lambda: (runs := finished(dagster, "club_apply")) and len(runs) == 2 and runs, 120)
        assert [run["status"] for run in applied] == ["SUCCESS", "SUCCESS"]
        assert count(project, passes) == 120
        assert count(project, wallet_states, wallet_states.c.behind) == 0

        # all shards again, from the asset's page: nothing is left to do, and every shard says so
        keys = [f"{number:03}" for number in range(32)]
        assets = [{"path": ["club", "passes"]}, {"path": ["club", "apple_wallet"]}]
        launched = dagster.ask(BACKFILL, {"params": {"assetSelection": assets, "partitionNames": keys}})
        assert launched["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", launched
        identity = {"id": launched["launchPartitionBackfill"]["backfillId"]}

        def progress() -> dict[str, object] | None:
            found = dagster.ask(PROGRESS, identity)["partitionBackfillOrError"]
            return found if found["status"].startswith("COMPLETED") or found["status"] == "FAILED" else None

        done = wait_for(progress, 150)
        assert done["status"] == "COMPLETED_SUCCESS"
        assert len(done["runs"]) == 2  # sixteen shards in each
        assert count(project, passes) == 120

        nodes = {node["assetKey"]["path"][1]: node for node in dagster.ask(CHECKS)["assetNodes"]}
        checks = nodes["apple_wallet"]["assetChecksOrError"]["checks"]
        assert {check["name"] for check in checks} == {"certificates_valid", "up_to_date", "signatures_verified"}
    assert b"Traceback" not in (tmp_path / "dagster.log").read_bytes()
