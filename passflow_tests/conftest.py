"""Fixtures that most tests share: an empty, migrated store on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url

from passflow.security.keyring import Keyring, MasterKey
from passflow.store.engine import Store
from passflow.store.migrate import upgrade
from passflow.testing import postgres

BUSY_TIMEOUT = 5.0
"""Seconds: long for a test, short for a suite that hangs."""


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """One master key per role, made for this run."""
    return Keyring((MasterKey(),), (MasterKey(),))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of this run; tests that need it are skipped where there is none."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres.server())
        except postgres.PostgresMissingError as missing:
            pytest.skip(str(missing))
        yield url


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    """A migrated SQLite store to copy."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    store = Store.open(f"sqlite:///{path}", keyring=keyring)
    upgrade(store)
    store.dispose()  # the last connection to close writes the log back into the file
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, keyring: Keyring) -> Iterator[str]:
    """Name of a migrated PostgreSQL database to copy."""
    with postgres.database(postgres_server) as url:
        store = Store.open(url, keyring=keyring)
        upgrade(store)
        store.dispose()
        yield str(make_url(url).database)


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a migrated SQLite store of this test."""
    path = tmp_path / "store.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL store of this test."""
    with postgres.database(postgres_server, template=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated store, once on each database."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def open_store(keyring: Keyring) -> Iterator[Callable[..., Store]]:
    """Opens stores with this run's keys (or others), and closes them after the test."""
    with ExitStack() as stack:

        def open_one(url: str, *, durable: bool = False, **options: object) -> Store:
            given = {"keyring": keyring, "busy_timeout": BUSY_TIMEOUT, **options}
            store = Store.open(url, **given)  # type: ignore[arg-type]  # options of Store.open
            stack.callback(store.dispose)
            if store.dialect == "sqlite" and not durable:
                # a test need not survive a power cut, and waiting for the disk is most of its time
                event.listen(store.engine, "connect", lambda conn, _: conn.execute("PRAGMA synchronous=OFF"))
            return store

        yield open_one


@pytest.fixture
def store(store_url: str, open_store: Callable[..., Store]) -> Store:
    """A migrated, empty store, once on each database."""
    return open_store(store_url)
