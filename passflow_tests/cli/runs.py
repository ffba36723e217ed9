"""Running the command line as a shell does: in a process of its own, or in this one where that is enough."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import passflow
from passflow.cli.app import run

PACKAGE_ROOT = Path(passflow.__file__).parents[1]
START = "import sys; from passflow.cli import main; main(sys.argv[1:])"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def run_process(*arguments, cwd, env=None, code=START):
    """Runs passflow in a process without a terminal, with no variable of ours but those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PASSFLOW_", "DAGSTER_"))}
    clean |= {"PYTHONPATH": str(PACKAGE_ROOT), "COLUMNS": "200", **(env or {})}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_here(capsys, *arguments):
    """Runs passflow in this process."""
    status = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Ended(status, captured.out, captured.err)
