"""Two threads that sign against one: RSA frees the GIL."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import Workshop

ROWS = ("two_signing_threads",)
ORDER = 11


def measure(workshop: Workshop) -> Iterator[Measure]:
    """The same passes as on one core, by two threads."""
    folder = workshop.snapshots(workshop.size(400_000))
    ran = run_fresh(f"{__name__}:compare", folder=str(folder), rounds=5, passes=50 if workshop.quick else 1_500)
    yield Measure(ROWS[0], ran.result, "×", ">= 1.5", f"one thread; needs two free cores of {os.cpu_count()}")


def compare(folder: str, rounds: int, passes: int) -> float:
    """How much faster two threads are than one; runs in a process of its own."""
    from passflow_tests.bench.signing import make_signer

    signer = make_signer(folder)

    def work() -> None:
        members = signer.values()
        for _ in range(passes):
            signer.build(next(members))

    def spent(threads: int) -> float:
        running = [threading.Thread(target=work) for _ in range(threads)]
        begun = time.perf_counter()
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return time.perf_counter() - begun

    work()
    return statistics.median(2 * spent(1) / spent(2) for _ in range(rounds))
