"""Measures every row of the performance table, prints it and writes ``bench.json`` into ``PASSFLOW_HOME``.

``--only NAME`` measures the file of that row alone, ``--quick`` takes small sizes (to see that everything works, not how
fast it is).
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType

from passflow_tests.bench import rows
from passflow_tests.bench.table import Measure, save, show
from passflow_tests.bench.workshop import Workshop


def row_files(only: str | None = None) -> list[ModuleType]:
    """The files of rows, cheap ones first; each has its rows' names (``ROWS``), a rank (``ORDER``) and ``measure``.

    Raises:
        SystemExit: no file is called so or has such a row.
    """
    names = [found.name for found in pkgutil.iter_modules(rows.__path__)]
    modules = [import_module(f"{rows.__name__}.{name}") for name in names]
    chosen = [each for each in modules if only is None or only in (each.__name__.rpartition(".")[2], *each.ROWS)]
    if not chosen:
        known = ", ".join(name for each in modules for name in each.ROWS)
        raise SystemExit(f"There is no row {only!r}. Rows: {known}.")
    return sorted(chosen, key=lambda each: int(each.ORDER))


def measure(files: Sequence[ModuleType], *, quick: bool) -> Iterator[Measure]:
    """Measures file by file and says on standard error how long each takes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="passflow-bench-")))
        workshop = Workshop(folder, stack, quick=quick)
        for each in files:
            begun = time.perf_counter()
            yield from each.measure(workshop)
            name = each.__name__.rpartition(".")[2]
            print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> list[Measure]:
    """Runs the command line; returns the rows."""
    parser = argparse.ArgumentParser(prog="python -m passflow_tests.bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="a row, or a file of rows")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast it is")
    given = parser.parse_args(arguments)
    found = list(measure(row_files(given.only), quick=given.quick))
    show(found)
    save(found, Path(os.environ.get("PASSFLOW_HOME") or ".passflow") / "bench.json")
    return found


if __name__ == "__main__":
    main()
