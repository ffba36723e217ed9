"""Which programs a verb works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from passflow.errors import ConfigError

if TYPE_CHECKING:
    from passflow.program import Program

NO_PROGRAMS = "config.no_programs"


def load_project(root: Path | None = None) -> dict[str, Program]:
    """The programs of the project that the working directory is in.

    Raises:
        ProgramError: a program file does not hold together.
        ConfigError: there is no program file.
    """
    from passflow.project import load_programs, program_root

    folder = root or program_root()
    programs = load_programs(folder)
    if not programs:
        raise ConfigError(
            f"There is no program file (defs.yaml) below {folder}.",
            fix="Run `passflow init` to start a project here, or change into one.",
            code=NO_PROGRAMS,
        )
    return programs


def choose_program(programs: Mapping[str, Program], name: str | None) -> Program:
    """The named program, or the only one.

    Raises:
        ConfigError: there is no such program, or there are several and none was named.
    """
    if name is None and len(programs) == 1:
        return next(iter(programs.values()))
    if name is not None and name in programs:
        return programs[name]
    known = ", ".join(programs)
    what = f"There is no program {name!r}." if name else "There are several programs, and none was named."
    raise ConfigError(what, fix=f"Name one of: {known}.", code="program.unknown")


def choose_programs(programs: Mapping[str, Program], name: str | None) -> Iterator[Program]:
    """The named program, or all of them.

    Raises:
        ConfigError: there is no such program.
    """
    if name is None:
        yield from programs.values()
    else:
        yield choose_program(programs, name)
