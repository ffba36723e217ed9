from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time

import psycopg
import pytest
from sqlalchemy import exc, text

from passflow.errors import ConfigError, StoreBusy, StoreError, StoreVersionError
from passflow.store.engine import Store, parse_url
from passflow.store.migrate import upgrade
from passflow.store.publish import publish
from passflow.store.statements import chunks, insert_new, upsert
from passflow.store.tables import counters, leases


def rows(store):
    with store.read() as conn:
        return dict(conn.execute(text("SELECT name, value FROM counters")).all())


def test_urls_are_brought_to_the_driver_in_use():
    assert parse_url("postgres://u@h/d").drivername == "postgresql+psycopg"
    assert parse_url("postgresql+psycopg2://u@h/d").drivername == "postgresql+psycopg"
    assert parse_url("sqlite:////a/b.db").database == "/a/b.db"
    with pytest.raises(ConfigError):
        parse_url("oracle://x")


def test_sqlite_runs_with_the_settings_that_durability_and_erasure_need(sqlite_url, open_store):
    with open_store(sqlite_url, durable=True).read() as conn:
        found = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "auto_vacuum", "busy_timeout")
        }
    # https://www.sqlite.org/pragma.html: synchronous 2 is FULL, auto_vacuum 2 is INCREMENTAL
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "auto_vacuum": 2,
        "busy_timeout": 5000,
    }


def test_a_new_sqlite_file_is_readable_by_its_owner_only(tmp_path, open_store):
    path = tmp_path / "new.db"
    before = os.umask(0)
    try:
        upgrade(open_store(f"sqlite:///{path}"))
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_a_reader_is_not_held_up_by_a_writer(store):
    with store.begin() as writing:
        publish(writing)
        assert rows(store) == {}
    assert rows(store) == {"published": 1}


def test_a_read_cannot_write_and_the_connection_is_good_for_writing_afterwards(store):
    with pytest.raises((exc.DBAPIError, StoreBusy), match="read-only"), store.read() as conn:
        insert_new(conn, counters, [{"name": "x", "value": 1}])
    with store.begin() as conn:
        publish(conn)
    assert rows(store) == {"published": 1}


def test_a_single_statement_read_sees_what_was_committed_in_between(store):
    count = text("SELECT count(*) FROM counters")
    with store.read(snapshot=False) as conn:
        assert conn.execute(count).scalar_one() == 0
        with store.begin() as writing:
            publish(writing)
        assert conn.execute(count).scalar_one() == 1


