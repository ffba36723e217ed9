"""Loading the code location with ten programs, against `import dagster` alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.project import PROGRAMS, environment, make_project
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import Workshop

ROWS = ("code_location_load", "code_location_load_from_source", "code_location_load_seconds")
ORDER = 13


def measure(workshop: Workshop) -> Iterator[Measure]:
    """Both in fresh processes in turns, with the bytecode that Python keeps, and from source as a new container does."""
    root = workshop.folder / "location"
    make_project(root, PROGRAMS)
    where = environment(root)
    warm = [_pair(root, where) for _ in range(1 + (1 if workshop.quick else 7))][1:]
    uncached = {**where, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(root / "none")}
    cold = [_pair(root, uncached) for _ in range(workshop.rounds)]
    against = f"`import dagster`; {len(PROGRAMS)} programs"
    yield Measure(ROWS[0], median(load / floor for floor, load in warm), "×", "<= 1.4", against)
    against = f"`import dagster` without cached bytecode; {len(PROGRAMS)} programs"
    yield Measure(ROWS[1], median(load / floor for floor, load in cold), "×", "<= 1.4", against)
    seconds, floor = (median(pair[place] for pair in warm) for place in (1, 0))
    yield Measure(ROWS[2], seconds, "s", None, f"with bytecode; `import dagster` takes {floor:.2f} s")


def _pair(root: Path, where: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of Dagster's own import, and of everything."""
    floor = run_fresh(f"{__name__}:import_dagster", environment=where).result
    return floor, run_fresh(f"{__name__}:load", environment=where, root=str(root)).result


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
