"""Progress of a step: a line in Dagster's log every few seconds, and how long each stage took."""

import time
from collections.abc import Callable

import dagster as dg

LINE_SECONDS = 5.0


class StageClock:
    """Hears of progress as ``passflow.sync`` reports it: stage, how many are done, of how many.

    Args:
        log: where lines go; one per stage and every ``LINE_SECONDS``.
        clock: seconds, monotonic.
    """

    def __init__(self, log: dg.DagsterLogManager, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._stage: str | None = None
        self._since = self._spoke = clock()
        self._seconds: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        """Hears how far a stage is; ``total`` is None where the end is not known."""
        now = self._clock()
        entered = stage != self._stage
        if entered:
            self._end(now)
            self._stage = stage
        if entered or now - self._spoke >= LINE_SECONDS:
            self._spoke = now
            self._log.info(f"{stage}: {done:,}" + (f" of {total:,}" if total else ""))

    def seconds(self) -> dict[str, float]:
        """Seconds spent in each stage so far, in order."""
        self._end(self._clock())
        return dict(self._seconds)

    def _end(self, now: float) -> None:
        if self._stage is not None:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._since = now
