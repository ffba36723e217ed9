"""What verbs write: text for people, one JSON document for machines, and how far long work is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

    from passflow.sync.progress import Progress

PLAIN_SECONDS: Final = 5.0
"""Between two progress lines of one stage where there is no terminal."""

NARROW: Final = 100
"""Columns where there is no terminal to ask: pipes and log files."""


class Output:
    """Where one verb writes.

    Args:
        as_json: nothing but one JSON document goes to standard output; progress goes to standard error.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def console(self) -> Console:
        """The console of standard output; wide enough for pipes, without colours there."""
        return _console(stderr=False)

    def say(self, text: object = "", **style: Any) -> None:
        """Writes for people; silent where JSON was asked for."""
        if not self.as_json:
            self.console.print(text, highlight=False, soft_wrap=isinstance(text, str), **style)

    def emit(self, kind: str, document: Mapping[str, object], *, version: int = 1) -> None:
        """Writes the JSON document, if one was asked for; ``schema`` names its kind and version."""
        if self.as_json:
            sys.stdout.write(to_json({"schema": f"passflow.{kind}/{version}", **document}) + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A progress callback: bars on a terminal, else a line every few seconds, both on standard error."""
        with show_progress() as progress:
            yield progress


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else NARROW)


def to_json(document: object) -> str:
    """JSON as every verb prints it: indented, sorted as given, UTF-8."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=_encode)


def _encode(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Bars on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        lines = _Lines()
        yield lines
        lines.finish()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("  {task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


class _Lines:
    """Progress as log lines: the first report of a stage, one every few seconds, and the last."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._pending: dict[str, tuple[int, int | None]] = {}

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._told.get(stage, now - PLAIN_SECONDS) < PLAIN_SECONDS:
            self._pending[stage] = (done, total)
            return
        self._told[stage] = now
        self._write(stage, done, total)

    def finish(self) -> None:
        """Writes what was held back."""
        for stage, (done, total) in list(self._pending.items()):
            self._write(stage, done, total)

    def _write(self, stage: str, done: int, total: int | None) -> None:
        self._pending.pop(stage, None)
        of = f" of {total:,}" if total is not None else ""
        sys.stderr.write(f"{stage}: {done:,}{of}\n")
        sys.stderr.flush()
