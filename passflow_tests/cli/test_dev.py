"""Starting Dagster for a project."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from passflow_tests.cli.runs import PACKAGE_ROOT, START

ROOT = Path(__file__).parents[2]


def test_the_command_is_dagsters_own_with_a_home_of_the_project(project):
    (project.folder / "workspace.yaml").write_text("load_from: []\n")
    document = project.run("dev", "--dry", "--port", "3456", "--json").json
    assert document["command"][1:] == [
        "-m", "dagster", "dev", "-w", str(project.folder / "workspace.yaml"), "-h", "127.0.0.1", "-p", "3456",
    ]  # fmt: skip
    home = Path(document["dagster_home"])
    assert home == project.home / "dagster"
    assert "telemetry" in (home / "dagster.yaml").read_text()


def test_without_a_workspace_it_says_where_to_get_one(project):
    ended = project.run("dev", "--dry")
    assert ended.status == 1
    assert "error[config.workspace]" in ended.err
    assert "passflow init" in ended.err


@pytest.mark.slow
def test_the_demo_project_opens_in_dagsters_web_interface(tmp_path):
    if not (ROOT / "workspace.yaml").is_file():
        pytest.skip("the demo's workspace is not part of this installation")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PASSFLOW_", "DAGSTER_"))}
    env = {**clean, "PYTHONPATH": str(PACKAGE_ROOT), "PASSFLOW_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", START, "dev", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        query = b'{"query": "{ repositoriesOrError { __typename ... on RepositoryConnection { nodes { jobs { name } } } } }"}'
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql", data=query, headers={"Content-Type": "application/json"}
        )
        answer = b""
        for _ in range(240):
            assert process.poll() is None, "dagster dev ended by itself"
            try:
                answer = urllib.request.urlopen(request, timeout=5).read()
                if b"gold_plan" in answer:
                    break
            except OSError:
                pass
            time.sleep(0.5)
        for job in (b"gold_plan", b"gold_apply", b"gold_approve", b"festival_plan"):
            assert job in answer
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
