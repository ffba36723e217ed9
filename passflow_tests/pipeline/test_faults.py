import logging

import dagster as dg
import pytest

from passflow.errors import LeaseHeld, LeaseLost, PlanError, SourceError, StoreBusy
from passflow.pipeline.faults import RETRIES, reported
from passflow_tests.pipeline.club import Project, Run, members

LOG = logging.getLogger("passflow_tests")


def raised(error: Exception) -> BaseException:
    with pytest.raises((dg.Failure, dg.RetryRequested)) as caught, reported(LOG):  # type: ignore[arg-type]  # a logger
        raise error
    return caught.value


@pytest.mark.parametrize("error", [StoreBusy("The store is locked."), LeaseHeld("Another run works on it.")])
def test_what_another_try_mends_is_tried_again(error: Exception) -> None:
    retry = raised(error)
    assert isinstance(retry, dg.RetryRequested)
    assert retry.max_retries == RETRIES


@pytest.mark.parametrize("error", [PlanError("Stale.", fix="Plan again."), SourceError("Gone."), LeaseLost("Lost.")])
def test_everything_else_fails_with_code_and_next_step(error: PlanError) -> None:
    failure = raised(error)
    assert isinstance(failure, dg.Failure)
    assert error.message in str(failure.description)
    assert failure.metadata["passflow/code"].value == error.error_code
    assert failure.metadata["passflow/next_step"].value == error.fix
    assert failure.allow_retries is False
    assert failure.__cause__ is None


def test_the_text_of_a_strange_error_is_left_out() -> None:
    failure = raised(ValueError("bad value 'Zoë Adler' in row 7"))
    assert isinstance(failure, dg.Failure)
    assert "Zoë" not in str(failure.description)
    assert "ValueError" in str(failure.description)
    assert "test_faults.py" in str(failure.description)
    assert failure.__suppress_context__


def test_a_strange_error_of_a_source_leaves_no_trace_in_dagsters_files(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add("club", rows=members(3))

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(" ".join(("Przemysława", "was", "here")))  # the source line itself is shown

    monkeypatch.setattr("passflow.sync.plan.make_plan", fail)
    assert not run("club_plan", raise_on_error=False).success
    home = project.root.parent / "home" / "dagster"
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"pipeline.unexpected" in held
    assert b"was here" not in held


def test_a_held_lease_is_waited_for(project: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is another run's when this one begins, and free at its second try."""
    from passflow.store.leases import Lease, acquire, release

    monkeypatch.setattr("passflow.pipeline.faults.RETRY_SECONDS", 0.0)
    project.add("club", rows=members(3))
    run("club_plan")
    with project.open() as installation:
        leases = [acquire(installation.store, "club", holder="somebody else")]
        real = dg.RetryRequested.__init__

        def freeing(self: dg.RetryRequested, *given: object, **options: object) -> None:
            real(self, *given, **options)  # type: ignore[arg-type]  # as given
            held: list[Lease] = [leases.pop()] if leases else []
            for lease in held:
                release(installation.store, lease)

        monkeypatch.setattr(dg.RetryRequested, "__init__", freeing)
        result = run("club_apply")
    assert result.success
    assert leases == []
    assert any(event.is_step_restarted for event in result.all_events)
