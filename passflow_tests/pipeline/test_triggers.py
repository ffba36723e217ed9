"""What starts a run, asked the way Dagster's daemon asks."""

import dagster as dg
import pytest

from passflow_tests.pipeline.club import Project, Run, members


def sensor(project: Project, name: str) -> dg.SensorDefinition:
    return project.definitions().get_repository_def().get_sensor_def(name)


def tick(
    project: Project, name: str, instance: dg.DagsterInstance, cursor: str | None = None
) -> tuple[list[dg.RunRequest], str | None, str | None]:
    """Requests, message and cursor of one tick."""
    repository = project.definitions().get_repository_def()
    with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
        found = repository.get_sensor_def(name).evaluate_tick(context)
    return list(found.run_requests or []), found.skip_message, found.cursor


def test_a_new_plan_starts_its_apply_once(project: Project, instance: dg.DagsterInstance, run: Run) -> None:
    project.add("club", rows=members(3))
    assert tick(project, "club_start_apply", instance)[0] == []
    plan_id = run("club_plan").asset_materializations_for_node("club__pass_plan")[-1].metadata["passflow/plan_id"].value
    ((request,), _, cursor) = tick(project, "club_start_apply", instance)
    assert request.run_key == plan_id
    assert request.tags["passflow/plan_id"] == plan_id
    assert request.run_config["ops"]["club__passes"]["config"]["plan_id"] == plan_id
    assert run("club_apply", run_config=request.run_config).success
    assert tick(project, "club_start_apply", instance, cursor)[0] == []


def test_a_sharded_program_is_applied_in_ranges(project: Project, instance: dg.DagsterInstance, run: Run) -> None:
    project.add("club", shards=64, rows=members(3))
    run("club_plan")
    requests, _, _ = tick(project, "club_start_apply", instance)
    ranges = [
        (request.tags["dagster/asset_partition_range_start"], request.tags["dagster/asset_partition_range_end"])
        for request in requests
    ]
    assert ranges == [("000", "015"), ("016", "031"), ("032", "047"), ("048", "063")]
    assert len({request.run_key for request in requests}) == 4


def test_a_materialization_reported_by_hand_starts_nothing(project: Project, instance: dg.DagsterInstance) -> None:
    project.add("club")
    instance.report_runless_asset_event(dg.AssetMaterialization(["club", "pass_plan"]))
    requests, message, _ = tick(project, "club_start_apply", instance)
    assert requests == []
    assert "reported by hand" in str(message)


def test_the_source_is_planned_when_it_changed_and_only_then(project: Project, instance: dg.DagsterInstance) -> None:
    project.add("club", rows=members(3))
    first, _, cursor = tick(project, "club_watch", instance)
    assert len(first) == 1
    again, message, same = tick(project, "club_watch", instance, cursor)
    assert (again, same) == ([], cursor)
    assert message == "Nothing new at the source."
    project.write_members("club", members(4))
    changed, _, moved = tick(project, "club_watch", instance, cursor)
    assert len(changed) == 1
    assert moved != cursor


def test_a_source_that_cannot_be_asked_fails_the_tick(project: Project, instance: dg.DagsterInstance) -> None:
    folder = project.add("club", rows=members(3))
    (folder / "members.csv").unlink()
    with pytest.raises(Exception, match=r"members\.csv|club_watch"):
        tick(project, "club_watch", instance)


def test_the_night_is_scheduled_in_the_programs_time_zone(project: Project) -> None:
    folder = project.add("club")
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(
        text + "  schedule: {cron: '30 2 * * *', time_zone: Europe/Berlin, running: false}\n  watch: {running: true}\n"
    )
    repository = project.definitions().get_repository_def()
    schedule = repository.get_schedule_def("club_nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Europe/Berlin")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert repository.get_sensor_def("club_watch").default_status is dg.DefaultSensorStatus.RUNNING
    assert repository.get_sensor_def("club_start_apply").default_status is dg.DefaultSensorStatus.RUNNING


def test_one_read_of_a_program_at_a_time(project: Project) -> None:
    """The instance file limits runs by this tag, and steps by these pools."""
    project.add("club")
    project.add("fest", shards=2)
    repository = project.definitions().get_repository_def()
    assert repository.get_job("club_plan").tags["passflow/plan"] == "club"
    pools = {
        key.to_user_string(): repository.asset_graph.get(key).pools
        for key in repository.asset_graph.materializable_asset_keys
    }
    assert pools["club/pass_plan"] == pools["club/passes"] == pools["club/apple_wallet"] == {"passflow_club"}
    assert pools["fest/pass_plan"] == {"passflow_fest"}
    assert pools["fest/passes"] == pools["fest/apple_wallet"] == {"passflow_fest_shards"}
