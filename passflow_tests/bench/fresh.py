"""A function in a fresh process: nothing is warm, and the peak of memory is its own.

``python -m passflow_tests.bench.fresh module:function '{"argument": …}'`` prints what the function returns and the peak
as one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a fresh process did.

    Args:
        result: what the function returned.
        peak: the process's largest resident set, imports included, in MiB. The parent must be smaller, because Linux
            counts it in.
    """

    result: Any
    peak: float


def run_fresh(target: str, *, environment: Mapping[str, str] | None = None, **arguments: object) -> Ran:
    """Runs ``module:function`` with JSON arguments in a process of its own.

    Raises:
        RuntimeError: it failed; holds the end of what it said.
    """
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(_ROOT))))
    command = [sys.executable, "-m", "passflow_tests.bench.fresh", target, json.dumps(arguments)]
    environ = {**os.environ, **(environment or {}), "PYTHONPATH": path}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{target} failed:\n{done.stderr[-3_000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Ran(found["result"], found["peak"])


def main(target: str, arguments: str) -> None:
    """Runs the function here and prints what came of it."""
    module, _, name = target.partition(":")
    result = getattr(import_module(module), name)(**json.loads(arguments))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    print(json.dumps({"result": result, "peak": used / unit}))


if __name__ == "__main__":
    main(*sys.argv[1:])
