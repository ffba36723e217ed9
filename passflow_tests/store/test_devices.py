from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text

from passflow.errors import CryptoError, StoreError
from passflow.model import EventKind
from passflow.security.keyring import Keyring
from passflow.store.devices import (
    count_registrations,
    device_hash,
    drop_token,
    open_push_token,
    push_token_hash,
    register,
    unregister,
    updatable,
)
from passflow.store.tables import deliveries, devices, events, registrations, wallet_states
from passflow.testing.store import PASS_TYPE, plant_pass, plant_publication

DAY = 86_400_000_000


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


def enter(store, planted, device="d1", token="t1", **more):
    with store.begin() as conn:
        return register(
            store, conn, device_id=device, push_token=token, pass_type=PASS_TYPE, serial=planted.serial, **more
        )


def leave(store, planted, device="d1", **more):
    with store.begin() as conn:
        return unregister(store, conn, device_id=device, pass_type=PASS_TYPE, serial=planted.serial, **more)


def ask(store, since, device="d1"):
    with store.read() as conn:
        return updatable(store, conn, device_id=device, pass_type=PASS_TYPE, since=since)


def kinds(store):
    with store.read() as conn:
        return list(conn.execute(select(events.c.kind).order_by(events.c.serial, events.c.number)).scalars())


def pushed(store):
    with store.read() as conn:
        return list(conn.execute(select(registrations.c.pushed).order_by(registrations.c.serial)).scalars())


def count(store, table):
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_registering_twice_is_one_registration_and_one_event(store):
    planted = plant_pass(store, "M-1")
    assert [enter(store, planted).new, enter(store, planted).new] == [True, False]
    assert count(store, registrations) == count(store, devices) == 1
    assert kinds(store) == ["installed"]


def test_a_new_token_takes_the_place_of_the_old_one_for_all_passes(store):
    first, second = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    enter(store, first, token="old")
    enter(store, second, token="new")
    with store.read() as conn:
        row = conn.execute(select(devices)).one()
    assert row.push_token_hash == push_token_hash(store, "new") != push_token_hash(store, "old")
    assert open_push_token(store, row.device_hash, row.push_token_sealed) == "new"


def test_device_ids_and_tokens_are_nowhere_in_clear(store):
    enter(store, plant_pass(store, "M-1"), device="very-secret-device", token="very-secret-token")
    with store.read() as conn:
        stored = repr(conn.execute(select(devices)).all()) + repr(conn.execute(select(registrations)).all())
    assert "very-secret" not in stored


def test_a_sealed_token_belongs_to_its_device(store):
    enter(store, plant_pass(store, "M-1"))
    with store.read() as conn:
        sealed = conn.execute(select(devices.c.push_token_sealed)).scalar_one()
    with pytest.raises(CryptoError):
        open_push_token(store, device_hash(store, "another"), sealed)


def test_hashes_depend_on_store_and_purpose(store, tmp_path, open_store, keyring):
    assert device_hash(store, "x") != push_token_hash(store, "x")
    assert len(device_hash(store, "\ud800 hostile")) == 16
    with pytest.raises(CryptoError, match="'packages'"):
        device_hash(
            open_store(store.engine.url.render_as_string(hide_password=False), keyring=Keyring(keyring.members)), "x"
        )


@pytest.mark.parametrize(
    ("age", "expected"), [(0, 0), (DAY - 2_000_000, 0), (DAY + 2_000_000, 1)], ids=["now", "almost", "past"]
)
def test_a_registration_within_a_day_of_the_publication_is_behind(store, clock, age, expected):
    # the device may have fetched the bytes that were replaced before it registered
    planted = plant_pass(store, "M-1")
    assert plant_publication(store, planted) == 1
    clock.offset = age
    enter(store, planted)
    assert pushed(store) == [expected]


def test_a_pass_that_was_never_published_is_not_behind_and_not_listed(store):
    enter(store, plant_pass(store, "M-1"))
    assert pushed(store) == [0] and ask(store, None).serials == ()


