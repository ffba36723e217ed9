"""Dagster runs inside this process, on the demo's own instance: the same jobs that a schedule would start."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from passflow.errors import PlanError

if TYPE_CHECKING:
    from dagster import DagsterInstance, Definitions

QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own log goes to its instance; on the terminal it would drown the plan."""


class Runs:
    """Starts jobs of the project's programs and waits for them.

    Args:
        definitions: the code location.
        instance: where runs and materializations are recorded; `dagster dev` shows them later.
    """

    def __init__(self, definitions: Definitions, instance: DagsterInstance) -> None:
        self._definitions = definitions
        self._instance = instance

    def run(self, job: str, run_config: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None) -> None:
        """Runs a job to its end.

        Raises:
            PlanError: a step failed; the error of passflow that made it fail is named.
        """
        definition = self._definitions.resolve_job_def(job)
        result = definition.execute_in_process(
            instance=self._instance,
            run_config={**QUIET, **(run_config or {})},
            tags=dict(tags or {}),
            raise_on_error=False,
        )
        if not result.success:
            raise PlanError(
                f"The run {result.run_id} of {job} failed: {_reason(result)}", fix=_FIX, code="demo.run_failed"
            )


_FIX: Final = "Look at the run with `make dev`, under Runs."


def _reason(result: Any) -> str:
    """What the first failed step says: passflow's own words where it was one of its errors."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None:
                return str(data.user_failure_data.description)
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            return str(error.cls_name if error else "unknown")  # its text may quote a member's data
    return "no step says why."


@contextmanager
def open_runs(data: Path, home: Path) -> Iterator[Runs]:
    """The code location of a project, with the Dagster instance in its home folder."""
    os.environ["PASSFLOW_PROJECT"] = str(data)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    from dagster import DagsterInstance

    from passflow.definitions import defs
    from passflow.pipeline.home import prepare_dagster_home
    from passflow.settings import read_settings

    dagster_home = prepare_dagster_home(read_settings())
    os.environ["DAGSTER_HOME"] = str(dagster_home)
    with DagsterInstance.from_config(str(dagster_home)) as instance:
        yield Runs(defs(), instance)
