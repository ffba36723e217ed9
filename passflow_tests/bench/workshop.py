"""What rows share: sizes, a folder, and stores that are made once, in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from passflow.testing import postgres
from passflow_tests.bench.fresh import run_fresh

Database = Literal["sqlite", "postgresql"]
MILLION = 1_000_000


class Workshop:
    """Sizes and shared material of one run of the table.

    Args:
        folder: where files may be made; removed by the caller.
        quick: small sizes, to see that everything works rather than how fast.
        full: also what takes many minutes.
    """

    def __init__(self, folder: Path, stack: ExitStack, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.rounds = 1 if quick else 3
        self._stack = stack
        self.snapshots = cache(self._snapshots)
        self.store = cache(self._store)

    def size(self, members: int) -> int:
        """So many members, or a few where it must be quick."""
        return members // 100 if self.quick else members

    @cached_property
    def postgres_server(self) -> str:
        """URL of a PostgreSQL server that runs until the table is done."""
        return self._stack.enter_context(postgres.server())

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """URL of an empty PostgreSQL database, dropped at the end."""
        with postgres.database(self.postgres_server) as url:
            yield url

    def _snapshots(self, members: int) -> Path:
        """A folder with last night's and tonight's snapshot of so many members."""
        folder = self.folder / str(members)
        folder.mkdir()
        run_fresh(f"{__name__}:make_snapshots", folder=str(folder), members=members)
        return folder

    def _store(self, members: int, database: Database) -> str:
        """URL of a store in which each member of last night has a pass."""
        folder = self.snapshots(members)
        url = f"sqlite:///{folder}/store.db"
        if database == "postgresql":
            url = self._stack.enter_context(self.new_database())
        run_fresh(f"{__name__}:fill_store", folder=str(folder), url=url)
        return url


def make_snapshots(folder: str, members: int) -> None:
    """Writes both snapshots; runs in a process of its own."""
    from passflow_tests.bench.population import Night, write_snapshots

    write_snapshots(Path(folder), Night.of(members))


def fill_store(folder: str, url: str) -> None:
    """Fills a store from last night's snapshot; runs in a process of its own."""
    from passflow_tests.bench.club import make_club, open_store
    from passflow_tests.bench.seed import seed

    with open_store(url) as store:
        seed(make_club(Path(folder)), store, Path(folder))