def test_registering_again_with_the_same_token_does_not_ring_again(store):
    planted = plant_pass(store, "M-1")
    plant_publication(store, planted)
    enter(store, planted)
    with store.begin() as conn:
        conn.execute(registrations.update().values(pushed=1))
    enter(store, planted)
    assert pushed(store) == [1]
    enter(store, planted, token="t2")  # what was sent to the old token may be lost
    assert pushed(store) == [0]


def test_unknown_passes_and_types_are_refused(store):
    planted = plant_pass(store, "M-1")
    for pass_type, serial in ((PASS_TYPE, "nothing"), ("pass.other", planted.serial)):
        with pytest.raises(StoreError) as raised, store.begin() as conn:
            register(store, conn, device_id="d", push_token="t", pass_type=pass_type, serial=serial)
        assert raised.value.error_code == "pass.unknown"
    assert count(store, devices) == 0 and kinds(store) == []
    assert not leave(store, planted)


def test_installed_and_uninstalled_are_told_once_each(store):
    planted = plant_pass(store, "M-1")
    told = {"subscribers": lambda program, kind: ["crm-a", "crm-b"] if kind is EventKind.INSTALLED else ["crm-a"]}
    enter(store, planted, device="phone", **told)
    enter(store, planted, device="watch", **told)
    assert kinds(store) == ["installed"]
    assert leave(store, planted, device="phone", **told)
    assert kinds(store) == ["installed"]
    assert leave(store, planted, device="watch", **told)
    assert not leave(store, planted, device="watch", **told)
    assert kinds(store) == ["installed", "uninstalled"]
    enter(store, planted, device="phone", **told)
    assert kinds(store) == ["installed", "uninstalled", "installed"]
    with store.read() as conn:
        rows = conn.execute(select(deliveries.c.number, deliveries.c.crm, deliveries.c.state)).all()
        state = conn.execute(select(wallet_states.c.installation)).scalar_one()
    assert sorted(map(tuple, rows)) == [
        (1, "crm-a", "due"),
        (1, "crm-b", "due"),
        (2, "crm-a", "due"),
        (3, "crm-a", "due"),
        (3, "crm-b", "due"),
    ]
    assert state == "installed"


def test_a_device_without_passes_is_forgotten(store):
    first, second = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    enter(store, first)
    enter(store, second)
    leave(store, first)
    assert count(store, devices) == 1
    leave(store, second)
    assert count(store, devices) == 0


def test_a_refused_token_takes_its_device_and_all_registrations_along(store):
    first, second = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    enter(store, first)
    enter(store, second)
    enter(store, second, device="d2", token="t2")
    with store.begin() as conn:
        assert drop_token(store, conn, push_token_hash(store, "t1")) == 2
        assert drop_token(store, conn, push_token_hash(store, "t1")) == 0
    assert count(store, devices) == count(store, registrations) == 1
    assert sorted(kinds(store)) == ["installed", "installed", "uninstalled"]


def test_a_device_that_came_back_with_another_token_stays(store):
    planted = plant_pass(store, "M-1")
    enter(store, planted, token="old")
    enter(store, planted, token="new")
    with store.begin() as conn:
        assert drop_token(store, conn, push_token_hash(store, "old")) == 0
    assert count(store, registrations) == 1


def test_a_device_that_registered_after_the_timestamp_of_a_410_stays(store, clock):
    planted = plant_pass(store, "M-1")
    enter(store, planted)
    with store.read() as conn:
        refused_at = store.now(conn) // 1000 + 1
    clock.offset = 5_000_000
    enter(store, planted)  # the same token, registered once more
    with store.begin() as conn:
        assert drop_token(store, conn, push_token_hash(store, "t1"), not_after_ms=refused_at) == 0
        assert drop_token(store, conn, push_token_hash(store, "t1"), not_after_ms=refused_at + 10_000) == 1


def test_the_list_names_what_is_newer_than_the_tag_and_only_that(store):
    one, two, other = (plant_pass(store, f"M-{n}") for n in range(3))
    for planted in (one, two):
        enter(store, planted)
    plant_publication(store, one, two, other)
    first = ask(store, None)
    assert set(first.serials) == {one.serial, two.serial}
    plant_publication(store, two)
    second = ask(store, first.tag)
    assert second.serials == (two.serial,) and int(second.tag) > int(first.tag)
    third = ask(store, second.tag)
    assert third.serials == () and third.tag == second.tag
    assert ask(store, None, device="stranger").serials == ()


