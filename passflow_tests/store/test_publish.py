from __future__ import annotations

import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from passflow.store.publish import next_modified, next_number, publish
from passflow.store.tables import wallet_states

WRITERS, READERS, ROUNDS, PASSES = 6, 3, 15, 4


@pytest.fixture
def states(store):
    """One Apple state per writer and pass."""
    serials = [f"w{writer}-p{number}" for writer in range(WRITERS) for number in range(PASSES)]
    common = {"wallet": "apple", "program": "gold", "id_hash": b"", "behind": True, "pass_type": "pass.x"}
    with store.begin() as conn:
        conn.execute(
            insert(wallet_states), [{**common, "serial": s, "target_revision": 0, "revision": 0} for s in serials]
        )
    return serials


class Crash(Exception):
    pass


def write(store, writer, published, errors):
    """Signs at its own pace, publishes late, and now and then crashes before the commit."""
    rng = random.Random(writer)
    try:
        for turn in range(ROUNDS):
            changed = rng.sample([f"w{writer}-p{number}" for number in range(PASSES)], 2)
            try:
                with store.begin() as conn:
                    time.sleep(rng.random() * 0.004)
                    number = publish(conn)
                    mine = wallet_states.c.serial.in_(changed)
                    conn.execute(update(wallet_states).where(mine).values(published=number, revision=turn + 1))
                    time.sleep(rng.random() * 0.004)  # whoever took a later number must not be seen before us
                    if writer == 0 and turn % 3 == 1:
                        raise Crash
            except Crash:
                continue
            published.append((number, dict.fromkeys(changed, turn + 1)))
    except BaseException as error:
        errors.append(error)


def poll(store, stop, errors, seen):
    """A device: remembers its tag, asks what is newer, and takes what it is given."""
    tag = 0
    try:
        while True:
            last = stop.is_set()
            with store.read() as conn:
                query = select(wallet_states.c.serial, wallet_states.c.published, wallet_states.c.revision)
                rows = conn.execute(query.where(wallet_states.c.published > tag)).all()
            for row in rows:
                seen[row.serial] = row.revision
            tag = max((row.published for row in rows), default=tag)
            if last:
                return
    except BaseException as error:
        errors.append(error)


def test_no_reader_ever_misses_a_pass(store, states):
    errors, published, stop = [], [], threading.Event()
    seen = [{} for _ in range(READERS)]
    readers = [threading.Thread(target=poll, args=(store, stop, errors, seen[n])) for n in range(READERS)]
    writers = [threading.Thread(target=write, args=(store, n, published, errors)) for n in range(WRITERS)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert errors == []
    numbers = [number for number, _ in published]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))  # one per commit, none lost to a crash, none twice
    with store.read() as conn:
        final = dict(
            conn.execute(
                select(wallet_states.c.serial, wallet_states.c.revision).where(wallet_states.c.revision > 0)
            ).all()
        )
    assert final and all(reader == final for reader in seen)


def test_the_same_poll_misses_passes_when_numbers_come_from_a_sequence(postgres_url, open_store):
    # why there is a counter row: the test above must be able to fail
    store = open_store(postgres_url)
    common = {"wallet": "apple", "program": "gold", "id_hash": b"", "behind": True, "target_revision": 0}
    with store.begin() as conn:
        conn.exec_driver_sql("CREATE SEQUENCE numbers")
        conn.execute(insert(wallet_states), [{**common, "serial": s} for s in ("slow", "fast")])

    def publish_from_sequence(conn, serial):
        number = conn.exec_driver_sql("SELECT nextval('numbers')").scalar_one()
        conn.execute(update(wallet_states).where(wallet_states.c.serial == serial).values(published=number))

    newer = select(wallet_states.c.serial, wallet_states.c.published)
    with store.begin() as slow:
        publish_from_sequence(slow, "slow")
        with store.begin() as fast:
            publish_from_sequence(fast, "fast")
        with store.read() as conn:
            tag = max(row.published for row in conn.execute(newer.where(wallet_states.c.published > 0)))
    with store.read() as conn:
        assert conn.execute(newer.where(wallet_states.c.published > tag)).all() == []  # "slow" is lost


def test_a_later_number_waits_for_the_earlier_transaction(store):
    order = []

    def second():
        with store.begin() as conn:
            order.append(("second", publish(conn)))

    waiting = threading.Thread(target=second)
    with store.begin() as conn:
        first = publish(conn)
        waiting.start()
        time.sleep(0.2)
        order.append(("first", first))
    waiting.join()
    assert order == [("first", 1), ("second", 2)]


def test_counters_do_not_share_numbers(store):
    with store.begin() as conn:
        assert [next_number(conn, "a"), next_number(conn, "a"), next_number(conn, "b")] == [1, 2, 1]


@given(st.lists(st.integers(0, 10**16), min_size=1, max_size=20))
def test_two_publications_never_share_a_second(clock):
    stamps = []
    for now in clock:
        stamps.append(next_modified(stamps[-1] if stamps else None, now))
    assert stamps == sorted(set(stamps))
    assert stamps[0] == clock[0] // 1_000_000
    assert all(stamp >= now // 1_000_000 for stamp, now in zip(stamps, clock))
