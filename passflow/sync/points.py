"""Named points of a run, so that a test can kill the process exactly there.

A run calls :func:`reach` between two effects. In production that is one comparison; a crash test installs a hook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

POINTS: Final = (
    "plan.begun",
    "plan.read",
    "plan.shard_saved",
    "plan.judged",
    "plan.ready",
    "apply.leased",
    "apply.batch_read",
    "apply.batch_written",
    "apply.batch_committed",
    "apply.closed",
    "converge.batch_read",
    "converge.brought",
    "converge.recorded",
    "converge.committed",
    "push.sent",
    "push.recorded",
)
"""Every point, in the order of a night."""

hook: Callable[[str], None] | None = None


def reach(point: str) -> None:
    """Says that a run is at a named point."""
    if hook is not None:
        hook(point)
