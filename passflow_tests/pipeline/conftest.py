"""A project with real keys and a real store, loaded as Dagster loads it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from passflow.installation import Installation
from passflow.pipeline.home import POSTGRES_VARIABLE, prepare_dagster_home
from passflow.settings import read_settings
from passflow_tests.pipeline.club import PYPROJECT, WORKSPACE, Project, Run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project whose store and keys exist."""
    root = tmp_path / "project"
    (root / "programs").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "workspace.yaml").write_text(WORKSPACE)
    for variable in ("PASSFLOW_STORE_URL", "PASSFLOW_BASE_URL", "PASSFLOW_MEMBERS_KEY", "PASSFLOW_PACKAGES_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv(POSTGRES_VARIABLE, raising=False)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("PASSFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PASSFLOW_PROJECT", raising=False)
    monkeypatch.chdir(root)
    Installation.open(create_keys=True).close()
    yield Project(root)
    for name in [name for name in sys.modules if name.partition(".")[0] == "programs"]:
        del sys.modules[name]  # the next project's modules have the same names


@pytest.fixture
def instance(project: Project) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance in the home that passflow prepares: SQLite files, pools, queue."""
    home = prepare_dagster_home(read_settings())
    with dg.DagsterInstance.from_config(str(home)) as opened:
        yield opened


@pytest.fixture
def run(project: Project, instance: dg.DagsterInstance) -> Run:
    """Runs a job in this process, as the code location defines it."""

    found: list[dg.RepositoryDefinition] = []  # a program file is read once; its members as often as it runs

    def run_job(name: str, **options: object) -> dg.ExecuteInProcessResult:
        if not found:
            found.append(project.definitions().get_repository_def())
        return found[0].get_job(name).execute_in_process(instance=instance, **options)  # type: ignore[arg-type]  # as given

    return run_job
