"""A full disk, a locked, damaged, foreign, old or newer store: a clear error, and every byte as it was."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from passflow.errors import CryptoError, StoreBusy, StoreError, StoreVersionError
from passflow.security.keyring import Keyring, MasterKey
from passflow.store.engine import Store
from passflow.store.migrate import check, upgrade
from passflow.store.migrations import VERSION_TABLE
from passflow.sync.apply import apply_plan
from passflow.sync.plan import make_plan
from passflow_tests.hostile.conftest import ROWS, refused

MANY = [f"M-{number:05d},Member {number},{number},gold,A," for number in range(3000)]


@contextmanager
def few_pages(store, spare: int):
    """SQLite refuses to grow the file by more than a few pages, as on a full disk."""

    def limit(connection, *_):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + spare}")

    def lift(connection, *_):
        connection.execute("PRAGMA max_page_count=1073741823")

    event.listen(store.engine, "checkout", limit)
    event.listen(store.engine, "checkin", lift)
    try:
        yield
    finally:
        event.remove(store.engine, "checkout", limit)


@contextmanager
def small_files(limit: int):
    """No file of this process may grow beyond so many bytes: the write itself fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("spare", [0, 3, 40])
def test_a_full_disk_while_planning(house, spare):
    house.write(MANY)
    before = house.dump()
    with few_pages(house.store, spare):
        error = refused(house.plan, "store.busy")
    assert "full" in str(error)
    assert house.dump() == before
    assert house.plan().counts.creates == len(MANY) - len(ROWS)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("spare", [0, 20])
def test_a_full_disk_while_applying_rolls_the_batch_back_and_goes_on_later(house, spare):
    house.blocks = {"guard": {"creates": {"count": 10_000, "percent": 50}}}
    house.write(MANY)
    plan = house.plan()
    before = house.dump()
    program = house.program()
    with few_pages(house.store, spare):
        refused(lambda: apply_plan(program, house.store, plan.plan_id, holder="x"), "store.busy")
    after = dict(house.dump())
    assert after.pop("leases") is not None  # a lease may remain where even giving it back was refused; it expires
    assert after == {name: rows for name, rows in before.items() if name != "leases"}
    house.store._clock = lambda: 120_000_000
    apply_plan(program, house.store, plan.plan_id, holder="y")
    assert len(house.dump()["passes"]) == len(MANY)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_write_that_the_disk_refuses(house):
    house.write(MANY)
    before = house.dump()
    path = Path(str(house.store.engine.url.database))
    size = max(path.stat().st_size, path.with_name(path.name + "-wal").stat().st_size)
    with small_files(size + 50_000):
        error = refused(house.plan, "store.busy")
    assert "disk" in str(error)
    assert house.dump() == before


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_store_that_another_process_has_locked(house, open_store, store_url):
    store = open_store(store_url, busy_timeout=0.1)
    before = house.dump()
    other = sqlite3.connect(str(make_url(store_url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    error = refused(lambda: make_plan(house.program(), store), "store.busy")
    assert "locked" in str(error)
    other.execute("ROLLBACK")
    other.close()
    assert house.dump() == before


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.timeout(60)
def test_a_table_that_another_session_has_locked(house, open_store, store_url):
    """As during a backup's lock, or beside a process that sleeps in the middle of a transaction."""
    store = open_store(store_url, busy_timeout=0.5)
    before = house.dump()
    with psycopg.connect(make_url(store_url).render_as_string(hide_password=False)) as other:
        other.execute("LOCK TABLE plans IN ACCESS EXCLUSIVE MODE")
        error = refused(lambda: make_plan(house.program(), store), "store.busy")
        assert "lock" in str(error)
        other.rollback()
    assert house.dump() == before


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_server_that_ends_the_session_in_the_middle(house, monkeypatch, store_url):
    from passflow.sync import points

    before = house.dump()
    house.write([row.replace(",gold,", ",silver,") for row in ROWS])

    def cut(point):
        if point == "plan.read":
            with psycopg.connect(make_url(store_url).render_as_string(hide_password=False), autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    monkeypatch.setattr(points, "hook", cut)
    plan = house.plan()  # between transactions a cut connection is replaced
    assert plan.counts.updates == 6
    monkeypatch.setattr(points, "hook", lambda point: cut("plan.read") if point == "apply.batch_written" else None)
    program = house.program()
    with pytest.raises(StoreBusy):
        apply_plan(program, house.store, plan.plan_id, holder="x")
    assert {name: rows for name, rows in house.dump().items() if name in ("passes", "events", "pass_records")} == {
        name: rows for name, rows in before.items() if name in ("passes", "events", "pass_records")
    }


def test_a_store_of_a_newer_version_is_left_alone(house):
    with house.store.begin() as conn:
        conn.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    before = house.dump()
    for act in (check, upgrade):
        with pytest.raises(StoreVersionError) as caught:
            act(house.store)
        assert "newer" in str(caught.value) and caught.value.error_code == "store.version"
    assert house.dump() == before


def test_a_store_without_tables_says_what_to_run(tmp_path, house, open_store, empty_postgres, store_url):
    url = f"sqlite:///{tmp_path / 'fresh.db'}" if store_url.startswith("sqlite") else empty_postgres
    fresh = open_store(url)
    with pytest.raises(StoreVersionError, match="passflow init"):
        make_plan(house.program(), fresh)
    with pytest.raises(StoreVersionError, match="passflow init"):
        check(fresh)


def test_a_file_that_is_no_database(tmp_path, house, open_store):
    path = tmp_path / "noise.db"
    path.write_bytes(bytes(range(256)) * 64)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        make_plan(house.program(), open_store(f"sqlite:///{path}"))
    assert caught.value.error_code == "store.damaged"
    assert path.read_bytes() == before


def test_a_folder_that_does_not_exist(tmp_path, house, open_store):
    with pytest.raises(StoreBusy, match="cannot be opened"):
        make_plan(house.program(), open_store(f"sqlite:///{tmp_path}/nowhere/store.db"))


@pytest.mark.parametrize("role", ["members", "packages"])
def test_another_master_key_opens_nothing_and_changes_nothing(house, store_url, open_store, keyring, role):
    own = {"members": keyring.members, "packages": keyring.packages, role: (MasterKey(),)}
    stranger = open_store(store_url, keyring=Keyring(**own))
    house.write([row.replace(",gold,", ",silver,") for row in ROWS])
    before = house.dump()
    mine, house.store = house.store, stranger
    try:
        with pytest.raises(CryptoError) as caught:
            house.plan()
            house.write([row.replace("Member", "Other") for row in ROWS])
            house.night()
    finally:
        house.store = mine
    assert caught.value.fix
    if role == "members":
        assert house.dump() == before
    assert {name: house.dump()[name] for name in ("wallet_states", "member_keys")} == {
        name: before[name] for name in ("wallet_states", "member_keys")
    } or role == "packages"


def test_a_store_opened_with_a_wrong_url_is_refused_without_its_password():
    with pytest.raises(StoreError) as caught:
        store = Store.open("postgresql://club:hunter2-secret@127.0.0.1:1/none", busy_timeout=1)
        check(store)
    assert caught.value.error_code == "store.busy"
    assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(store)
