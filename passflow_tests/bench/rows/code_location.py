"""Loading the code location with ten programs, against `import dagster` alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from statistics import median

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.project import PROGRAMS, environment, make_project
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import Workshop

ROWS = ("code_location_load", "code_location_load_seconds")
ORDER = 13


def measure(workshop: Workshop) -> Iterator[Measure]:
    """Fresh processes in turns, after one of each that fills the caches of files."""
    root = workshop.folder / "location"
    make_project(root, PROGRAMS)
    where = environment(root)
    loads: list[float] = []
    floors: list[float] = []
    for number in range(1 + (1 if workshop.quick else 7)):
        floor = run_fresh(f"{__name__}:import_dagster", environment=where).result
        load = run_fresh(f"{__name__}:load", environment=where, root=str(root)).result
        if number:
            floors.append(floor)
            loads.append(load)
    ratio = median(load / floor for load, floor in zip(loads, floors, strict=True))
    yield Measure(ROWS[0], ratio, "×", "<= 1.4", f"`import dagster`; {len(PROGRAMS)} programs")
    yield Measure(ROWS[1], median(loads), "s", None, f"`import dagster` takes {median(floors):.2f} s")


def import_dagster() -> float:
    """Seconds to import Dagster in this process."""
    import time

    begun = time.perf_counter()
    import dagster  # noqa: F401 - the import is what is measured

    return time.perf_counter() - begun


def load(root: str) -> float:
    """Seconds until Dagster holds the repository of the code location, its own import included."""
    import time

    os.chdir(root)
    begun = time.perf_counter()
    from passflow.definitions import defs

    repository = defs().get_repository_def()
    spent = time.perf_counter() - begun
    assert len({key.path[0] for key in repository.asset_graph.get_all_asset_keys()}) >= len(PROGRAMS)
    return spent
