"""The nursery itself: what a child returns, how it fails, where it dies and sleeps."""

from __future__ import annotations

import os
import signal
import time

import pytest

from passflow.errors import PlanError
from passflow.sync.points import POINTS, reach
from passflow.testing.crash import Stop

HERE = "passflow_tests.crash.test_nursery"


def walk(times: int) -> int:
    """Reaches every point so often."""
    for _ in range(times):
        for point in POINTS:
            reach(point)
    return times


def fail(code: str) -> None:
    raise PlanError("It does not go.", code=code)


def crash(_: object) -> None:
    raise ZeroDivisionError


def whoami(_: object) -> int:
    return os.getpid()


def test_a_job_returns_json_from_a_process_of_its_own(nursery):
    first, second = (nursery.run(f"{HERE}:whoami", None) for _ in range(2))
    assert len({first.result, second.result, os.getpid()}) == 3
    assert (first.signal, first.error) == (None, None)


def test_errors_come_back_by_name_and_code(nursery):
    ended = nursery.run(f"{HERE}:fail", "plan.strange")
    assert (ended.signal, ended.error, ended.code) == (None, "PlanError", "plan.strange")
    assert "It does not go." in ended.trace
    ended = nursery.run(f"{HERE}:crash", None)
    assert (ended.error, ended.code) == ("ZeroDivisionError", None)
    assert nursery.run(f"{HERE}:nothing", None).error == "AttributeError"


@pytest.mark.parametrize("point", [POINTS[0], POINTS[-1]])
def test_a_child_dies_at_the_nth_reach_and_not_before(nursery, point):
    assert nursery.run(f"{HERE}:walk", 2, stop=Stop(point, 3)).result == 2
    assert nursery.run(f"{HERE}:walk", 3, stop=Stop(point, 3)).signal == signal.SIGKILL
    assert nursery.run(f"{HERE}:walk", 1, stop=Stop(point, 1, signal.SIGTERM)).signal == signal.SIGTERM


def test_a_child_sleeps_until_it_is_woken_while_others_run(nursery):
    sleeper = nursery.start(f"{HERE}:walk", 1, stop=Stop(POINTS[3], 1, signal.SIGSTOP))
    sleeper.wait_until_asleep()
    assert nursery.run(f"{HERE}:walk", 5).result == 5
    sleeper.wake()
    assert sleeper.wait().result == 1


def test_a_child_that_does_not_sleep_is_a_timeout(nursery):
    child = nursery.start("time:sleep", 20)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        child.wait_until_asleep(0.2)
    child.kill()
    assert child.wait().signal == signal.SIGKILL
    assert time.monotonic() - began < 5


def test_an_unknown_point_is_refused(nursery):
    ended = nursery.run(f"{HERE}:walk", 1, stop=Stop("plan.finished"))
    assert ended.error == "ValueError"
