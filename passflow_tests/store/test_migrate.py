from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import inspect, text

from passflow.errors import StoreBusy, StoreVersionError
from passflow.security.keyring import Keyring
from passflow.store import migrate
from passflow.store.engine import Store
from passflow.store.keys import store_key
from passflow.store.migrations import VERSION_TABLE, revisions
from passflow.store.tables import metadata
from passflow.store.views import VIEWS


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request, tmp_path, open_store):
    url = f"sqlite:///{tmp_path / 'new.db'}" if request.param == "sqlite" else request.getfixturevalue("empty_postgres")
    return open_store(url)


def test_a_blank_database_is_refused_with_the_fix(blank):
    with pytest.raises(StoreVersionError, match="passflow init"):
        migrate.check(blank)


def test_upgrade_makes_every_table_and_view_and_is_then_satisfied(blank):
    assert migrate.upgrade(blank) == revisions()
    migrate.check(blank)
    with blank.read() as conn:
        found = inspect(conn)
        assert set(found.get_table_names()) == set(metadata.tables) | {VERSION_TABLE}
        assert set(found.get_view_names()) == {view.name for view in VIEWS}


def test_migrations_and_tables_agree(store):
    assert migrate.differences(store) == []


def test_a_missing_column_would_be_noticed(store):
    with store.begin() as conn:
        conn.execute(text("ALTER TABLE api_keys DROP COLUMN label"))
    assert [kind for kind, *_ in migrate.differences(store)] == ["add_column"]


def test_sqlite_tables_without_rowid_are_made_so(sqlite_url, open_store):
    with open_store(sqlite_url).read() as conn:
        made = {name for name, flag in conn.execute(text("SELECT name, wr FROM pragma_table_list")) if flag}
    declared = {name for name, table in metadata.tables.items() if table.kwargs.get("sqlite_with_rowid") is False}
    assert declared <= made and "passes" in declared


def test_upgrading_twice_changes_nothing(store):
    key = store_key(store, "hash")
    with store.read() as conn:
        before = [tuple(row) for row in conn.execute(text("SELECT * FROM store_keys ORDER BY name"))]
    assert migrate.upgrade(store) == ()
    with store.read() as conn:
        assert [tuple(row) for row in conn.execute(text("SELECT * FROM store_keys ORDER BY name"))] == before
    assert store_key(store, "hash") == key


def test_a_newer_store_is_refused_and_left_alone(store):
    with store.begin() as conn:
        conn.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        conn.execute(text("INSERT INTO counters (name, value) VALUES ('kept', 7)"))
    for action in (migrate.check, migrate.upgrade):
        with pytest.raises(StoreVersionError, match="newest passflow") as raised:
            action(store)
        assert "9999" in str(raised.value)
    with store.read() as conn:
        assert conn.execute(text("SELECT value FROM counters WHERE name = 'kept'")).scalar_one() == 7
        assert conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one() == "9999"


def test_an_older_store_is_refused_by_check(store, monkeypatch):
    monkeypatch.setattr(migrate, "revisions", lambda: ("0001", "0002", "0003"))
    with pytest.raises(StoreVersionError, match=r"0002, 0003.*still to run"):
        migrate.check(store)


def test_a_failed_upgrade_leaves_nothing_behind(blank, monkeypatch):
    monkeypatch.setattr(migrate, "create_views", lambda conn: conn.execute(text("SELECT * FROM nowhere_at_all")))
    with pytest.raises(StoreVersionError):
        migrate.upgrade(blank)
    with blank.read() as conn:
        assert inspect(conn).get_table_names() == []


def test_revisions_are_those_that_alembic_finds():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "passflow.store:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert revisions() == tuple(script.revision for script in reversed(list(scripts.walk_revisions())))
    assert scripts.get_heads() == [revisions()[-1]]


def _upgrade_in_process(url, results):
    store = Store.open(url, keyring=Keyring())
    results.put(migrate.upgrade(store))
    store.dispose()


def test_several_processes_may_upgrade_at_once(blank):
    url = blank.engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    running = [spawn.Process(target=_upgrade_in_process, args=(url, results)) for _ in range(3)]
    for process in running:
        process.start()
    done = sorted(results.get(timeout=60) for _ in running)
    for process in running:
        process.join(timeout=30)
        assert process.exitcode == 0
    assert done == [(), (), revisions()]
    migrate.check(blank)


def test_a_locked_file_is_busy_and_stays_as_it_is(tmp_path, keyring):
    path = tmp_path / "store.db"
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("PRAGMA journal_mode=WAL")
    blocker.execute("BEGIN IMMEDIATE")
    store = Store.open(f"sqlite:///{path}", keyring=keyring, busy_timeout=0.1)
    with pytest.raises(StoreBusy, match="locked"):
        migrate.upgrade(store)
    blocker.execute("COMMIT")
    assert blocker.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    blocker.close()
    assert migrate.upgrade(store) == revisions()
    store.dispose()


def test_a_store_beside_dagsters_own_migrations_is_left_to_dagster(empty_postgres, open_store):
    store = open_store(empty_postgres)
    with store.begin() as conn:
        conn.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
        conn.execute(text("INSERT INTO alembic_version VALUES ('16e3655b4d9b')"))
    migrate.upgrade(store)
    with store.read() as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "16e3655b4d9b"


def test_checking_a_store_does_not_import_alembic(sqlite_url):
    program = (
        "import sys; from passflow.store.engine import Store; from passflow.store.migrate import check; "
        f"check(Store.open({sqlite_url!r})); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_drafted_migration_holds_what_is_missing(sqlite_url, open_store, tmp_path, monkeypatch):
    store = open_store(sqlite_url)
    with store.begin() as conn:
        conn.execute(text("ALTER TABLE api_keys DROP COLUMN label"))
    from alembic.config import Config

    config_of = migrate._config

    def elsewhere(conn) -> Config:
        config = config_of(conn)
        config.set_main_option("version_locations", str(tmp_path))
        return config

    # the draft is written beside the real ones, so the test sends it to its own folder
    (tmp_path / "0001_initial.py").write_text("revision = '0001'\ndown_revision = None\n")
    monkeypatch.setattr(migrate, "_config", elsewhere)
    drafted = migrate.draft(store, "0002", "label keys")
    assert drafted.name == "0002_label_keys.py" and drafted.parent == tmp_path
    source = drafted.read_text()
    compile(source, str(drafted), "exec")
    assert "op.add_column" in source and "down_revision = '0001'" in source and "'label'" in source
