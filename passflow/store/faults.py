"""Database errors in passflow's words: which mean "try again", which mean "migrate", which are ours to see as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from passflow.errors import StoreBusy, StoreError, StoreVersionError

# Primary result codes, https://www.sqlite.org/rescode.html
SQLITE_BUSY = {
    sqlite3.SQLITE_BUSY: "the store is locked by another process",
    sqlite3.SQLITE_LOCKED: "the store is locked by another connection",
    sqlite3.SQLITE_FULL: "the disk of the store is full",
    sqlite3.SQLITE_IOERR: "the disk of the store failed",
    sqlite3.SQLITE_CANTOPEN: "the store's file cannot be opened",
    sqlite3.SQLITE_READONLY: "the store's file is read-only",
    sqlite3.SQLITE_PERM: "the store's file may not be accessed",
    sqlite3.SQLITE_PROTOCOL: "the store is locked by another process",
}
SQLITE_BROKEN = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}

# SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRES_BUSY = {
    "08": "the database cannot be reached",
    "40": "another transaction was in the way",
    "53100": "the disk of the database is full",
    "53": "the database is out of resources",
    "55P03": "the database holds a lock on these rows",
    "57014": "the database cancelled the statement",
    "57P": "the database is shutting down or starting",
    "58": "the database's machine failed",
}
UNDEFINED_TABLE = "42P01"

_CHECK_FILE = (
    "Check that the file and its folder exist, are yours to write, and that the disk has room; then try again."
)
_CHECK_SERVER = "Check PASSFLOW_STORE_URL and that the database runs, then run the same command again."


@contextmanager
def translated() -> Iterator[None]:
    """Turns what a database driver raises into ``StoreBusy`` or ``StoreVersionError`` where that is what it means.

    Other errors (a unique constraint, a mistake in SQL) pass unchanged. The message never holds parameters or a URL.

    Raises:
        StoreBusy: locked, full, refused, out of reach, or cancelled; nothing was changed.
        StoreVersionError: a table is missing, so migrations are.
        StoreError: the file is not a database, or is damaged.
    """
    try:
        yield
    except exc.DBAPIError as error:
        meant = _meaning(error.orig)
        if meant is None:
            raise
        raise meant from None
    except exc.TimeoutError:
        raise StoreBusy("All connections to the store are in use.") from None
    except sqlite3.Error as error:
        meant = _meaning(error)
        if meant is None:
            raise
        raise meant from None
    except Exception as error:
        # bulk loads use the driver itself; psycopg is not imported for a SQLite store, so it is known by its attribute
        meant = _meaning(error) if hasattr(error, "sqlstate") else None
        if meant is None:
            raise
        raise meant from None


def _meaning(error: BaseException | None) -> StoreError | None:
    if isinstance(error, sqlite3.Error):
        return _sqlite_meaning(error)
    if error is not None and hasattr(error, "sqlstate"):
        return _postgres_meaning(error.sqlstate, type(error).__name__)
    return None


def _sqlite_meaning(error: sqlite3.Error) -> StoreError | None:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in SQLITE_BUSY:
        return StoreBusy(f"SQLite: {SQLITE_BUSY[primary]}.", fix=_CHECK_FILE)
    if primary in SQLITE_BROKEN:
        return StoreError(
            "SQLite: the store's file is not a database, or is damaged.",
            fix="Point PASSFLOW_STORE_URL at the right file, or restore it from a backup.",
            code="store.damaged",
        )
    if "no such table" in str(error):
        return _not_migrated()
    return None


def _postgres_meaning(state: str | None, name: str) -> StoreError | None:
    if state is None:  # the connection itself failed: refused, wrong password, server gone
        return StoreBusy("PostgreSQL: the database cannot be reached.", fix=_CHECK_SERVER) if "Op" in name else None
    if state == UNDEFINED_TABLE:
        return _not_migrated()
    for length in (5, 3, 2):
        if state[:length] in POSTGRES_BUSY:
            return StoreBusy(f"PostgreSQL: {POSTGRES_BUSY[state[:length]]} (SQLSTATE {state}).", fix=_CHECK_SERVER)
    return None


def _not_migrated() -> StoreVersionError:
    return StoreVersionError("The store has no tables of passflow, or misses some.", fix="Run `passflow init`.")
