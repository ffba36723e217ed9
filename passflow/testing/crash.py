"""Processes that die, or fall asleep, at a named point of a run; for crash tests.

A `Nursery` is a small process that imports what a run needs and then forks one child per run, so that a real process to
kill costs milliseconds instead of a start of Python::

    with Nursery(["shop.tests.night"]) as nursery:
        ended = nursery.run("shop.tests.night:play", {"store": url}, stop=Stop("apply.batch_written", nth=2))
        assert ended.signal == signal.SIGKILL

The points are those of `passflow.sync.points`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Self

from passflow.errors import PassflowError
from passflow.sync import points


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a run ends: the n-th time that it reaches a point.

    Args:
        point: one of ``passflow.sync.points.POINTS``.
        nth: how often the point is reached, this time included.
        signal: what the process sends itself: SIGKILL ends it, SIGSTOP lets it sleep until somebody sends SIGCONT.
    """

    point: str
    nth: int = 1
    signal: int = signal.SIGKILL

    def install(self) -> None:
        """Makes this process send itself the signal there."""
        if self.point not in points.POINTS:
            raise ValueError(f"there is no point {self.point!r}; see passflow.sync.points.POINTS")
        left = self.nth

        def look(point: str) -> None:
            nonlocal left
            left -= point == self.point
            if left == 0 and point == self.point:
                os.kill(os.getpid(), self.signal)

        points.hook = look


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended.

    Args:
        signal: what killed it, or None.
        result: what the job returned, as JSON values.
        error: class name of the error that ended the job, or None.
        code: the stable code of that error, where it is one of passflow's.
        trace: its traceback.
    """

    signal: int | None
    result: Any = None
    error: str | None = None
    code: str | None = None
    trace: str = ""


class Nursery:
    """Forks children that run jobs; a context manager.

    Args:
        preload: modules to import before the first fork. They may start no threads when they are imported.
    """

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = preload

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, *self._preload]
        self._process = subprocess.Popen(  # noqa: S603 - this module, in this Python
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def run(self, job: str, arguments: Any, *, stop: Stop | None = None) -> Ended:
        """Runs a job in a child of its own and waits for its end."""
        return self.start(job, arguments, stop=stop).wait()

    def start(self, job: str, arguments: Any, *, stop: Stop | None = None) -> Child:
        """Starts a job in a child of its own.

        Args:
            job: ``module:function``; called with the arguments, returns JSON values.
            arguments: one JSON value.
            stop: where the child ends; nowhere if left out.
        """
        handle, name = tempfile.mkstemp(prefix="passflow-child-", suffix=".json")
        os.close(handle)
        request = {"job": job, "arguments": arguments, "stop": asdict(stop) if stop else None, "result": name}
        return Child(self, int(self.ask(request)), Path(name))

    def ask(self, request: dict[str, Any]) -> Any:
        """One question to the nursery's process, one answer."""
        asking, answering = self._process.stdin, self._process.stdout
        if asking is None or answering is None:
            raise RuntimeError("the nursery was not entered")
        asking.write(json.dumps(request) + "\n")
        asking.flush()
        return json.loads(answering.readline())


@dataclass(frozen=True, slots=True)
class Child:
    """A child that was started."""

    nursery: Nursery
    pid: int
    path: Path

    def wait(self) -> Ended:
        """Waits for its end; nobody else may be waited for in between."""
        status = int(self.nursery.ask({"wait": self.pid}))
        text = self.path.read_text()
        self.path.unlink()
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        return Ended(killed, **json.loads(text)) if text else Ended(killed)

    def wait_until_asleep(self, seconds: float = 30.0) -> None:
        """Waits until SIGSTOP has stopped it.

        Raises:
            TimeoutError: it is not asleep by then.
        """
        deadline = time.monotonic() + seconds
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} did not stop within {seconds:g} s")
            time.sleep(0.005)

    def kill(self) -> None:
        """Ends it now, wherever it is."""
        os.kill(self.pid, signal.SIGKILL)

    def wake(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)


def _serve(requests: IO[str], answers: IO[str]) -> None:
    for line in requests:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitpid(request["wait"], 0)[1]
        else:
            answer = os.fork()
            if answer == 0:
                _live(request)
        print(json.dumps(answer), file=answers, flush=True)


def _live(request: dict[str, Any]) -> None:
    path = Path(request["result"])
    try:
        sys.stdout = sys.stderr  # the nursery's own output carries its answers
        if request["stop"]:
            Stop(**request["stop"]).install()
        module, _, name = request["job"].partition(":")
        result = getattr(import_module(module), name)(request["arguments"])
        path.write_text(json.dumps({"result": result}))
    except BaseException as error:  # noqa: BLE001 - whatever ended the job is its result
        code = error.error_code if isinstance(error, PassflowError) else None
        told = {"error": type(error).__name__, "code": code, "trace": traceback.format_exc()}
        path.write_text(json.dumps(told))
    finally:
        os._exit(0)  # nothing of the nursery may be cleaned up twice


if __name__ == "__main__":
    for preloaded in sys.argv[1:]:
        import_module(preloaded)
    _serve(sys.stdin, sys.stdout)
