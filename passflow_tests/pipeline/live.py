"""A real `dagster dev` on loopback, driven by the web interface's own GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from passflow.pipeline.home import dagster_environment
from passflow.settings import read_settings

Found = TypeVar("Found")
STOP_SECONDS = 30


@dataclass(frozen=True)
class Dagster:
    """The web server of a running `dagster dev`."""

    url: str

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        """Data of one GraphQL request."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]


def wait_for(look: Callable[[], Found | None], seconds: float) -> Found:
    """What ``look`` finds, asked twice a second."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"nothing within {seconds} s")


@contextmanager
def dagster_dev(root: Path, log: Path) -> Iterator[Dagster]:
    """Starts `dagster dev` in a project, waits until it serves, and stops it and its children."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=dagster_environment(read_settings()),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Dagster gives SIGTERM whatever handler SIGINT has, and a shell's background jobs ignore SIGINT
            preexec_fn=_restore_interrupt,
        )
    try:
        dagster = Dagster(f"http://127.0.0.1:{port}")
        wait_for(lambda: process.poll() is None and _serves(dagster), 90)
        yield dagster
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _restore_interrupt() -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _serves(dagster: Dagster) -> bool:
    try:
        locations = dagster.ask("{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    entries = locations["workspaceOrError"]["locationEntries"]
    return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)
