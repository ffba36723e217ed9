"""Where the demo plays: its folder, its files, and what it may throw away from an earlier performance."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from passflow.cli.certificates import write_certificates
from passflow.cli.environment import HOME
from passflow.errors import ConfigError

PROGRAM: Final = "gold"
MARKER: Final = "made-by-demo"
"""A file in the home folder that says: everything here may be made again."""


def demo_home() -> Path:
    """The home folder, absolute; the environment then names it for every reader of a program file."""
    home = Path(os.environ.get(HOME) or ".passflow").absolute()
    os.environ[HOME] = str(home)
    return home


def find_data() -> Path:
    """The folder with the demo's program files.

    Raises:
        ConfigError: this project is not passflow's own.
    """
    from passflow.project import program_root

    folder = program_root()
    if not (folder / PROGRAM / "members-night-1.csv").is_file():
        raise ConfigError(
            "The demo's members and program files are not here.",
            fix="Run `make demo` in a copy of passflow's repository.",
            code="demo.missing",
        )
    return folder


def clear_home(home: Path) -> None:
    """Removes what an earlier demo left, and nothing else.

    Raises:
        ConfigError: the folder holds a store that the demo did not make.
    """
    if (home / "store.db").exists() and not (home / MARKER).exists():
        raise ConfigError(
            f"{home} holds a store that the demo did not make.",
            fix="Set PASSFLOW_HOME to another folder for the demo.",
            code="demo.home",
        )
    if (home / MARKER).exists():
        for name in ("demo", "dagster"):
            shutil.rmtree(home / name, ignore_errors=True)
        for path in home.glob("store.db*"):
            path.unlink()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MARKER).write_text("Everything in this folder was made by `passflow demo` and may be removed.\n")


def receive_night(data: Path, home: Path, night: int) -> Path:
    """Puts one night's export where the program reads it; its control file comes last, as a till would send it."""
    inbox = home / "demo" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    for suffix in ("", ".count"):
        shutil.copyfile(data / PROGRAM / f"members-night-{night}.csv{suffix}", inbox / f"members.csv{suffix}")
    return inbox / "members.csv"


def prepare_home(data: Path, home: Path) -> None:
    """Certificates, keys and store for the demo's programs; what is there stays."""
    from passflow.cli.init import prepare_store
    from passflow.project import load_programs

    write_certificates(list(load_programs(data).values()))
    prepare_store(data)
