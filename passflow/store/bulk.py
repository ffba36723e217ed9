"""Many rows at once: COPY on PostgreSQL, executemany on SQLite, behind one function.

On PostgreSQL rows go by binary COPY, straight into the table or, where a conflict must be settled, through a
temporary table and one INSERT … ON CONFLICT. On SQLite a prepared statement in one transaction is already near its limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Table, text

if TYPE_CHECKING:
    from passflow.store.engine import Store

OnConflict = Literal["error", "ignore", "update"]
Row = tuple[Any, ...]

FEW = 64
"""Below this many rows a COPY costs more than it saves."""


def write_rows(
    conn: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    on_conflict: OnConflict = "error",
    update: Sequence[str] | None = None,
) -> None:
    """Writes rows into a table within the caller's transaction.

    Args:
        conn: an open transaction.
        table: target table; conflicts are on its primary key.
        columns: names of the values in each row, primary key included.
        rows: tuples in the order of ``columns``; sorted by key they are written fastest.
        on_conflict: raise, keep the old row, or update it.
        update: columns to update on a conflict; all but the key when omitted.

    Raises:
        sqlalchemy.exc.IntegrityError: a row exists and ``on_conflict`` is "error".
    """
    if not rows:
        return
    clause = _conflict_clause(table, columns, on_conflict, update)
    if conn.dialect.name == "postgresql" and len(rows) >= FEW:
        _copy(conn, table, columns, rows, clause)
        return
    mark = "?" if conn.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    # names come from the table's own metadata, values are bound
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks}){clause}"  # noqa: S608  # see above
    conn.exec_driver_sql(statement, list(rows))


def gather_statistics(store: Store, *tables: Table) -> None:
    """Lets PostgreSQL look at tables it has never looked at; SQLite plans without.

    Until then it takes a program for a small part of a table, and reads all of the program's passes to find a few by id.
    Autovacuum looks within a minute or so, in which a first load would read the table it fills over and over.
    """
    if store.dialect == "sqlite":
        return
    names = [table.name for table in tables]
    # -1: never looked at (https://www.postgresql.org/docs/current/catalog-pg-class.html)
    unseen = text(
        "SELECT oid::regclass::text FROM pg_class WHERE oid = ANY(CAST(:names AS regclass[])) AND reltuples < 0"
    )
    with store.begin() as conn:
        for name in conn.execute(unseen, {"names": names}).scalars().all():
            conn.exec_driver_sql(f"ANALYZE {name}")


def _conflict_clause(
    table: Table, columns: Sequence[str], on_conflict: OnConflict, update: Sequence[str] | None
) -> str:
    if on_conflict == "error":
        return ""
    key = [column.name for column in table.primary_key.columns]
    target = ", ".join(f'"{name}"' for name in key)
    if on_conflict == "ignore":
        return f" ON CONFLICT ({target}) DO NOTHING"
    changed = update if update is not None else [name for name in columns if name not in key]
    assignments = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    return f" ON CONFLICT ({target}) DO UPDATE SET {assignments}"


def _copy(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], clause: str) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    target = table.name
    if clause:
        target = f"bulk_{table.name}"
        conn.exec_driver_sql(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {target} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP"
        )
        for column in table.columns:  # columns that this call does not give must not be demanded
            if column.name not in columns and not column.nullable:
                conn.exec_driver_sql(f'ALTER TABLE {target} ALTER COLUMN "{column.name}" DROP NOT NULL')
    cursor = conn.connection.cursor()
    try:
        with cursor.copy(f"COPY {target} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([_copy_type(table, name) for name in columns])
            for row in rows:
                copy.write_row(row)
        if clause:
            cursor.execute(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {target}{clause}")  # noqa: S608  # names are metadata
            cursor.execute(f"DELETE FROM {target}")  # noqa: S608  # names are metadata
    finally:
        cursor.close()


def _copy_type(table: Table, name: str) -> str:
    kind = table.columns[name].type
    if isinstance(kind, LargeBinary):
        return "bytea"
    if isinstance(kind, Boolean):
        return "bool"
    if isinstance(kind, BigInteger):
        return "int8"
    if isinstance(kind, Integer):
        return "int4"
    return "text"
