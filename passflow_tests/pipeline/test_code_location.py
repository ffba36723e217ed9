"""The demo's code location as Dagster holds it: pinned, without secrets, and quick to load."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import serialize_value
from syrupy.assertion import SnapshotAssertion

from passflow.errors import ConfigError
from passflow_tests.pipeline.club import Project, members

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("pandas", "polars", "pyarrow", "cryptography", "PIL", "resvg_py", "h2", "asn1crypto", "zxingcpp")

MEASURE = """
import resource, sys
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before = spent()
import dagster
imported = spent() - before
from passflow.definitions import defs
defs().get_repository_def()
print(imported, spent() - before)
print([name for name in %r if name in sys.modules])
"""


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dg.Definitions:
    """The demo's definitions."""
    if not (REPOSITORY / "data").is_dir():
        pytest.skip("the demo's files are not beside the tests")
    monkeypatch.setenv("PASSFLOW_HOME", str(tmp_path))
    monkeypatch.delenv("PASSFLOW_PROJECT", raising=False)
    monkeypatch.chdir(REPOSITORY)
    from passflow.definitions import defs

    return defs()


def test_the_demo_is_what_it_was(demo: dg.Definitions, snapshot: SnapshotAssertion) -> None:
    repository = demo.get_repository_def()
    found: dict[str, Any] = {}
    for key in sorted(repository.asset_graph.get_all_asset_keys(), key=str):
        node = repository.asset_graph.get(key)
        found[key.to_user_string()] = {
            "depends on": sorted(parent.to_user_string() for parent in node.parent_keys),
            "group": node.group_name,
            "kinds": sorted(tag.removeprefix("dagster/kind/") for tag in node.tags if tag.startswith("dagster/kind/")),
            "owners": list(node.owners),
            "tags": {name: value for name, value in node.tags.items() if not name.startswith("dagster/")},
            "shards": len(node.partitions_def.get_partition_keys()) if node.partitions_def else 1,
            "shards per run": node.backfill_policy.max_partitions_per_run if node.backfill_policy else None,
            "columns": [column.name for column in node.metadata["dagster/column_schema"].columns],
            "checks": sorted(check.name for check in node.check_keys),
            "pools": sorted(node.pools or ()),
        }
    found["jobs"] = sorted(name for name in repository.job_names if not name.startswith("__"))
    found["schedules"] = {each.name: each.cron_schedule for each in repository.schedule_defs}
    found["sensors"] = {each.name: each.minimum_interval_seconds for each in repository.sensor_defs}
    assert json.dumps(found, indent=1) == snapshot


def test_snapshots_hold_no_secret(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the UI's pages of jobs and resources read; a secret taken from the environment must not be in it."""
    folder = project.add("club", rows=members(1))
    monkeypatch.setenv("PASSFLOW_STORE_URL", "postgresql://passflow:hunter2-of-the-store@db/passflow")
    monkeypatch.setenv("KEY_PASSWORD", "hunter2-of-the-key")
    text = (
        (folder / "defs.yaml")
        .read_text()
        .replace("key: file:key.pem", "key: file:key.pem\n      key_password: env:KEY_PASSWORD")
    )
    (folder / "defs.yaml").write_text(text)
    repository = project.definitions().get_repository_def()
    snap = serialize_value(RepositorySnap.from_def(repository))
    assert "club_apply" in snap
    for secret in ("hunter2-of-the-store", "hunter2-of-the-key", (folder / "key.pem").read_text().splitlines()[1]):
        assert secret not in snap


def test_another_folder_than_dagsters_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.add("club")
    other = project.root / "other"
    shutil.copytree(project.programs, other)
    monkeypatch.setenv("PASSFLOW_PROJECT", str(other))
    with pytest.raises(ConfigError, match="defs_module"):
        project.definitions()


def test_an_empty_project_says_how_to_begin(project: Project) -> None:
    with pytest.raises(ConfigError, match="no program file") as caught:
        project.definitions()
    assert "dg scaffold defs" in caught.value.fix


def run_python(code: str, project: Project) -> list[str]:
    # from source, as a container's first start: cached bytecode halves both numbers, and not evenly
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(project.root / "none")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project.root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_nothing_heavy_is_imported_at_load(project: Project) -> None:
    project.add("club")
    assert run_python(MEASURE % (HEAVY,), project)[-1] == "[]"


@pytest.mark.slow
def test_dagster_validates_the_workspace(project: Project) -> None:
    project.add("club")
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location club" in done.stdout + done.stderr
