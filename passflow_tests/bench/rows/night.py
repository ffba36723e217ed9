"""A night on which nothing changed, as Dagster runs it: plan and apply jobs of one million members from a Parquet file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.project import environment, make_project
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import MILLION, Workshop

STEPS = ("pass_plan", "passes", "apple_wallet")
ROWS = ("night_1m_unchanged_seconds", *(f"night_1m_unchanged_{step}_share" for step in STEPS))
ORDER = 30
NAME = "club"


class Night(TypedDict):
    """Seconds of both jobs, and of each step by its name."""

    seconds: float
    steps: dict[str, float]


def measure(workshop: Workshop) -> Iterator[Measure]:
    """The store is seeded in one process; each round runs both jobs in a fresh one, on an instance with SQLite files."""
    root = workshop.folder / "night"
    make_project(root, [NAME])
    where = environment(root)
    snapshots = str(workshop.snapshots(workshop.size(MILLION)))
    run_fresh(f"{__name__}:prepare", environment=where, root=str(root), snapshots=snapshots)
    ran = [run_fresh(f"{__name__}:run", environment=where, root=str(root)) for _ in range(workshop.rounds)]
    night = sorted(ran, key=lambda each: float(each.result["seconds"]))[len(ran) // 2]
    seconds, steps = night.result["seconds"], night.result["steps"]
    rest = seconds - sum(steps.values())
    against = f"both jobs; {rest:.1f} s are Dagster's around the steps; peak {night.peak:,.0f} MiB"
    yield Measure(ROWS[0], seconds, "s", None, against)
    for name, row in zip(STEPS, ROWS[1:], strict=True):
        spent = steps[f"{NAME}__{name}"]
        yield Measure(row, 100 * spent / seconds, "%", None, f"{spent:.2f} s")


def prepare(root: str, snapshots: str) -> None:
    """Keys, a filled store and the members' file; runs in a process of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from passflow.installation import Installation
    from passflow_tests.bench.seed import seed

    os.chdir(root)
    folder = Path(snapshots)
    with pa.OSFile(str(folder / "old.arrow")) as file:
        pq.write_table(pa.ipc.open_file(file).read_all(), Path(root) / "programs" / NAME / "members.parquet")
    with Installation.open(create_keys=True) as installation:
        seed(installation.program(NAME), installation.store, folder)


def run(root: str) -> Night:
    """Runs the plan job and then the apply job, and says how long each step took; runs in a process of its own."""
    import dagster as dg

    from passflow.definitions import defs
    from passflow.pipeline.home import prepare_dagster_home
    from passflow.settings import read_settings

    os.chdir(root)
    repository = defs().get_repository_def()
    steps: dict[str, float] = {}
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(read_settings()))) as instance:
        begun = time.perf_counter()
        for verb in ("plan", "apply"):
            result = repository.get_job(f"{NAME}_{verb}").execute_in_process(instance=instance)
            assert result.success
            for step in instance.get_run_step_stats(result.run_id):
                steps[step.step_key] = (step.end_time or 0.0) - (step.start_time or 0.0)
        spent = time.perf_counter() - begun
    return {"seconds": spent, "steps": steps}
