"""Reading passes: the narrow rows that a diff compares, and the rows behind the few that changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, and_, cast, func, literal, or_, select

from passflow.errors import StoreError
from passflow.model import HASH_BYTES, Origin, Status
from passflow.store.statements import chunks, is_in
from passflow.store.tables import erasures, operations, pass_records, passes, registrations

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class PassRow:
    """One pass as an operation finds it."""

    id_hash: bytes
    serial: str
    fingerprint: bytes
    content_hash: bytes
    template_revision: str
    status: Status
    origin: Origin
    adopted: bool
    revision: int
    observed_at: int
    due_at: int | None
    operation_id: bytes
    event_number: int
    record_sealed: bytes | None = None
    overlay_sealed: bytes | None = None


def range_clause(column: Any, low: int, high: int) -> Any:
    """The rows whose id hash begins with a byte from ``low`` up to but not including ``high``."""
    if (low, high) == (0, 256):
        return column.is_not(None)
    above = column >= bytes([low])
    return above if high == 256 else and_(above, column < bytes([high]))


def read_state(conn: Connection, program: str, low: int, high: int, *, observed_at: int) -> pl.DataFrame:
    """The issued passes of a shard as a diff wants them: id hash, fingerprint and what is out of the ordinary.

    Nearly all passes are live, shown by the source, not due and older than this read. Those come as two columns of
    bytes; only the others are read with their details (the plain ones stand there as active at revision 0).

    Args:
        conn: an open read.
        program: name of the program.
        low: first byte of the first id hash of the shard.
        high: one past the last first byte.
        observed_at: when the read of the source began; passes due by then or observed later are told apart.
    """
    import polars as pl

    in_shard = and_(passes.c.program == program, range_clause(passes.c.id_hash, low, high))
    special = or_(
        passes.c.status == Status.DELETED.value,
        passes.c.adopted.is_(False),
        passes.c.due_at <= observed_at,
        passes.c.observed_at > observed_at,
    )
    plain = and_(
        passes.c.status != Status.DELETED.value,
        passes.c.adopted.is_(True),
        or_(passes.c.due_at.is_(None), passes.c.due_at > observed_at),
        passes.c.observed_at <= observed_at,
    )
    every, ids, fingerprints = _join_hashes(conn, in_shard, plain)
    ordinary = pl.DataFrame({"id_hash": _series(ids), "fingerprint": _series(fingerprints)}).with_columns(
        status=pl.lit(Status.ACTIVE.value),
        revision=pl.lit(0, dtype=pl.Int64),
        origin=pl.lit(Origin.SOURCE.value),
        adopted=pl.lit(True),
        due_at=pl.lit(None, dtype=pl.Int64),
        observed_at=pl.lit(0, dtype=pl.Int64),
    )
    names = ("id_hash", "fingerprint", "status", "revision", "origin", "adopted", "due_at", "observed_at")
    if ordinary.height == every:
        return ordinary
    rows = conn.execute(select(*(passes.c[name] for name in names)).where(in_shard, special)).all()
    unusual = pl.DataFrame([tuple(row) for row in rows], schema=ordinary.schema, orient="row")
    return pl.concat([ordinary, unusual])


def _series(data: bytes) -> pl.Series:
    """16-byte hashes one behind the other as a binary series, without a Python object per value."""
    import polars as pl
    import pyarrow as pa

    size = len(data) // HASH_BYTES
    array = pa.FixedSizeBinaryArray.from_buffers(pa.binary(HASH_BYTES), size, [None, pa.py_buffer(data)])
    return pl.Series(pl.from_arrow(array)).cast(pl.Binary)


def _join_hashes(
    conn: Connection, in_shard: ColumnElement[bool], plain: ColumnElement[bool]
) -> tuple[int, bytes, bytes]:
    """Passes of a shard, and ids and fingerprints of its plain ones, each put together to one value by the database.

    Reading row by row takes twice as long and more. Both values come from one scan, so they stand in the same order.
    SQLite's ``group_concat`` passes the bytes of a BLOB through as they are (a cast between TEXT and BLOB changes no
    byte, https://www.sqlite.org/lang_expr.html#castexpr); that none got lost is checked.
    """
    columns = (passes.c.id_hash, passes.c.fingerprint)
    if conn.dialect.name == "sqlite":
        joined: list[ColumnElement[bytes]] = [
            cast(func.group_concat(column, "").filter(plain), LargeBinary) for column in columns
        ]
    else:
        joined = [
            func.string_agg(column, literal(b"", LargeBinary), type_=LargeBinary).filter(plain) for column in columns
        ]
    counts = (func.count(), func.count().filter(plain))
    every, count, ids, fingerprints = conn.execute(select(*counts, *joined).where(in_shard)).one()
    ids, fingerprints = bytes(ids or b""), bytes(fingerprints or b"")
    if not len(ids) == len(fingerprints) == count * HASH_BYTES:
        raise StoreError(
            f"The database gave {len(ids)} and {len(fingerprints)} bytes for {count} passes.",
            fix="Use a newer SQLite, or a PostgreSQL store.",
            code="store.hashes_lost",
        )
    return int(every), ids, fingerprints


def read_rows(
    conn: Connection, program: str, id_hashes: Iterable[bytes], *, records: bool = False, lock: bool = False
) -> dict[bytes, PassRow]:
    """Passes by id hash; those that do not exist are left out.

    Args:
        records: also the sealed record and overlay.
        lock: hold the rows until the transaction ends, in key order.
    """
    columns = [passes.c[name] for name in PassRow.__slots__[:13]]
    if records:
        columns += [pass_records.c.record_sealed, pass_records.c.overlay_sealed]
    found: dict[bytes, PassRow] = {}
    for chunk in chunks(sorted(id_hashes)):
        query = select(*columns).where(passes.c.program == program, is_in(conn, passes.c.id_hash, chunk))
        if records:
            same = and_(pass_records.c.program == passes.c.program, pass_records.c.id_hash == passes.c.id_hash)
            query = query.select_from(passes.outerjoin(pass_records, same))
        query = query.order_by(passes.c.id_hash)
        if lock and conn.dialect.name == "postgresql":
            query = query.with_for_update(of=passes)
        for row in conn.execute(query):
            found[row.id_hash] = _pass_row(row)
    return found


def _pass_row(row: Any) -> PassRow:
    id_hash, serial, fingerprint, content_hash, revision, status, origin, adopted, *rest = row
    return PassRow(
        id_hash, serial, fingerprint, content_hash, revision, Status(status), Origin(origin), bool(adopted), *rest
    )


def find_by_serial(conn: Connection, serial: str) -> tuple[str, PassRow] | None:
    """Program and pass of a serial number, or None."""
    row = conn.execute(select(passes.c.program, passes.c.id_hash).where(passes.c.serial == serial)).first()
    if row is None:
        return None
    return row.program, read_rows(conn, row.program, [row.id_hash], records=True)[row.id_hash]


def count_live(conn: Connection, program: str) -> int:
    """Passes of a program that are not deleted."""
    query = select(func.count()).where(passes.c.program == program, passes.c.status != Status.DELETED.value)
    return int(conn.execute(query).scalar_one())


def estimate_passes(conn: Connection, program: str) -> int:
    """About how many passes a program has, deleted ones included: id hashes are random, so a 64th is counted."""
    query = select(func.count()).where(passes.c.program == program, range_clause(passes.c.id_hash, 0, 4))
    return int(conn.execute(query).scalar_one()) * 64


def has_passes(conn: Connection, program: str) -> bool:
    """Whether any pass of the program was ever issued, deleted ones included."""
    return conn.execute(select(passes.c.serial).where(passes.c.program == program).limit(1)).first() is not None


def read_abandoned(conn: Connection, program: str, low: int, high: int, *, created_before: int) -> list[bytes]:
    """Live passes of links, flows and enrolments that the source never showed and that are older than the policy allows."""
    query = select(passes.c.id_hash).where(
        passes.c.program == program,
        range_clause(passes.c.id_hash, low, high),
        passes.c.adopted.is_(False),
        passes.c.status != Status.DELETED.value,
        passes.c.created_at < created_before,
    )
    return [bytes(id_hash) for id_hash in conn.execute(query).scalars()]


def read_erased(conn: Connection, program: str, among: Sequence[bytes] | None = None) -> set[bytes]:
    """Id hashes with a tombstone, all of a program or those among some: members that must not come back unnoticed."""
    query = select(erasures.c.id_hash).where(erasures.c.program == program)
    if among is None:
        return {bytes(id_hash) for id_hash in conn.execute(query).scalars()}
    parts = (conn.execute(query.where(erasures.c.id_hash.in_(part))).scalars() for part in chunks(among))
    return {bytes(id_hash) for part in parts for id_hash in part}


def count_phones(conn: Connection, program: str, *, ringing_plan: str | None = None) -> int:
    """Distinct devices registered for passes of a program, or for those that a plan's updates make ring."""
    query = (
        select(func.count(func.distinct(registrations.c.device_hash)))
        .select_from(registrations.join(passes, passes.c.serial == registrations.c.serial))
        .where(passes.c.program == program)
    )
    if ringing_plan is not None:
        ringing = select(operations.c.id_hash).where(operations.c.plan_id == ringing_plan, operations.c.rings != "")
        query = query.where(passes.c.id_hash.in_(ringing))
    return int(conn.execute(query).scalar_one())