def test_the_clock_is_the_databases_and_can_be_moved(store_url, open_store):
    offset = 0
    store = open_store(store_url, clock=lambda: offset)
    with store.begin() as conn:
        first = store.now(conn)
        assert abs(first - time.time_ns() // 1000) < 5_000_000
        second = store.now(conn)
        assert second >= first and second - first < 5_000_000
        offset = 86_400_000_000
        assert store.now(conn) - second >= offset


def test_the_clock_goes_on_within_a_transaction(store):
    with store.begin() as conn:
        before = store.now(conn)
        time.sleep(0.01)
        assert store.now(conn) - before >= 10_000


def test_parameters_and_passwords_are_in_no_message(store):
    with pytest.raises(exc.DBAPIError) as raised, store.begin() as conn:
        conn.execute(text("SELECT * FROM counters WHERE name = :name AND nowhere = 1"), {"name": "ada@example.com"})
    assert "ada@example.com" not in str(raised.value)
    secret = Store.open("postgresql://u:hunter22@127.0.0.1:1/x")
    assert "hunter22" not in repr(secret)
    with pytest.raises(StoreBusy) as refused, secret.read():
        pass
    assert "hunter22" not in str(refused.value) and refused.value.__cause__ is None
    assert "PASSFLOW_STORE_URL" in refused.value.fix


def test_a_locked_store_says_so_and_is_as_it_was(sqlite_url, open_store):
    first, second = open_store(sqlite_url), open_store(sqlite_url, busy_timeout=0.05)
    with first.begin() as conn:
        publish(conn)
        with pytest.raises(StoreBusy, match="locked") as raised, second.begin():
            pass
        assert raised.value.error_code == "store.busy"
    assert rows(second) == {"published": 1}


def test_a_full_disk_says_so_and_leaves_the_store_as_it_was(sqlite_url, open_store):
    store = open_store(sqlite_url)
    before = rows(store)
    with pytest.raises(StoreBusy, match="full"), store.begin() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        publish(conn)
        rows_ = [
            {"program": "p", "low": 0, "high": 1, "token": n, "holder": "x" * 120, "expires_at": 0} for n in range(999)
        ]
        conn.execute(leases.insert(), rows_)
    assert rows(store) == before
    with store.begin() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 1000000")
        publish(conn)
    assert rows(store) == {"published": 1}


def test_a_full_disk_of_postgresql_says_so(postgres_url, open_store):
    store = open_store(postgres_url)
    raising = "DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"
    with pytest.raises(StoreBusy, match="disk of the database is full"), store.begin() as conn:
        publish(conn)
        conn.exec_driver_sql(raising)
    assert rows(store) == {}


def test_files_that_cannot_be_opened_are_named_as_such(tmp_path, open_store):
    with pytest.raises(StoreBusy, match="cannot be opened"), open_store(f"sqlite:///{tmp_path}/no/store.db").read():
        pass
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at " * 50)
    with (
        pytest.raises(StoreError, match="not a database") as raised,
        open_store(f"sqlite:///{tmp_path}/text.db").read(),
    ):
        pass
    assert raised.value.error_code == "store.damaged"


def test_a_missing_table_means_missing_migrations(tmp_path, open_store, empty_postgres):
    for url in (f"sqlite:///{tmp_path}/empty.db", empty_postgres):
        with pytest.raises(StoreVersionError, match="passflow init"), open_store(url).begin() as conn:
            publish(conn)


def test_errors_of_the_driver_itself_are_translated_too(postgres_url, open_store):
    # bulk loads use the driver's COPY, past SQLAlchemy
    store = open_store(postgres_url)
    with pytest.raises(StoreBusy, match="57014"), store.begin() as conn:
        driver = conn.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.execute("SET LOCAL statement_timeout = 20")
        driver.execute("SELECT pg_sleep(5)")


def test_other_errors_pass_unchanged(store):
    with pytest.raises(exc.IntegrityError), store.begin() as conn:
        conn.execute(counters.insert(), [{"name": "a", "value": 1}, {"name": "a", "value": 2}])
    with pytest.raises(KeyError), store.begin() as conn:
        publish(conn)
        raise KeyError("ours")
    assert rows(store) == {}


def test_a_server_that_was_restarted_is_met_with_new_connections(postgres_url, open_store):
    store = open_store(postgres_url)
    with store.begin() as conn:
        conn.execute(text("SELECT 1"))
    other = open_store(postgres_url)
    with other.begin() as conn:
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        conn.execute(text(f"{ended} AND pid <> pg_backend_pid()"))
    with store.begin() as conn:
        assert publish(conn) == 1


def test_threads_share_a_store(store):
    def write():
        for _ in range(10):
            with store.begin() as conn:
                publish(conn)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(store) == {"published": 60}


def test_a_forked_child_opens_its_own_connections(store):
    with store.begin() as conn:
        publish(conn)
    child = os.fork()
    if child == 0:
        try:
            with store.begin() as conn:
                publish(conn)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with store.begin() as conn:
        assert publish(conn) == 3


def test_a_writer_that_was_killed_leaves_nothing_and_locks_nobody_out(store):
    with store.begin() as conn:
        publish(conn)
    child = os.fork()
    if child == 0:
        with store.begin() as conn:
            publish(conn)
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with store.begin() as conn:
        assert publish(conn) == 2


def test_in_lists_stay_below_the_limits_of_both_databases():
    assert [len(part) for part in chunks(list(range(2500)))] == [1000, 1000, 500]
    assert list(chunks([])) == []


def test_an_upsert_overwrites_what_it_names_and_nothing_else(store):
    with store.begin() as conn:
        insert_new(conn, counters, [{"name": "a", "value": 1}])
        insert_new(conn, counters, [{"name": "a", "value": 2}, {"name": "b", "value": 3}])
        insert_new(conn, counters, [])
    assert rows(store) == {"a": 1, "b": 3}
    with store.begin() as conn:
        conn.execute(upsert(conn, counters, update=["value"]), [{"name": "a", "value": 9}])
    assert rows(store) == {"a": 9, "b": 3}


def test_an_old_sqlite_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(ConfigError, match=r"3\.35"):
        Store.open(f"sqlite:///{tmp_path}/x.db")
