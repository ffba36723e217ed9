from __future__ import annotations

import multiprocessing
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from passflow.errors import LeaseHeld, LeaseLost
from passflow.security.keyring import Keyring
from passflow.store.engine import Store
from passflow.store.leases import acquire, release
from passflow.store.publish import publish
from passflow.store.tables import counters, leases


class Clock:
    offset = 0

    def __call__(self):
        return self.offset


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(store_url, open_store, clock):
    return open_store(store_url, clock=clock)


def published(store):
    with store.read() as conn:
        return conn.execute(select(counters.c.value).where(counters.c.name == "published")).scalar_one_or_none()


def test_whoever_waits_is_told_who_holds_it_and_until_when(store):
    acquire(store, "gold", low=16, high=32, holder="run 7f3 on db-1")
    with pytest.raises(LeaseHeld, match=r"run 7f3 on db-1 works on range 16-32 .* until \d{4}-\d\d-\d\dT") as raised:
        acquire(store, "gold", holder="me")
    assert raised.value.error_code == "lease.held"


def test_programs_and_ranges_beside_each_other_do_not_meet(store):
    acquire(store, "gold", low=0, high=128, holder="a")
    acquire(store, "gold", low=128, high=256, holder="b")
    acquire(store, "silver", holder="c")


@pytest.mark.parametrize(("low", "high"), [(-1, 3), (3, 3), (4, 3), (0, 257)])
def test_ranges_that_are_none_are_refused(store, low, high):
    with pytest.raises(ValueError, match="0 to 256"):
        acquire(store, "gold", low=low, high=high, holder="a")


def test_an_expired_lease_is_taken_over_with_a_higher_token(store, clock):
    old = acquire(store, "gold", holder="slow", ttl=60)
    clock.offset = 59_000_000
    with pytest.raises(LeaseHeld):
        acquire(store, "gold", holder="next")
    clock.offset = 61_000_000
    new = acquire(store, "gold", low=5, high=9, holder="next")
    assert new.token > old.token


def test_a_run_that_resumes_after_its_lease_went_to_another_writes_nothing(store, clock):
    old = acquire(store, "gold", holder="slow", ttl=60)
    with store.begin(old) as conn:
        publish(conn)
    clock.offset = 61_000_000
    acquire(store, "gold", holder="next")
    with pytest.raises(LeaseLost, match="slow"), store.begin(old) as conn:
        publish(conn)
        pytest.fail("the block must not be entered")
    assert published(store) == 1
    release(store, old)  # gives nothing of the other's back
    with pytest.raises(LeaseHeld):
        acquire(store, "gold", holder="third")


def test_every_transaction_renews(store, clock):
    lease = acquire(store, "gold", holder="steady", ttl=60)
    for _ in range(4):
        clock.offset += 50_000_000
        with store.begin(lease) as conn:
            publish(conn)
    with pytest.raises(LeaseHeld):
        acquire(store, "gold", holder="next")


def test_an_expired_lease_that_nobody_took_goes_on(store, clock):
    lease = acquire(store, "gold", holder="late", ttl=60)
    clock.offset = 3_600_000_000
    with store.begin(lease) as conn:
        publish(conn)
    assert published(store) == 1


def test_a_released_lease_is_free_at_once(store):
    release(store, acquire(store, "gold", holder="a"))
    acquire(store, "gold", holder="b")


def test_nobody_takes_over_in_the_middle_of_a_transaction(store, store_url, open_store, clock):
    lease = acquire(store, "gold", holder="slow", ttl=60)
    outcome: list[object] = []

    def take_over():
        try:
            outcome.append(acquire(open_store(store_url, clock=clock), "gold", holder="next"))
        except LeaseHeld as held:
            outcome.append(held)

    clock.offset = 61_000_000
    waiting = threading.Thread(target=take_over)
    with store.begin(lease) as conn:  # renewed here, so it is not expired any more when the other gets to look
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive() and not outcome
        publish(conn)
    waiting.join(timeout=10)
    assert isinstance(outcome[0], LeaseHeld) and published(store) == 1


def _hold_and_count(url, results, barrier):
    store = Store.open(url, keyring=Keyring())
    barrier.wait(timeout=60)
    won = lost = 0
    for turn in range(8):
        try:
            lease = acquire(store, "gold", holder=f"{turn}")
        except LeaseHeld:
            lost += 1
            continue
        with store.begin(lease) as conn:
            # a plain read and write back: two holders at once would lose an update
            value = conn.execute(select(counters.c.value).where(counters.c.name == "sum")).scalar_one()
            conn.execute(counters.update().where(counters.c.name == "sum").values(value=value + 1))
        won += 1
        release(store, lease)
    store.dispose()
    results.put((won, lost))


def test_two_processes_never_hold_it_at_once(store):
    with store.begin() as conn:
        conn.execute(counters.insert().values(name="sum", value=0))
    spawn = multiprocessing.get_context("spawn")
    results, barrier = spawn.Queue(), spawn.Barrier(2)
    url = store.engine.url.render_as_string(hide_password=False)
    running = [spawn.Process(target=_hold_and_count, args=(url, results, barrier)) for _ in range(2)]
    for process in running:
        process.start()
    done = [results.get(timeout=60) for _ in running]
    for process in running:
        process.join(timeout=30)
    with store.read() as conn:
        total = conn.execute(select(counters.c.value).where(counters.c.name == "sum")).scalar_one()
        assert conn.execute(select(leases)).all() == []
    assert total == sum(won for won, _ in done) > 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(1, 256)).filter(lambda r: r[0] < r[1]), max_size=8))
def test_held_ranges_never_overlap(sqlite_url, open_store, ranges):
    store = open_store(sqlite_url)
    held = []
    for low, high in ranges:
        overlaps = any(low < other_high and other_low < high for other_low, other_high, _ in held)
        try:
            lease = acquire(store, "gold", low=low, high=high, holder="x")
        except LeaseHeld:
            assert overlaps
        else:
            assert not overlaps
            held.append((low, high, lease))
    for _, _, lease in held:
        release(store, lease)
