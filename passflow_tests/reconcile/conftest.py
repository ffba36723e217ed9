"""A club on SQLite and on PostgreSQL, and a clock that tests can turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from passflow.store.engine import Store
from passflow_tests.reconcile.nights import Club


class Clock:
    """Microseconds that are added to the store's clock."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return self.ahead

    def days(self, number: float) -> None:
        """Lets time pass."""
        self.ahead += int(number * 86_400_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def club(store: Store, tmp_path: Path, clock: Clock) -> Callable[..., Club]:
    """Makes a club: ``club(rows, guard=…)``; keywords replace blocks of the program file."""
    store._clock = clock

    def make(rows: list[dict[str, str | None]] | None = None, **changes: object) -> Club:
        return Club(tmp_path, store, dict(changes), list(rows or []))

    return make
