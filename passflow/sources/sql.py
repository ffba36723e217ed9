"""Members from a database: one query, read to its end in one snapshot.

PostgreSQL is read through ADBC as Arrow batches, every other database (and a single member) through SQLAlchemy. All values
arrive as text, the same on both ways: numbers in full, dates and times in ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from passflow.model import Proof
from passflow.ports import Read, SourceContext, SourceSettings
from passflow.sources._database import DatabaseUrl, as_text, open_engine, read_adbc, snapshot, translated
from passflow.sources._read import CountedRead, require_columns, sliced
from passflow.sync.fingerprint import normalise_id
from passflow.sync.lifecycle import Duration

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Engine, Result

__all__ = ["SqlSource"]

UNKNOWN: Final = "unknown"
"""Mark of a source that cannot tell whether anything changed: always the same, so that it starts nothing by itself."""


class SqlSource(SourceSettings):
    """A table or query of a database that SQLAlchemy reaches."""

    label: ClassVar[str] = "SQL database"
    docs_url: ClassVar[str] = "https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls"

    type: Literal["sql"] = Field(description="A database: PostgreSQL, SQLite, MySQL, Snowflake, BigQuery and others.")
    url: DatabaseUrl = Field(
        description="SQLAlchemy URL: a reference (`env:CRM_DATABASE_URL`), or plain without password."
    )
    query: str | None = Field(default=None, min_length=1, description="SELECT that gives one row per member.")
    table: str | None = Field(
        default=None, min_length=1, description="Table or view, `schema.name` or `name`, instead of a query."
    )
    cursor: str | None = Field(
        default=None,
        min_length=1,
        description="Column that grows with every change, such as `updated_at`; for the sensor.",
    )
    cursor_lag: Duration = Field(
        default=timedelta(seconds=60),
        description="Changes younger than this wait for the next look: their transactions may not have ended.",
    )
    driver: Literal["auto", "sqlalchemy"] = Field(
        default="auto", description="`auto` reads PostgreSQL through ADBC; `sqlalchemy` reads everything the same way."
    )

    @model_validator(mode="after")
    def _check_whole(self) -> SqlSource:
        if (self.query is None) == (self.table is None):
            raise ValueError("name either a `query` or a `table`")
        return self

    def open(self, context: SourceContext) -> Read:
        """Starts a read of all rows in one transaction."""
        engine = open_engine(self.url, context.base_dir)
        require_columns(context.columns, self._columns(engine), "The query")
        adbc = self.driver == "auto" and engine.dialect.name == "postgresql"
        batches = self._read_arrow(engine, context) if adbc else self._read_rows(engine, context)
        return CountedRead(batches, lambda rows: Proof(True, rows, _reason(engine.dialect.name)))

    def check(self, context: SourceContext) -> tuple[str, ...]:
        """Names of the columns that the query gives."""
        return self._columns(open_engine(self.url, context.base_dir))

    def read_one(self, context: SourceContext, external_id: str) -> pa.RecordBatch | None:
        """The rows of one member, or None; an id that the database trims or pads differently is not found."""
        import pyarrow as pa
        from sqlalchemy.exc import DataError

        engine = open_engine(self.url, context.base_dir)
        wanted = normalise_id(external_id)
        with translated(reading=False), snapshot(engine) as connection:
            condition = self._condition(connection, engine, context.id_column)
            if condition is None:
                return None
            statement = f"{self._select(engine, context.columns)} WHERE {condition}"
            try:
                found = _execute(connection, statement, wanted).all()
            except DataError:  # a word where ids are numbers: nobody has it
                return None
        rows = [[as_text(value, name) for name, value in zip(context.columns, row, strict=True)] for row in found]
        place = context.columns.index(context.id_column)
        same = [row for row in rows if normalise_id(row[place] or "") == wanted]
        if not same:
            return None
        arrays = [pa.array(column, pa.string()) for column in zip(*same, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, names=list(context.columns))

    def mark(self, context: SourceContext) -> str:
        """The newest value of the cursor and how many rows have one, up to ``cursor_lag`` ago; ``unknown`` without one.

        An update that commits later than the lag after its own time stamp is left to the next full read.
        """
        if self.cursor is None:
            return UNKNOWN
        engine = open_engine(self.url, context.base_dir)
        cursor = _quote(engine, self.cursor)
        ask = f"SELECT MAX({cursor}), COUNT({cursor}) FROM {self._rows(engine)}"  # noqa: S608 - the program file's own query
        with translated(reading=False), snapshot(engine) as connection:
            newest, count = connection.exec_driver_sql(ask).one()
            if isinstance(newest, datetime):  # only rows old enough that every transaction of their time has ended
                now: datetime = connection.exec_driver_sql("SELECT CURRENT_TIMESTAMP").scalar_one()
                until = (now if newest.tzinfo else now.replace(tzinfo=None)) - self.cursor_lag
                newest, count = _execute(connection, f"{ask} WHERE {cursor} <= :passflow_value", until).one()
        return f"{as_text(newest, self.cursor)} {count}"

    def _rows(self, engine: Engine) -> str:
        """What is read, as an item of a FROM clause."""
        if self.table is not None:
            return ".".join(_quote(engine, part) for part in self.table.split(".")) + " passflow_rows"
        # the line end closes a comment at the query's end
        return f"({(self.query or '').strip().rstrip(';')}\n) passflow_rows"

    def _select(self, engine: Engine, columns: tuple[str, ...]) -> str:
        names = [_quote(engine, name) for name in columns]
        if engine.dialect.name == "postgresql":
            names = [f"CAST({name} AS text) AS {name}" for name in names]
        return f"SELECT {', '.join(names)} FROM {self._rows(engine)}"  # noqa: S608 - the program file's own query

    def _columns(self, engine: Engine) -> tuple[str, ...]:
        with translated(reading=False), snapshot(engine) as connection:
            nothing = f"SELECT * FROM {self._rows(engine)} WHERE 1 = 0"  # noqa: S608 - as above
            return tuple(connection.exec_driver_sql(nothing).keys())

    def _condition(self, connection: Connection, engine: Engine, id_column: str) -> str | None:
        """Which rows have an id: typed where that lets PostgreSQL use its index; None where the id cannot be of that type."""
        name = _quote(engine, id_column)
        if engine.dialect.name != "postgresql":
            kind = {"mysql": "CHAR", "mariadb": "CHAR", "sqlite": "TEXT"}.get(engine.dialect.name, "VARCHAR(255)")
            return f"CAST({name} AS {kind}) = :passflow_value"
        ask = f"SELECT pg_typeof({name}) FROM {self._rows(engine)} LIMIT 1"  # noqa: S608 - as above
        own = connection.exec_driver_sql(ask).scalar()
        return None if own is None else f"{name} = CAST(CAST(:passflow_value AS text) AS {own})"

    def _read_rows(self, engine: Engine, context: SourceContext) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        names = list(context.columns)
        with translated(reading=True), snapshot(engine) as connection:
            size = min(context.batch_rows, 10_000)
            streamed = connection.execution_options(stream_results=True, max_row_buffer=size)
            found = streamed.exec_driver_sql(self._select(engine, context.columns))
            for rows in found.yield_per(size).partitions(size):
                columns = zip(names, zip(*rows, strict=True), strict=True)
                arrays = [pa.array([as_text(value, name) for value in column], pa.string()) for name, column in columns]
                yield pa.RecordBatch.from_arrays(arrays, names=names)

    def _read_arrow(self, engine: Engine, context: SourceContext) -> Iterator[pa.RecordBatch]:
        with translated(reading=True):
            for batch in read_adbc(engine, self._select(engine, context.columns)):
                yield from sliced(batch, context.batch_rows)


def _execute(connection: Connection, statement: str, value: object) -> Result[Any]:
    """Runs a statement whose one placeholder is ``:passflow_value``; other colons of it are the user's own."""
    from sqlalchemy import text

    own = re.sub(r":(?!passflow_value\b)", r"\\:", statement)
    return connection.execution_options(no_parameters=False).execute(text(own), {"passflow_value": value})


def _quote(engine: Engine, name: str) -> str:
    return engine.dialect.identifier_preparer.quote(name)


def _reason(backend: str) -> str:
    if backend in ("postgresql", "sqlite", "mysql", "mariadb"):
        return "one snapshot transaction was read to its end"
    return f"one statement was read to its end; {backend} decides how consistent a statement is"
