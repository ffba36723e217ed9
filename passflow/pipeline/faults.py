"""passflow's errors in Dagster's terms: what another try mends is tried again, everything else says its next step."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from passflow.errors import LeaseHeld, PassflowError, StoreBusy

RETRIES = 5
RETRY_SECONDS = 20.0


@contextmanager
def reported(log: dg.DagsterLogManager) -> Iterator[None]:
    """Turns an error into a retry of the step (store busy, lease held) or a failure with code and next step.

    The text of an error that is not passflow's is left out: it may quote a member's data, and Dagster keeps it.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except (StoreBusy, LeaseHeld) as error:
        log.warning(f"{error}\nTrying again in {RETRY_SECONDS:.0f} s, at most {RETRIES} times.")
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_SECONDS) from None
    except PassflowError as error:
        raise _failure(str(error), error.error_code, error.fix) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach Dagster's files
        frames = "".join(traceback.format_tb(error.__traceback__))
        described = (
            f"{type(error).__name__}, which passflow did not expect; its text may quote a member and is left out."
        )
        raise _failure(f"{described}\n{frames}", "pipeline.unexpected", "Report it with these lines.") from None


def _failure(description: str, code: str, fix: str) -> dg.Failure:
    metadata = {"passflow/code": code, "passflow/next_step": fix}
    return dg.Failure(description=description, metadata=metadata, allow_retries=False)
