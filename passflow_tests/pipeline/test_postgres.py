"""Dagster's own records in PostgreSQL: the same night, on the storage that production uses."""

from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy.engine import make_url

from passflow.pipeline.home import POSTGRES_VARIABLE, prepare_dagster_home
from passflow.settings import read_settings
from passflow_tests.pipeline.club import Project, members


@pytest.fixture
def postgres_instance(
    project: Project, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    url = make_url(empty_postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv(POSTGRES_VARIABLE, url)
    home = prepare_dagster_home(read_settings())
    assert url not in (home / "dagster.yaml").read_text()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def test_a_night_on_postgres(project: Project, postgres_instance: dg.DagsterInstance) -> None:
    assert postgres_instance.run_storage.__class__.__name__ == "PostgresRunStorage"
    project.add("club", shards=4, rows=members(20))
    repository = project.definitions().get_repository_def()
    assert repository.get_job("club_plan").execute_in_process(instance=postgres_instance).success
    tags = {"dagster/asset_partition_range_start": "000", "dagster/asset_partition_range_end": "003"}
    assert repository.get_job("club_apply").execute_in_process(instance=postgres_instance, tags=tags).success
    signed = postgres_instance.fetch_materializations(dg.AssetKey(["club", "apple_wallet"]), limit=10).records
    assert sum(record.asset_materialization.metadata["passflow/signed"].value for record in signed) == 20
    assert postgres_instance.get_materialized_partitions(dg.AssetKey(["club", "passes"])) == {
        "000",
        "001",
        "002",
        "003",
    }
