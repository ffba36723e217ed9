"""How long work says how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told now and then how far a stage is."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """``total`` is None where the end is not known."""
        ...


def silent(stage: str, done: int, total: int | None) -> None:
    """Says nothing."""
