"""Rates measured in turns, so that a neighbour on the machine slows both sides of a ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def rate(work: Callable[[], object], seconds: float) -> float:
    """How often a second the work was done, over so many seconds."""
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        work()
        done += 1
    return done / spent


def median_ratio(first: Callable[[], object], second: Callable[[], object], *, rounds: int, seconds: float) -> float:
    """Median over the rounds of the first rate divided by the second, measured in turns."""
    return statistics.median(rate(first, seconds) / rate(second, seconds) for _ in range(rounds))
