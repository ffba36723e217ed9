"""One installation: settings, an open and migrated store, and its programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from passflow.errors import ProgramError
from passflow.program import Program
from passflow.project import load_programs, program_root
from passflow.settings import Settings, open_store, prepare_home, read_settings
from passflow.store.engine import Store
from passflow.store.migrate import check, upgrade


@dataclass
class Installation:
    """What every door (Dagster, command line, gateway) opens first; use it as a context manager."""

    settings: Settings
    store: Store
    programs: dict[str, Program]

    @classmethod
    def open(cls, root: Path | None = None, *, create_keys: bool = False) -> Installation:
        """Opens the installation of a project.

        Args:
            root: folder of the program files; found from the working directory unless given.
            create_keys: make the master keys and bring the store up to date where they are missing; otherwise a store
                that lacks migrations is refused.

        Raises:
            ConfigError, ProgramError, TemplateError: settings or a program file are not valid.
            StoreVersionError: the store lacks migrations, or a newer passflow wrote it.
            StoreBusy: it is out of reach.
        """
        settings = prepare_home(read_settings(), create_keys=create_keys)
        programs = load_programs(root or program_root())
        store = open_store(settings)
        try:
            if create_keys:
                upgrade(store)
            else:
                check(store)
        except BaseException:
            store.dispose()
            raise
        return cls(settings, store, programs)

    def program(self, name: str) -> Program:
        """A program by its name.

        Raises:
            ProgramError: there is none; names those there are.
        """
        if name not in self.programs:
            known = ", ".join(sorted(self.programs)) or "none"
            raise ProgramError(
                f"There is no program {name!r} here.",
                fix=f"The programs of this project are: {known}.",
                code="program.unknown",
            )
        return self.programs[name]

    def close(self) -> None:
        """Closes the store."""
        self.store.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