@pytest.mark.parametrize("tag", ["", "x", "-1", "1e3", "1; DROP TABLE devices", "9" * 400, "١٢", " 1", "0x1", "\x00"])
def test_a_strange_tag_asks_for_everything(store, tag):
    planted = plant_pass(store, "M-1")
    enter(store, planted)
    plant_publication(store, planted)
    assert ask(store, tag).serials == (planted.serial,)


def test_phones_are_counted_by_program(store):
    gold, silver = plant_pass(store, "M-1"), plant_pass(store, "M-1", program="silver")
    enter(store, gold)
    enter(store, gold, device="d2", token="t2")
    enter(store, silver)
    with store.read() as conn:
        assert (count_registrations(conn, "gold"), count_registrations(conn, "silver")) == (2, 1)


def test_devices_that_come_and_go_at_once_end_in_one_truth(store):
    # every interleaving must leave "installed" exactly while somebody holds the pass, told in alternation
    planted = plant_pass(store, "M-1")
    errors = []

    def work(device):
        try:
            for _ in range(6):
                enter(store, planted, device=device, token=device)
                leave(store, planted, device=device)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"d{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    told = kinds(store)
    assert told == list(itertools.islice(itertools.cycle(["installed", "uninstalled"]), len(told)))
    assert told[-1] == "uninstalled" and count(store, registrations) == count(store, devices) == 0


def test_one_device_may_register_many_passes_at_once(store):
    planted = [plant_pass(store, f"M-{n}") for n in range(8)]
    errors = []

    def work(one):
        try:
            enter(store, one)
            leave(store, one)
            enter(store, one)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in planted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and count(store, registrations) == 8 and count(store, devices) == 1


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "drop"]), st.integers(0, 2), st.integers(0, 1)), max_size=14
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_registrations_agree_with_a_plain_set(sqlite_url, open_store, actions):
    store = open_store(sqlite_url)
    planted = [plant_pass(store, f"M-{count(store, wallet_states)}") for n in range(2)]
    held, told = set(), []
    for action, device, number in actions:
        one, before = planted[number], {n for n in range(2) if any(n == p for _, p in held)}
        if action == "enter":
            assert enter(store, one, device=f"d{device}", token=f"t{device}").new == ((device, number) not in held)
            held.add((device, number))
        elif action == "leave":
            assert leave(store, one, device=f"d{device}") == ((device, number) in held)
            held.discard((device, number))
        else:
            with store.begin() as conn:
                dropped = drop_token(store, conn, push_token_hash(store, f"t{device}"))
            assert dropped == sum(d == device for d, _ in held)
            held = {(d, p) for d, p in held if d != device}
        after = {n for n in range(2) if any(n == p for _, p in held)}
        told += [(n, "installed") for n in after - before] + [(n, "uninstalled") for n in before - after]
    for n, one in enumerate(planted):
        with store.read() as conn:
            query = select(events.c.kind).where(events.c.serial == one.serial).order_by(events.c.number)
            assert list(conn.execute(query).scalars()) == [kind for number, kind in told if number == n]
    with store.begin() as conn:
        for table in ("registrations", "devices"):
            conn.execute(text(f"DELETE FROM {table}"))


def test_no_look_up_of_a_device_reads_a_whole_table(sqlite_url, open_store):
    # the plans of SQLite without statistics, which is how most stores run
    store = open_store(sqlite_url)
    one, two = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    plant_publication(store, one, two)
    seen = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _cu, sql, values, *_: seen.append((sql, values)))
    enter(store, one)
    enter(store, two)
    ask(store, "0")
    leave(store, two)
    with store.begin() as conn:
        drop_token(store, conn, push_token_hash(store, "t1"))
    looked = [(sql, values) for sql, values in seen if sql.startswith(("SELECT", "UPDATE", "DELETE"))]
    with store.engine.connect() as conn:
        steps = [row[3] for sql, values in looked for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert len(looked) > 10 and [step for step in steps if step.startswith("SCAN")] == []
    # an index on (pass type, …) would find every pass of the type, which is nearly all there are
    assert [step for step in steps if "ix_wallet_states" in step] == []
