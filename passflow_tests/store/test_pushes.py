from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from passflow.errors import CryptoError
from passflow.security.keyring import Keyring
from passflow.store.devices import push_token_hash, register
from passflow.store.pushes import behind_pushes, mark_pushed
from passflow.store.tables import registrations
from passflow.testing.store import PASS_TYPE, plant_pass, plant_publication


def enter(store, planted, device):
    with store.begin() as conn:
        register(
            store, conn, device_id=device, push_token=f"token-{device}", pass_type=PASS_TYPE, serial=planted.serial
        )


def due(store, **options):
    with store.read() as conn:
        return behind_pushes(store, conn, **options)


def mark(store, pushes):
    with store.begin() as conn:
        return mark_pushed(conn, pushes)


def test_a_device_is_rung_once_however_many_of_its_passes_changed(store):
    passes = [plant_pass(store, f"M-{n}") for n in range(3)]
    for one in passes:
        enter(store, one, "d1")
    plant_publication(store, *passes[:2])
    number = plant_publication(store, passes[2])
    (push,) = due(store)
    assert (push.push_token, push.topic, push.published) == ("token-d1", PASS_TYPE, number)
    assert push.push_token_hash == push_token_hash(store, "token-d1")
    assert mark(store, [push]) == 3 and due(store) == []
    assert mark(store, [push]) == 0  # a mark that comes twice changes nothing


def test_what_was_published_after_the_push_was_chosen_is_rung_again(store):
    one = plant_pass(store, "M-1")
    enter(store, one, "d1")
    plant_publication(store, one)
    pushes = due(store)
    plant_publication(store, one)
    mark(store, pushes)
    assert [push.published for push in due(store)] == [pushes[0].published + 1]


def test_a_registration_made_after_the_push_was_chosen_stays_behind(store):
    one, two = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    enter(store, one, "d1")
    plant_publication(store, one, two)
    pushes = due(store)
    time.sleep(0.002)
    enter(store, two, "d1")  # the phone may have asked for its list before this
    assert mark(store, pushes) == 1
    assert len(due(store)) == 1


def test_only_devices_of_the_programs_asked_for(store):
    gold, silver = plant_pass(store, "M-1"), plant_pass(store, "M-1", program="silver")
    enter(store, gold, "g")
    enter(store, silver, "s")
    plant_publication(store, gold, silver)
    assert [push.push_token for push in due(store, programs=["silver"])] == ["token-s"]
    assert due(store, programs=[]) == [] and len(due(store)) == 2


def test_pages_cover_every_device_once(store):
    one = plant_pass(store, "M-1")
    for number in range(7):
        enter(store, one, f"d{number}")
    plant_publication(store, one)
    seen, after = [], b""
    while page := due(store, limit=3, after=after):
        seen += [push.push_token for push in page]
        after = page[-1].device_hash
        assert len(page) <= 3
    assert sorted(seen) == [f"token-d{number}" for number in range(7)]


def test_right_after_a_publication_only_its_own_passes_are_looked_at(store):
    old, new = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    enter(store, old, "old")
    enter(store, new, "new")
    first = plant_publication(store, old)
    plant_publication(store, new)
    assert [push.push_token for push in due(store, published_after=first)] == ["token-new"]
    assert len(due(store)) == 2


def test_tokens_are_in_no_repr(store):
    one = plant_pass(store, "M-1")
    enter(store, one, "d1")
    plant_publication(store, one)
    assert "token-d1" not in repr(due(store))


def test_without_the_packages_key_there_is_no_token(store, store_url, open_store, keyring):
    one = plant_pass(store, "M-1")
    enter(store, one, "d1")
    plant_publication(store, one)
    with pytest.raises(CryptoError, match="'packages'"):
        due(open_store(store_url, keyring=Keyring(members=keyring.members)))


def test_nothing_to_mark_is_nothing(store):
    assert mark(store, []) == 0


def test_marks_are_kept_per_registration(store):
    one, two = plant_pass(store, "M-1"), plant_pass(store, "M-2")
    enter(store, one, "d1")
    enter(store, two, "d2")
    plant_publication(store, one, two)
    mark(store, [push for push in due(store) if push.push_token == "token-d1"])
    with store.read() as conn:
        assert sorted(conn.execute(select(registrations.c.pushed)).scalars()) == [0, 1]
