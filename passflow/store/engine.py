"""The store's door: one object for SQLite and PostgreSQL, its transactions and its clock."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from passflow.errors import ConfigError
from passflow.security.keyring import Keyring
from passflow.store.faults import translated

if TYPE_CHECKING:
    from passflow.store.leases import Lease

Dialect = Literal["sqlite", "postgresql"]
_POSTGRES_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
_URL_FIX = "Write `sqlite:///path/to/store.db` or `postgresql://user:password@host/database`."


class Store:
    """Passes and everything about them, in one database.

    Connections are pooled and safe to use from threads; after a fork the child opens its own.

    Args:
        engine: built by :meth:`open`.
        keyring: the master keys this process holds.
        clock: microseconds to add to the database's clock; tests travel in time with it.
    """

    def __init__(self, engine: Engine, keyring: Keyring, clock: Callable[[], int] | None = None) -> None:
        self.engine = engine
        self.keyring = keyring
        self.dialect: Dialect = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        self.opened_keys: dict[str, bytes] = {}  # store keys in clear, filled by passflow.store.keys
        self._clock = clock
        _stores.add(self)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        keyring: Keyring | None = None,
        clock: Callable[[], int] | None = None,
        busy_timeout: float = 30.0,
    ) -> Store:
        """Opens a store without connecting yet; a SQLite file that is missing is created, readable by its owner only.

        Args:
            url: ``sqlite:///path`` or ``postgresql://user:password@host/database``.
            keyring: the master keys this process holds; none is enough for what is not encrypted.
            clock: microseconds to add to the database's clock.
            busy_timeout: seconds to wait for a lock or a connection before ``StoreBusy``.

        Raises:
            ConfigError: the URL names no such database.
        """
        parsed = parse_url(url)
        engine = _sqlite(parsed, busy_timeout) if parsed.drivername == "sqlite" else _postgres(parsed, busy_timeout)
        return cls(engine, keyring or Keyring(), clock)

    def __repr__(self) -> str:
        return f"Store({self.engine.url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def begin(self, lease: Lease | None = None) -> Iterator[Connection]:
        """A write transaction: commits at the end, rolls back on any error.

        Args:
            lease: renewed by the first statement, so that nothing is written for a lease that went to another.

        Raises:
            LeaseLost: the lease is no longer ours; nothing was written.
            StoreBusy: locked, full or out of reach; nothing was written.
        """
        with translated(), self.engine.begin() as conn:
            if lease is not None:
                from passflow.store.leases import renew

                renew(self, conn, lease)
            yield conn

    @contextmanager
    def read(self, *, snapshot: bool = True) -> Iterator[Connection]:
        """A read-only transaction whose statements all see the state at the first of them.

        Args:
            snapshot: False reads each statement by itself, which saves PostgreSQL three round trips where there is only
                one. PostgreSQL then does not refuse a write.

        Raises:
            StoreBusy: out of reach, or no free connection.
        """
        with translated(), self.engine.connect() as conn, self._reading(conn, snapshot):
            yield conn

    @contextmanager
    def _reading(self, conn: Connection, snapshot: bool) -> Iterator[None]:
        if self.dialect == "postgresql":
            level = "REPEATABLE READ" if snapshot else "AUTOCOMMIT"
            conn.execution_options(isolation_level=level, postgresql_readonly=True)
            yield
            return
        conn.execution_options(sqlite_begin="BEGIN" if snapshot else "")
        connection = conn.connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - for the type checker
        connection.execute("PRAGMA query_only=ON")
        try:
            yield
        finally:
            connection.execute("PRAGMA query_only=OFF")

    def now(self, conn: Connection) -> int:
        """Microseconds since 1970 UTC on the database's clock; for SQLite that is this machine's."""
        at = time.time_ns() // 1000 if self.dialect == "sqlite" else int(conn.execute(_POSTGRES_NOW).scalar_one())
        return at + self._clock() if self._clock else at

    def dispose(self) -> None:
        """Closes all idle connections; the store may be used again afterwards."""
        self.engine.dispose()


def parse_url(url: str) -> URL:
    """The store's URL with the driver passflow uses.

    Raises:
        ConfigError: not a URL, another database, or SQLite in memory (no second process would see it).
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("The store's URL cannot be read.", fix=_URL_FIX) from None
    kind = parsed.drivername.partition("+")[0]
    if kind in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise ConfigError(f"passflow cannot keep its store in {kind!r}.", fix=_URL_FIX)
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("The store must be a file: memory is lost between runs.", fix=_URL_FIX)
    return parsed.set(drivername="sqlite")


def _postgres(url: URL, busy_timeout: float) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=24,
        pool_timeout=busy_timeout,
        pool_pre_ping=True,
        connect_args={"connect_timeout": max(2, round(busy_timeout)), "application_name": "passflow"},
    )

    @event.listens_for(engine, "connect")
    def limit_waiting(connection: Any, _: object) -> None:
        # PostgreSQL waits for ever by itself, for instance for a process that sleeps in the middle of a transaction; a
        # statement rather than a start-up option, because poolers refuse those
        connection.execute(f"SET lock_timeout = {round(busy_timeout * 1000)}")
        connection.commit()

    return engine


def _sqlite(url: URL, busy_timeout: float) -> Engine:
    if sqlite3.sqlite_version_info < (3, 35):
        raise ConfigError(
            f"This Python is built with SQLite {sqlite3.sqlite_version}; passflow needs 3.35 or newer (RETURNING).",
            fix="Use a newer Python build, or a PostgreSQL store.",
        )
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=24,
        pool_timeout=busy_timeout,
        # isolation_level None: the driver must not begin transactions on its own, ours begin IMMEDIATE
        connect_args={"timeout": busy_timeout, "check_same_thread": False, "isolation_level": None},
    )
    path = Path(str(url.database))

    @event.listens_for(engine, "do_connect")
    def create_private(*_: object) -> None:
        if not path.exists() and path.parent.is_dir():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        _prepare_sqlite(connection, busy_timeout)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        statement = conn.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE")
        if statement:
            conn.exec_driver_sql(statement)

    return engine


def _prepare_sqlite(connection: sqlite3.Connection, busy_timeout: float) -> None:
    def pragma(statement: str) -> Any:
        return connection.execute(f"PRAGMA {statement}").fetchone()

    if pragma("page_count") == (0,):
        pragma("auto_vacuum=INCREMENTAL")  # only a new file can take it; erasure gives freed pages back
    deadline = time.monotonic() + busy_timeout
    while pragma("journal_mode") != ("wal",):
        try:
            pragma("journal_mode=WAL")
        except sqlite3.OperationalError:  # SQLite does not wait for this lock by itself
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    for setting in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "cache_size=-32768"):
        pragma(setting)


_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_inherited: list[object] = []


def _leave_connections_to_parent() -> None:
    # neither SQLite nor libpq survives use, or even a close, on the other side of a fork; so the old pool is kept alive
    # here and never touched: https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
    for store in _stores:
        _inherited.append(store.engine.pool)
        store.engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_connections_to_parent)
