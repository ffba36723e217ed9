"""Whole passes on one core, against the bare RSA signature of the same key."""

from __future__ import annotations

from collections.abc import Iterator

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.rates import median_ratio, rate
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import Workshop

ROWS = ("passes_built_and_signed", "passes_built_and_signed_per_second")
ORDER = 10


def measure(workshop: Workshop) -> Iterator[Measure]:
    """Rendered from the club's template (numbers, money and dates in four languages), packed and signed."""
    folder = workshop.snapshots(workshop.size(400_000))
    ran = run_fresh(f"{__name__}:sign", folder=str(folder), rounds=7, seconds=0.05 if workshop.quick else 0.7)
    ratio, per_second = ran.result
    yield Measure(ROWS[0], ratio, "×", ">= 0.85", "bare `key.sign` with the same RSA-2048 key, one core")
    yield Measure(ROWS[1], per_second, "passes/s", None, "one core")


def sign(folder: str, rounds: int, seconds: float) -> tuple[float, float]:
    """Ratio to the bare signature, and passes a second; runs in a process of its own."""
    from passflow_tests.bench.signing import make_signer

    signer = make_signer(folder)
    members = signer.values()
    rate(lambda: signer.build(next(members)), seconds)  # fills the caches of formatted numbers and dates
    ratio = median_ratio(lambda: signer.build(next(members)), signer.sign_bare, rounds=rounds, seconds=seconds)
    return ratio, rate(lambda: signer.build(next(members)), seconds)
