"""``passflow dev``: Dagster's web interface and daemon on this machine, with the project's own Dagster home."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from passflow.cli.environment import find_project
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.errors import ConfigError

WORKSPACE: Final = "workspace.yaml"


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("dev")(develop)


def develop(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the web interface.")] = 3000,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; it asks nobody for a password.")
    ] = "127.0.0.1",
    dry: Annotated[bool, typer.Option("--dry", help="Only prepare Dagster's home and show the command.")] = False,
    as_json: AsJson = False,
) -> None:
    """Starts `dagster dev` for this project: assets, runs, checks, schedules and sensors. Ctrl-C stops it.

    Dagster's records are kept in PASSFLOW_HOME/dagster, in SQLite, or in PostgreSQL where PASSFLOW_DAGSTER_PG_URL is set.
    """
    command, environment = dagster_command(host, port)
    output = Output(as_json=as_json)
    output.say(f"DAGSTER_HOME={environment['DAGSTER_HOME']} {' '.join(command)}")
    output.emit("dev", {"command": command, "dagster_home": environment["DAGSTER_HOME"]})
    if not dry:
        sys.stdout.flush()
        os.execve(command[0], command, environment)  # noqa: S606 - our own interpreter, no shell


def dagster_command(host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command and its environment.

    Raises:
        ConfigError: this is no project, or it has no workspace file.
    """
    folder = find_project(Path.cwd())
    if folder is None or not (folder / WORKSPACE).is_file():
        raise ConfigError(
            f"There is no {WORKSPACE} here.",
            fix="Run `passflow init` to start a project here, or change into one.",
            code="config.workspace",
        )
    from passflow.pipeline.home import dagster_environment
    from passflow.settings import read_settings

    command = [sys.executable, "-m", "dagster", "dev", "-w", str(folder / WORKSPACE), "-h", host, "-p", str(port)]
    return command, dagster_environment(read_settings())
