"""A night of one million members: planned into committed operations, against pandas with both snapshots in memory."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from passflow_tests.bench.fresh import Ran, run_fresh
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import MILLION, Database, Workshop

DATABASES: tuple[Database, ...] = ("sqlite", "postgresql")
ROWS = (
    *(f"plan_1m_{database}_{what}" for database in DATABASES for what in ("time_without_validation", "peak_memory")),
    "validation_1m",
    "plan_1m_sqlite_seconds",
    "plan_1m_postgresql_seconds",
    "pandas_1m_seconds",
)
ORDER = 20


def measure(workshop: Workshop) -> Iterator[Measure]:
    """Every round runs both databases and pandas, each in a fresh process, one after the other."""
    members = workshop.size(MILLION)
    folder = str(workshop.snapshots(members))
    urls = {database: workshop.store(members, database) for database in DATABASES}
    planned: dict[str, list[Ran]] = {database: [] for database in DATABASES}
    rival: list[Ran] = []
    for _ in range(workshop.rounds):
        for database, url in urls.items():
            ran = run_fresh("passflow_tests.bench.planning:plan_night", folder=folder, url=url, in_memory=True)
            planned[database].append(ran)
        rival.append(run_fresh("passflow_tests.bench.planning:compare_with_pandas", folder=folder))
        assert {tuple(ran.result["found"]) for runs in (*planned.values(), rival) for ran in runs[-1:]} == {
            tuple(rival[0].result["found"])
        }
    theirs = median(ran.result["seconds"] for ran in rival)
    for database, runs in planned.items():
        ratios = [run.result["seconds"] / other.result["seconds"] for run, other in zip(runs, rival, strict=True)]
        peaks = [run.peak / other.peak for run, other in zip(runs, rival, strict=True)]
        against = "pandas merge(outer) + compare per column, both frames in memory before the clock starts"
        yield Measure(f"plan_1m_{database}_time_without_validation", median(ratios), "×", "<= 0.9", against)
        against = f"pandas: {median(ran.peak for ran in rival):,.0f} MiB for the whole process"
        yield Measure(f"plan_1m_{database}_peak_memory", median(peaks), "×", "<= 0.5", against)
    everything = [run for runs in planned.values() for run in runs]
    validation = median(run.result["validation"] for run in everything)
    yield Measure("validation_1m", validation, "s", None, "map_batch: cleaning, parsing and checking 12 columns")
    for database, runs in planned.items():
        seconds = median(run.result["seconds"] for run in runs)
        peak = median(run.peak for run in runs)
        yield Measure(f"plan_1m_{database}_seconds", seconds, "s", None, f"without validation; peak {peak:,.0f} MiB")
    loading = median(ran.result["loading"] for ran in rival)
    yield Measure("pandas_1m_seconds", theirs, "s", None, f"and {loading:.1f} s to load both snapshots")
