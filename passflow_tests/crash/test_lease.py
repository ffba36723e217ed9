"""Leases across processes: what a dead run held is taken over, and a run that was taken over writes nothing more."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from passflow.store.tables import metadata
from passflow.testing.crash import Stop
from passflow_tests.crash import night

PLAY = "passflow_tests.crash.night:play"
MINUTE = 60_000_000


@contextmanager
def asleep(nursery: Any, given: dict[str, Any], stop: Stop) -> Iterator[Any]:
    """A run that sleeps at a point, and does not survive the test."""
    child = nursery.start(PLAY, given, stop=stop)
    try:
        child.wait_until_asleep()
        yield child
    except BaseException:
        child.kill()
        raise


def dump(given: dict[str, Any]) -> dict[str, list[Any]]:
    """Every row of every table."""
    _, store = night.open_night(given)
    try:
        with store.read() as conn:
            return {
                table.name: sorted(map(repr, conn.execute(select(table)).all())) for table in metadata.sorted_tables
            }
    finally:
        store.dispose()


def test_a_dead_runs_lease_holds_for_a_minute_and_no_longer(scene, nursery, undisturbed):
    assert nursery.run(PLAY, scene.given, stop=Stop("apply.batch_committed", 2)).signal == signal.SIGKILL
    early = nursery.run(PLAY, scene.at(resume=True))
    assert (early.error, early.code) == ("LeaseHeld", "lease.held")
    late = nursery.run(PLAY, scene.at(resume=True, ahead=MINUTE + 1_000_000))
    assert late.error is None, late.trace
    assert scene.portrait() == undisturbed


@pytest.mark.parametrize(
    ("point", "nth"),
    [("apply.leased", 1), ("apply.batch_committed", 2), ("converge.batch_read", 2), ("converge.brought", 2)],
)
def test_a_run_that_slept_through_its_lease_aborts_and_writes_nothing(point, nth, scene, nursery, undisturbed):
    with asleep(nursery, scene.given, Stop(point, nth, signal.SIGSTOP)) as sleeper:
        other = nursery.run(PLAY, scene.at(resume=True, ahead=2 * MINUTE))
        assert other.error is None, other.trace
        before = dump(scene.given)
        sleeper.wake()
        ended = sleeper.wait()
    assert (ended.error, ended.code) == ("LeaseLost", "lease.lost"), ended.trace
    assert dump(scene.given) == before
    assert scene.portrait() == undisturbed


@pytest.mark.parametrize("evening", ["sqlite"])
def test_a_plan_that_another_plan_overtook_is_given_up(scene, nursery, undisturbed):
    """The sleeper began to plan first; what it read is older than what the other applied meanwhile."""
    with asleep(nursery, scene.given, Stop("plan.read", 1, signal.SIGSTOP)) as sleeper:
        other = nursery.run(PLAY, scene.at())
        assert other.error is None, other.trace
        before = dump(scene.given)
        sleeper.wake()
        ended = sleeper.wait()
    assert ended.error == "PlanError", ended.trace or ended
    assert dump(scene.given) == before
    assert scene.portrait() == undisturbed
