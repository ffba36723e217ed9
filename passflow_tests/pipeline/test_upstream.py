"""A program fed by another Dagster asset: the table comes through that asset's own IO manager, its row count proves it."""

from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import select

from passflow.pipeline.metadata import MembersMetadata, PlanMetadata
from passflow.store.tables import passes
from passflow_tests.pipeline.club import Project, Run, members

UPSTREAM = """\
import dagster as dg
import pandas as pd


@dg.asset(key=["crm", "members"])
def crm_members() -> dg.Output[pd.DataFrame]:
    table = pd.read_csv({path!r}, dtype=str)
    return dg.Output(table, metadata={{"dagster/row_count": int(open({path!r} + ".count").read())}})


upstream_job = dg.define_asset_job("upstream", selection=[crm_members], executor_def=dg.in_process_executor)
"""


@pytest.fixture
def fed(project: Project) -> Path:
    """A program whose source is an asset, and the file behind that asset."""
    folder = project.add("club", rows=members(20))
    text = (folder / "defs.yaml").read_text()
    before, _, after = text.partition("    type: files\n")
    after = after.partition("  members:\n")[2]
    (folder / "defs.yaml").write_text(f"{before}    type: asset\n    key: crm/members\n  members:\n{after}")
    (project.programs / "upstream.py").write_text(UPSTREAM.format(path=str(folder / "members.csv")))
    return folder


def test_the_lineage_begins_at_the_upstream_asset(project: Project, fed: Path) -> None:
    graph = project.definitions().resolve_asset_graph()
    upstream = dg.AssetKey(["crm", "members"])
    assert graph.get(dg.AssetKey(["club", "members"])).parent_keys == {upstream}
    assert not graph.has(dg.AssetKey(["club", "source"]))


def test_as_many_rows_as_the_materialization_said(project: Project, fed: Path, run: Run) -> None:
    assert run("upstream").success
    planned = run("club_plan")
    read = MembersMetadata.extract(planned.asset_materializations_for_node("club__pass_plan")[0].metadata)
    assert (read.rows, read.complete) == (20, True)
    assert PlanMetadata.extract(planned.asset_materializations_for_node("club__pass_plan")[1].metadata).creates == 20
    assert run("club_apply").success


def test_fewer_rows_prove_nothing_and_delete_nothing(project: Project, fed: Path, run: Run) -> None:
    run("upstream")
    run("club_plan")
    run("club_apply")
    project.write_members("club", members(18))
    (fed / "members.csv.count").write_text("20\n")
    assert run("upstream").success
    planned = run("club_plan")
    checks = {check.check_name: check for check in planned.get_asset_check_evaluations()}
    assert not checks["source_complete"].passed
    assert "20" in str(checks["source_complete"].description)
    run("club_apply")
    with project.open() as installation, installation.store.read() as conn:
        statuses = set(conn.execute(select(passes.c.status)).scalars())
    assert statuses == {"active"}


def test_the_sensor_follows_the_upstream_asset(
    project: Project, fed: Path, run: Run, instance: dg.DagsterInstance
) -> None:
    repository = project.definitions().get_repository_def()
    sensor = repository.get_sensor_def("club_watch")

    def requests(cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
        with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
            tick = sensor.evaluate_tick(context)
        return list(tick.run_requests or []), tick.cursor

    assert requests(None)[0] == []
    run("upstream")
    first, cursor = requests(None)
    assert len(first) == 1
    assert requests(cursor)[0] == []
    run("upstream")
    second, _ = requests(cursor)
    assert len(second) == 1
    assert second[0].run_key != first[0].run_key
