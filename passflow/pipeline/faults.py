"""passflow's errors in Dagster's terms: what another try mends is tried again, everything else says its next step."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from passflow.errors import LeaseHeld, PassflowError, StoreBusy

RETRIES = 5
RETRY_SECONDS = 20.0


@contextmanager
def reported(log: dg.DagsterLogManager) -> Iterator[None]:
    """Turns an error of passflow into a retry of the step (store busy, lease held) or a failure with code and fix.

    Stack traces are left out: message and next step say all, and neither holds personal data.
    """
    try:
        yield
    except (StoreBusy, LeaseHeld) as error:
        log.warning(f"{error}\nTrying again in {RETRY_SECONDS:.0f} s, at most {RETRIES} times.")
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_SECONDS) from None
    except PassflowError as error:
        metadata = {"passflow/code": error.error_code, "passflow/next_step": error.fix}
        raise dg.Failure(description=str(error), metadata=metadata, allow_retries=False) from None
