"""The same night at five million members: memory must not grow, time must grow no faster than the members."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from passflow_tests.bench.fresh import Ran, run_fresh
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import MILLION, Workshop

ROWS = ("plan_5m_sqlite_peak_memory", "plan_5m_sqlite_time", "plan_5m_sqlite_seconds")
ORDER = 40


def measure(workshop: Workshop) -> Iterator[Measure]:
    """Both sizes in turns, each in a fresh process; the source gives its batches one by one, as a file or query does."""
    sizes = [workshop.size(MILLION), workshop.size(5 * MILLION)]
    runs: list[list[Ran]] = [[], []]
    for members in sizes:
        workshop.store(members, "sqlite")
    for _ in range(workshop.rounds):
        for members, found in zip(sizes, runs, strict=True):
            folder, url = str(workshop.snapshots(members)), workshop.store(members, "sqlite")
            target = "passflow_tests.bench.planning:plan_night"
            found.append(run_fresh(target, folder=folder, url=url, in_memory=False))
    pairs = list(zip(*runs, strict=True))
    peak = median(large.peak / small.peak for small, large in pairs)
    seconds = median(_whole(large) / _whole(small) for small, large in pairs)
    small_peak, large_peak = (median(run.peak for run in found) for found in runs)
    against = f"one million, read batch by batch: {small_peak:,.0f} MiB, five million {large_peak:,.0f} MiB"
    yield Measure(ROWS[0], peak, "×", "<= 1.15", against)
    yield Measure(ROWS[1], seconds, "×", "<= 5.5", f"one million: {median(map(_whole, runs[0])):.1f} s with validation")
    yield Measure(ROWS[2], median(map(_whole, runs[1])), "s", None, "with validation")


def _whole(run: Ran) -> float:
    return float(run.result["seconds"] + run.result["validation"])
