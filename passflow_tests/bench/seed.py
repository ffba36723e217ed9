"""A store as it is after last night: every member of a snapshot has a pass with the right fingerprint.

Written in bulk, without operations. Sealed records and keys, which a plan opens only where something changed, are kept
for those who change or leave (``whole=True``: for everybody).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from passflow.files import save_images
from passflow.model import HASH_BYTES, Origin, Status
from passflow.program import Program
from passflow.store.bulk import gather_statistics, write_rows
from passflow.store.changes import PASS_COLUMNS
from passflow.store.engine import Store
from passflow.store.keys import create_store_keys, new_keys, store_key
from passflow.store.migrate import upgrade
from passflow.store.plans import ensure_program
from passflow.store.records import seal_record
from passflow.store.tables import member_keys, pass_records, passes, programs
from passflow.sync.design import make_design, save_design
from passflow.sync.intake import Hasher
from passflow.sync.mapping import encode_record
from passflow_tests.bench.club import ArrowRead

if TYPE_CHECKING:
    import polars as pl

ROWS = 50_000
"""Rows of one transaction."""

FAR_AHEAD = 4_102_444_800_000_000
"""When seeded passes fall due, microseconds: 2100-01-01."""


def seed(program: Program, store: Store, folder: Path, *, whole: bool = False) -> None:
    """Migrates an empty store and fills it from ``old.arrow``.

    Args:
        program: whose passes.
        store: empty.
        folder: where the snapshots are.
        whole: keep a sealed record and a key for every member.
    """
    upgrade(store)
    create_store_keys(store)
    hasher = _prepare(program, store)
    wanted = None if whole else _touched(folder)
    import polars as pl

    hashed = pl.concat(_hashed(program, hasher, folder / "old.arrow", wanted), how="diagonal").sort("id_hash")
    for part in hashed.iter_slices(ROWS):
        _write_passes(program, store, part, hasher.revision)
        _write_records(program, store, part.filter(pl.col("external_id").is_not_null()))
    gather_statistics(store, passes, pass_records, member_keys)


def _prepare(program: Program, store: Store) -> Hasher:
    images = save_images(program, store)
    design = make_design(program.template, program.members.fields, program.lifecycle, images)
    with store.begin() as conn:
        now = store.now(conn)
        ensure_program(conn, program.program, now)
        save_design(conn, program.program, design, now)
        conn.execute(programs.update().values(template_revision=design.revision))
    return Hasher(program, store_key(store, "hash"), store_key(store, "fingerprint"), design.revision)


def _touched(folder: Path) -> pl.Series:
    """Member numbers whose row of last night is not among tonight's."""
    import polars as pl

    old, new = (pl.read_ipc(folder / name) for name in ("old.arrow", "new.arrow"))
    return old.join(new, on=old.columns, how="anti", nulls_equal=True)["member_no"]


def _hashed(program: Program, hasher: Hasher, path: Path, wanted: pl.Series | None) -> Iterator[pl.DataFrame]:
    """Id hash and fingerprint of every member, and the fields of those whose record is kept."""
    import polars as pl

    fields = list(program.members.fields)
    for batch in ArrowRead(path, in_memory=False):
        frame = hasher.add_fingerprint(program.members.map_batch(batch, 1, hasher.identify).frame)
        kept = frame if wanted is None else frame.filter(frame["external_id"].is_in(wanted.implode()))
        yield kept.select("id_hash", "fingerprint", *fields)
        if wanted is not None:
            yield frame.join(kept, on="id_hash", how="anti").select(
                "id_hash", "fingerprint", *(pl.lit(None, dtype=pl.String).alias(name) for name in fields)
            )


def _write_passes(program: Program, store: Store, part: pl.DataFrame, revision: str) -> None:
    name = program.program
    nothing = bytes(HASH_BYTES)
    rows = [
        (
            name, id_hash, id_hash.hex(), fingerprint, nothing, revision, Status.ACTIVE.value, Origin.SOURCE.value,
            True, 1, 1, FAR_AHEAD, nothing, 1, 1, 1,
        )
        for id_hash, fingerprint in part.select("id_hash", "fingerprint").iter_rows()
    ]  # fmt: skip
    with store.begin() as conn:
        write_rows(conn, passes, PASS_COLUMNS, rows)


def _write_records(program: Program, store: Store, part: pl.DataFrame) -> None:
    name, fields = program.program, list(program.members.fields)
    keys, wrapped = new_keys(store.keyring, name, part["id_hash"].to_list())
    records = [
        (
            name,
            id_hash,
            seal_record(name, id_hash, keys[id_hash], encode_record(dict(zip(fields, values, strict=True)))),
        )
        for id_hash, *values in part.select("id_hash", *fields).iter_rows()
    ]
    with store.begin() as conn:
        write_rows(conn, member_keys, tuple(member_keys.columns.keys()), [tuple(row.values()) for row in wrapped])
        write_rows(conn, pass_records, ("program", "id_hash", "record_sealed"), records)
