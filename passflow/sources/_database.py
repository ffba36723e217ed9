"""Databases for the SQL source: addresses without passwords, values as text, errors without data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from pydantic import GetPydanticSchema, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from passflow.errors import IncompleteRead, SourceError
from passflow.security.redaction import redact, remember
from passflow.security.secrets import PATTERN, SecretRef

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

_PASSWORD: Final = re.compile(
    r"^[A-Za-z0-9_+.-]+://[^/@]*:[^/@]*@|[?&](password|passwd|pwd|sslpassword|token)=", re.IGNORECASE
)
_READ_ONLY: Final = ("SET LOCAL TIME ZONE 'UTC'", "SET LOCAL DateStyle TO 'ISO, YMD'", "SET LOCAL IntervalStyle TO 'iso_8601'",
                     "SET LOCAL extra_float_digits TO 1", "SET LOCAL bytea_output TO 'hex'")  # fmt: skip
"""What makes PostgreSQL write each value in one way, whatever the server's and the user's own settings are."""


class _Hidden:
    """Stands in for a refused address, so that pydantic's report cannot quote its password."""

    def __repr__(self) -> str:
        return "(not shown)"


def _parse(value: object) -> SecretRef | str | _Hidden:
    if isinstance(value, SecretRef):
        return value
    if not isinstance(value, str) or _PASSWORD.search(value):
        return _Hidden()
    return SecretRef(value) if re.fullmatch(PATTERN, value) else value


def _refuse(value: SecretRef | str | _Hidden) -> SecretRef | str:
    if isinstance(value, _Hidden):
        raise PydanticCustomError(
            "database_url", "a database URL without password, or a reference to one with it: `env:NAME`, `file:/path`"
        )
    return value


DatabaseUrl = Annotated[
    SecretRef | str,
    GetPydanticSchema(
        lambda source, handler: core_schema.chain_schema(
            [
                core_schema.no_info_plain_validator_function(_parse),
                core_schema.no_info_plain_validator_function(_refuse),
            ],
            serialization=core_schema.to_string_ser_schema(),
        )
    ),
    WithJsonSchema({"type": "string", "examples": ["env:CRM_DATABASE_URL", "sqlite:///members.db"]}),
]
"""A SQLAlchemy URL: a reference where it holds a password, plain where it does not."""


def open_engine(url: SecretRef | str, base_dir: Path) -> Engine:
    """An engine that keeps no connection open.

    Args:
        url: a relative path of an SQLite file, or of a secret, starts at ``base_dir``.

    Raises:
        SourceError: the address cannot be understood, or its driver is not installed.
        SecretError: the reference cannot be read.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    from sqlalchemy.pool import NullPool

    if isinstance(url, SecretRef):
        url = replace(url, folder=url.folder or base_dir).reveal().value.strip()
    try:
        parsed = make_url(url)
        if parsed.password:
            remember(parsed.password)
        return create_engine(_adapted(parsed, base_dir), poolclass=NullPool, hide_parameters=True)
    except (ArgumentError, ValueError):
        raise SourceError(
            "The database URL cannot be understood.",
            fix="Write it as SQLAlchemy does: `postgresql://user@host/name`; quote special characters of a password.",
            code="source.url",
        ) from None
    except (NoSuchModuleError, ImportError):
        raise SourceError(
            "The driver of this kind of database is not installed.",
            fix="Install the SQLAlchemy dialect and driver of the database.",
            code="source.package_missing",
        ) from None


def _adapted(url: URL, base_dir: Path) -> URL:
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:"):
        path = base_dir / url.database
        if not path.is_file():
            raise SourceError(
                f"There is no SQLite file {path.name!r}.",
                fix="Correct `url:` of the source; a relative path starts at the program file.",
                code="source.missing",
            )
        # sqlite3 would make an empty database of a mistyped name, and a journal beside somebody else's
        return url.set(database=f"file:{path}", query={**url.query, "mode": "ro", "uri": "true"})
    return url


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements all see one state, and can change nothing where the database knows how to forbid it."""
    backend = engine.dialect.name
    options: dict[str, Any] = {"no_parameters": True}
    if backend == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    elif backend in ("mysql", "mariadb"):
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect() as plain:
        connection = plain.execution_options(**options)
        if backend == "sqlite":
            connection.exec_driver_sql("BEGIN")
        for statement in _READ_ONLY if backend == "postgresql" else ():
            connection.exec_driver_sql(statement)
        yield connection
        connection.rollback()


def read_adbc(engine: Engine, statement: str) -> Iterator[pa.RecordBatch]:
    """Batches of a statement on PostgreSQL, in one snapshot."""
    import adbc_driver_postgresql.dbapi as adbc

    uri = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(adbc.connect(uri)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for setting in _READ_ONLY:
            cursor.execute(setting)
        cursor.execute(statement)
        yield from cursor.fetch_record_batch()
        connection.rollback()


def as_text(value: Any, column: str) -> str | None:
    """One value of a database driver as text.

    Raises:
        SourceError: it is no single value that can be written.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int | UUID):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    raise SourceError(
        f"Column {column!r} holds {type(value).__name__}, which is no single value.",
        fix="Turn it into text, a number or a date in the query, or leave it out.",
        code="source.column_type",
    )


@contextmanager
def translated(*, reading: bool) -> Iterator[None]:
    """Turns errors of drivers into ``SourceError``.

    Args:
        reading: rows are being read, so that a driver's message may quote them: only its kind is passed on. Before that,
            the message speaks of the query, and its first line is.
    """
    from adbc_driver_manager import Error as AdbcError
    from pyarrow import ArrowException
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, AdbcError, ArrowException, OSError, UnicodeError) as error:
        original = (error.orig if isinstance(error, DBAPIError) else None) or error
        state = getattr(original, "sqlstate", None)
        kind = f"{type(original).__name__}{f', SQLSTATE {state}' if state else ''}"
        if reading:
            raise IncompleteRead(
                f"The database stopped in the middle of the read ({kind}).",
                fix="Run the query in the database itself to see why, then plan again; no pass was changed.",
            ) from None
        said = redact(str(original).strip().split("\n")[0])
        raise SourceError(
            f"The database refused ({kind}): {said}",
            fix="Correct `url:` or the query of the source, or let its user read the tables.",
            code="source.refused",
        ) from None
