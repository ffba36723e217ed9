"""Dagster's own home: its instance file, and the environment its processes start with."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Protocol

POSTGRES_VARIABLE = "PASSFLOW_DAGSTER_PG_URL"
"""Set: Dagster keeps its records in this PostgreSQL (``postgresql://user:password@host/database``); else in SQLite."""

CODE_SERVER_THREADS = 16
"""A sensor may wait inside its tick; each waiting tick holds one thread of the code server."""

_FILE = "dagster.yaml"


class HasDagsterHome(Protocol):
    """The part of the settings that this module reads."""

    @property
    def dagster_home(self) -> Path:
        """Folder that becomes ``DAGSTER_HOME``."""
        ...


def instance_file() -> str:
    """Text of the ``dagster.yaml`` that fits the environment: SQLite, or PostgreSQL where its URL is set."""
    kind = "postgres" if os.environ.get(POSTGRES_VARIABLE) else "sqlite"
    return files("passflow.pipeline").joinpath("dagster_yaml", f"{kind}.yaml").read_text(encoding="utf-8")


def prepare_dagster_home(settings: HasDagsterHome) -> Path:
    """Creates ``DAGSTER_HOME`` with its instance file and returns its absolute path.

    A file whose first line is no longer ours belongs to the user and stays as it is.
    """
    home = settings.dagster_home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    wanted = instance_file()
    path = home / _FILE
    current = path.read_text(encoding="utf-8") if path.exists() else None
    if current != wanted and (current is None or _is_ours(current, wanted)):
        _replace(path, wanted)
    return home


def dagster_environment(settings: HasDagsterHome) -> dict[str, str]:
    """Environment for a Dagster process: this one's, with a prepared ``DAGSTER_HOME`` and threads for the sensors."""
    threads = max(CODE_SERVER_THREADS, int(os.environ.get("DAGSTER_GRPC_MAX_WORKERS") or 0))
    return {
        **os.environ,
        "DAGSTER_HOME": str(prepare_dagster_home(settings)),
        "DAGSTER_GRPC_MAX_WORKERS": str(threads),
    }


def _is_ours(current: str, wanted: str) -> bool:
    return current.partition("\n")[0] == wanted.partition("\n")[0]


def _replace(path: Path, text: str) -> None:
    # several Dagster processes start at once: none may read half a file
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
