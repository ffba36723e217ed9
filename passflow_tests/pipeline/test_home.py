"""Dagster's own instance class judges the files that passflow writes."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from passflow.pipeline.home import POSTGRES_VARIABLE, dagster_environment, instance_file, prepare_dagster_home


@dataclass
class Settings:
    dagster_home: Path


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv(POSTGRES_VARIABLE, raising=False)
    monkeypatch.delenv("DAGSTER_GRPC_MAX_WORKERS", raising=False)
    return Settings(tmp_path / "state" / "dagster")


def test_dagster_starts_from_the_sqlite_home(settings: Settings) -> None:
    from dagster import DagsterInstance

    home = prepare_dagster_home(settings)
    with DagsterInstance.from_config(str(home)) as instance:
        assert instance.run_storage.__class__.__name__ == "SqliteRunStorage"
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_settings("sensors") == {"use_threads": True, "num_workers": 8}
        coordinator = instance.run_coordinator
        assert coordinator.__class__.__name__ == "QueuedRunCoordinator"
        assert coordinator.dequeue_interval_seconds == 1
        pools = instance.get_concurrency_config().pool_config
        assert pools.pool_granularity.value == "op"
        assert pools.default_pool_limit == 1
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled


def test_home_is_absolute(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare_dagster_home(Settings(Path("relative"))) == tmp_path / "relative"


def test_preparing_twice_writes_once(settings: Settings) -> None:
    path = prepare_dagster_home(settings) / "dagster.yaml"
    before = path.stat().st_mtime_ns
    prepare_dagster_home(settings)
    assert path.stat().st_mtime_ns == before


def test_a_file_of_the_users_stays(settings: Settings) -> None:
    path = prepare_dagster_home(settings) / "dagster.yaml"
    own = "\n".join(path.read_text().splitlines()[1:]) + "\n# mine\n"
    path.write_text(own)
    prepare_dagster_home(settings)
    assert path.read_text() == own


def test_a_file_of_ours_follows_the_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = prepare_dagster_home(settings) / "dagster.yaml"
    assert "storage" not in yaml.safe_load(path.read_text())
    monkeypatch.setenv(POSTGRES_VARIABLE, "postgresql://passflow:s3cret@db/dagster")
    prepare_dagster_home(settings)
    written = path.read_text()
    assert yaml.safe_load(written)["storage"] == {"postgres": {"postgres_url": {"env": POSTGRES_VARIABLE}}}
    assert "s3cret" not in written


def test_both_files_differ_in_storage_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(POSTGRES_VARIABLE, raising=False)
    sqlite = yaml.safe_load(instance_file())
    monkeypatch.setenv(POSTGRES_VARIABLE, "postgresql://db/dagster")
    postgres = yaml.safe_load(instance_file())
    del postgres["storage"]
    assert sqlite == postgres


@pytest.mark.parametrize(("given", "expected"), [(None, "16"), ("4", "16"), ("32", "32"), ("", "16")])
def test_code_server_gets_threads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, given: str | None, expected: str
) -> None:
    if given is not None:
        monkeypatch.setenv("DAGSTER_GRPC_MAX_WORKERS", given)
    environment = dagster_environment(settings)
    assert environment["DAGSTER_GRPC_MAX_WORKERS"] == expected
    assert environment["DAGSTER_HOME"] == str(settings.dagster_home)
    assert environment["PATH"]
