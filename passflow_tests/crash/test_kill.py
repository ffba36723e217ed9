"""A night is killed at every named point and played again: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import random
import signal
import time

import pytest

from passflow.sync.points import POINTS
from passflow.testing.crash import Stop
from passflow_tests.crash.conftest import PHONES

PLAY = "passflow_tests.crash.night:play"
HOUR = 3_600_000_000

REACHED = dict.fromkeys(POINTS, (1,)) | {
    "plan.shard_saved": (1, 3),
    "apply.batch_read": (1, 3),
    "apply.batch_written": (1, 4),
    "apply.batch_committed": (1, 4),
    "converge.batch_read": (1, 3),
    "converge.brought": (1, 4),
    "converge.recorded": (1, 4),
    "converge.committed": (1, 4),
    "push.recorded": (1, 2),
}
STOPS = [Stop(point, nth) for point, times in REACHED.items() for nth in times]

CASES = [
    pytest.param(database, stop, id=f"{database}-{stop.point}-{stop.nth}", marks=[pytest.mark.slow] if late else [])
    for database in ("sqlite", "postgresql")
    for stop in STOPS
    for late in [database == "postgresql" and stop.nth > 1]
]


def test_the_undisturbed_night_is_what_the_members_say(undisturbed):
    """Worked out by hand from `second_members`, so that every comparison with it means something."""
    assert undisturbed["M-00000"] == (
        "active", 2, True, ["created", "installed", "updated"],
        {"display_name": "Member 0", "points": "1000", "tier": "gold"},
    )  # fmt: skip
    assert undisturbed["M-00025"][:2] == ("voided", 2)
    assert undisturbed["M-00028"][:2] == ("deleted", 2)
    assert undisturbed["M-00030"][1] == 1 and undisturbed["M-00030"][4]["tier"] == "platinum"
    assert [undisturbed[f"M-000{n}"][0] for n in (31, 34)] == ["deleted", "deleted"]
    assert undisturbed["M-00040"][:4] == ("active", 1, True, ["created"])
    assert undisturbed["M-00071"][:4] == ("active", 1, True, ["created"])
    assert len(undisturbed) == 72


@pytest.mark.parametrize(("evening", "stop"), CASES)
def test_a_night_killed_anywhere_ends_as_if_undisturbed(stop, scene, nursery, undisturbed, apns):
    killed = nursery.run(PLAY, scene.given, stop=stop)
    assert killed.signal == signal.SIGKILL, killed
    apns.pushes.clear()
    # the dead run's lease has expired by the time the next one comes; a plan that was ready goes on
    resume = stop.point.startswith(("apply", "converge", "push"))
    again = nursery.run(PLAY, scene.at(ahead=HOUR, resume=resume))
    assert again.error is None, again.trace
    assert scene.portrait() == undisturbed
    assert set(apns.tokens) <= {f"{device}-token" for device in PHONES}
    assert not apns.violations


@pytest.mark.parametrize(
    ("point", "nth"),
    [("plan.ready", 1), ("apply.batch_written", 4), ("apply.batch_committed", 1), ("converge.committed", 4)],
)
@pytest.mark.parametrize("evening", ["sqlite"])
def test_a_new_plan_after_the_kill_ends_the_same(point, nth, scene, nursery, undisturbed):
    assert nursery.run(PLAY, scene.given, stop=Stop(point, nth)).signal == signal.SIGKILL
    again = nursery.run(PLAY, scene.at(ahead=HOUR))
    assert again.error is None, again.trace
    assert scene.portrait() == undisturbed


@pytest.mark.parametrize("evening", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_killed_at_every_point_in_turn_a_night_still_gets_done(scene, nursery, undisturbed):
    """The worst night: each run dies one point later than the one before."""
    hours = 0
    for point in POINTS:
        hours += 1
        resume = point.startswith(("converge", "push"))
        ended = nursery.run(PLAY, scene.at(ahead=hours * HOUR, resume=resume), stop=Stop(point))
        assert ended.signal == signal.SIGKILL, ended
    again = nursery.run(PLAY, scene.at(ahead=(hours + 1) * HOUR, resume=True))
    assert again.error is None, again.trace
    assert scene.portrait() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(15))
def test_killed_at_any_moment_a_night_ends_as_if_undisturbed(seed, scene, nursery, undisturbed):
    """Not at named points only: the process dies wherever it happens to be."""
    dice = random.Random(seed)
    for life in range(1, 4):
        child = nursery.start(PLAY, scene.at(ahead=life * HOUR))
        time.sleep(dice.uniform(0.05, 1.2))
        child.kill()
        child.wait()
    again = nursery.run(PLAY, scene.at(ahead=9 * HOUR))
    assert again.error is None, again.trace
    assert scene.portrait() == undisturbed
