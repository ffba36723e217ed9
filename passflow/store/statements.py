"""SQL that SQLite and PostgreSQL spell alike, but SQLAlchemy per dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Table, any_, literal
from sqlalchemy.dialects import postgresql, sqlite

Item = TypeVar("Item")

CHUNK = 1000
"""Values in one ``IN`` list: far below SQLite's limit of 32,766 variables, and quick to plan."""


def insert(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert of this connection's dialect, which knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def upsert(conn: Connection, table: Table, *, update: Sequence[str]) -> sqlite.Insert | postgresql.Insert:
    """An insert that overwrites the named columns where the primary key exists."""
    statement = insert(conn, table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in update}
    )


def insert_new(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows whose keys are new, and leaves the others alone."""
    if rows:
        conn.execute(insert(conn, table).on_conflict_do_nothing(), list(rows))


def is_in(conn: Connection, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """The rows whose column has one of at most ``CHUNK`` values; PostgreSQL gets them as one array, which plans faster."""
    if conn.dialect.name == "sqlite":
        return column.in_(values)
    return column == any_(literal(list(values), postgresql.ARRAY(column.type)))


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """The items in order, ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
