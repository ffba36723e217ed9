"""The club of the nights, its clock, and a hook at the named points."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from passflow.sync import points
from passflow_tests.reconcile.conftest import clock, club

__all__ = ["at_point", "clock", "club"]


@pytest.fixture
def at_point(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Does something once, when a run reaches a point for the first time."""

    def install(point: str, act: Callable[[], object]) -> None:
        def look(reached: str) -> None:
            if reached == point:
                monkeypatch.setattr(points, "hook", None)
                act()

        monkeypatch.setattr(points, "hook", look)

    return install
