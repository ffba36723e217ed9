from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import exc

from passflow.errors import StoreBusy, StoreError, StoreVersionError
from passflow.store.faults import translated


def sqlite_error(code, message="x", kind=sqlite3.OperationalError):
    error = kind(message)
    error.sqlite_errorcode = code
    return error


def wrapped(error):
    return exc.DBAPIError("INSERT …", {"external_id": "ada@example.com"}, error)


# result codes of SQLite as its documentation numbers them: https://www.sqlite.org/rescode.html
SQLITE = {
    5: "locked by another process",
    261: "locked by another process",  # SQLITE_BUSY_RECOVERY
    517: "locked by another process",  # SQLITE_BUSY_SNAPSHOT
    6: "locked by another connection",
    13: "disk of the store is full",
    10: "disk of the store failed",
    778: "disk of the store failed",  # SQLITE_IOERR_WRITE
    14: "cannot be opened",
    8: "read-only",
    3: "may not be accessed",
}


@pytest.mark.parametrize("code", SQLITE)
@pytest.mark.parametrize("wrap", [wrapped, lambda error: error], ids=["sqlalchemy", "driver"])
def test_sqlite_conditions_that_pass_are_busy(code, wrap):
    with pytest.raises(StoreBusy, match=SQLITE[code]) as raised, translated():
        raise wrap(sqlite_error(code))
    assert "ada@example.com" not in str(raised.value) and raised.value.__suppress_context__


@pytest.mark.parametrize("code", [11, 26, 267])
def test_sqlite_files_that_are_none_are_damaged(code):
    with pytest.raises(StoreError) as raised, translated():
        raise wrapped(sqlite_error(code, kind=sqlite3.DatabaseError))
    assert raised.value.error_code == "store.damaged"


# SQLSTATE by name, as psycopg's own table has them: https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRES = {
    "DiskFull": "disk of the database is full",
    "OutOfMemory": "out of resources",
    "TooManyConnections": "out of resources",
    "LockNotAvailable": "holds a lock",
    "DeadlockDetected": "another transaction",
    "SerializationFailure": "another transaction",
    "QueryCanceled": "cancelled",
    "AdminShutdown": "shutting down",
    "CrashShutdown": "shutting down",
    "CannotConnectNow": "shutting down or starting",
    "ConnectionFailure": "cannot be reached",
    "IoError": "machine failed",
}


@pytest.mark.parametrize("name", POSTGRES)
@pytest.mark.parametrize("wrap", [wrapped, lambda error: error], ids=["sqlalchemy", "driver"])
def test_postgresql_conditions_that_pass_are_busy(name, wrap):
    kind = getattr(psycopg.errors, name)
    with pytest.raises(StoreBusy, match=POSTGRES[name]) as raised, translated():
        raise wrap(kind("DETAIL: Failing row contains (ada@example.com)"))
    assert kind.sqlstate in str(raised.value) and "ada@example.com" not in str(raised.value)


def test_a_connection_that_never_was_is_out_of_reach():
    with pytest.raises(StoreBusy, match="cannot be reached"), translated():
        raise wrapped(psycopg.OperationalError("connection refused: password=hunter22"))


def test_missing_tables_are_missing_migrations():
    for error in (psycopg.errors.UndefinedTable("x"), sqlite_error(1, "no such table: passes")):
        with pytest.raises(StoreVersionError, match="passflow init"), translated():
            raise wrapped(error)


def test_a_pool_without_a_free_connection_is_busy():
    with pytest.raises(StoreBusy, match="All connections"), translated():
        raise exc.TimeoutError("QueuePool limit of size 8 overflow 24 reached")


@pytest.mark.parametrize(
    "error",
    [
        wrapped(psycopg.errors.UniqueViolation("x")),
        wrapped(psycopg.errors.UndefinedColumn("x")),
        wrapped(psycopg.ProgrammingError("x")),
        wrapped(sqlite_error(19, kind=sqlite3.IntegrityError)),
        wrapped(sqlite_error(1, 'near "x": syntax error')),
        sqlite_error(20, kind=sqlite3.IntegrityError),
        psycopg.errors.CheckViolation("x"),
        StoreError("ours"),
        ValueError("ours"),
        KeyboardInterrupt(),
    ],
)
def test_everything_else_passes_as_the_same_object(error):
    with pytest.raises(BaseException) as raised, translated():
        raise error
    assert raised.value is error
