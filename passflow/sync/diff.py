"""Compares what the master system shows with the passes that are issued, one shard at a time.

Nothing is decided here beyond which rows count: a plan turns the result into operations. Three rules protect passes: a
refused row never makes its own pass missing, an id that only looks like a live one protects that one too, and what was
changed after the read began is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from passflow.model import Origin, Rejection, Status
from passflow.sync.records import encode_record

if TYPE_CHECKING:
    import polars as pl

STATE_COLUMNS: Final = ("id_hash", "fingerprint", "status", "revision", "origin", "adopted", "due_at", "observed_at")
"""What ``diff`` needs of ``passes``; ids and fingerprints are Binary, times Int64 in microseconds."""

_OWN: Final = ("id_hash", "fingerprint", "row")
_PREFIX_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs in one shard; every distinct row is in exactly one of the first four, ``newer`` or the rejections.

    Args:
        creates: rows of members without a pass; the rows' own columns.
        changed: rows whose fingerprint is another, or whose pass is deleted (the plan looks whether it comes back).
            Besides the rows' columns those of the state, ``fingerprint`` as ``state_fingerprint``; where a member field
            has the name of one, the field.
        due: unchanged rows whose status may have changed by date alone; columns as in ``changed``.
        unchanged: how many rows are as they were.
        missing: live passes, shown by the source before, that it shows no more; columns of the state.
        newer: rows and missing passes left alone, because their pass changed after the read began.
        adopted: id hashes of passes that the source shows for the first time, whatever else happens to them.
        rejections: the rows refused here, one each.
    """

    creates: pl.DataFrame
    changed: pl.DataFrame
    due: pl.DataFrame
    unchanged: int
    missing: pl.DataFrame
    newer: int
    adopted: pl.Series
    rejections: list[Rejection]


def diff(
    rows: pl.DataFrame, state: pl.DataFrame, *, refused: Iterable[bytes], erased: Iterable[bytes], now: int
) -> Diff:
    """Compares the rows of one shard with its passes.

    Args:
        rows: ``id_hash``, ``fingerprint`` (Binary, 16 bytes), ``row`` and one Utf8 column per field.
        state: ``STATE_COLUMNS`` of all passes of the shard.
        refused: id hashes of rows of this read that were refused before.
        erased: id hashes with a tombstone.
        now: the store's clock when the read began; microseconds since 1970 UTC.
    """
    import polars as pl

    erased_ids = id_series(erased)
    refused_ids = id_series(refused)
    # rows are wide and few of them differ: hashes are compared, and the rest of a row is fetched by its place
    narrow = rows.select("row", "id_hash", "fingerprint").with_row_index("place")
    kept, rejections = _refuse(rows, narrow, rows["id_hash"].is_in(erased_ids.implode()), "member.erased")
    doubled = kept["id_hash"].n_unique() < kept.height
    wrong = kept["id_hash"].is_in(refused_ids.implode())
    kept, found = _refuse(rows, kept, wrong | _contradicted(kept) if doubled else wrong, "id.duplicate")
    rejections += found
    if doubled:
        kept = kept.unique("id_hash", keep="first", maintain_order=True)

    places = state.rename({"fingerprint": "state_fingerprint"}).with_row_index("state_place")
    both = kept.join(places, on="id_hash", how="left", maintain_order="left")
    variants = _case_variants(both, pl.concat([rows["id_hash"], refused_ids]), state)
    lookalikes = pl.concat([both["id_hash"].filter(variants), refused_ids]).bin.head(_PREFIX_BYTES).unique()
    both, found = _refuse(rows, both, variants, "id.case_variant")
    rejections += found

    known = both.filter(pl.col("revision").is_not_null())
    settled = known.filter(pl.col("observed_at") <= now)
    changes = (pl.col("fingerprint") != pl.col("state_fingerprint")) | (pl.col("status") == Status.DELETED)
    same = settled.filter(~changes)
    due = same.filter((pl.col("due_at") <= now).fill_null(False))

    shown = pl.concat([refused_ids, id_series(one.id_hash for one in rejections if one.id_hash)])
    gone = _without(state, known["state_place"]).filter(
        (pl.col("status") != Status.DELETED)
        & (pl.col("adopted") | (pl.col("origin") == Origin.SOURCE))
        & ~pl.col("id_hash").is_in(pl.concat([shown, erased_ids]).implode())
        & ~pl.col("id_hash").bin.head(_PREFIX_BYTES).is_in(lookalikes.implode())
    )
    missing = gone.filter(pl.col("observed_at") <= now)
    return Diff(
        creates=rows[both.filter(pl.col("revision").is_null())["place"]],
        changed=_widen(rows, settled.filter(changes)),
        due=_widen(rows, due),
        unchanged=same.height - due.height,
        missing=missing,
        newer=known.height - settled.height + gone.height - missing.height,
        adopted=settled.filter(~pl.col("adopted"))["id_hash"],
        rejections=sorted(rejections, key=lambda rejection: rejection.row),
    )


def id_series(hashes: Iterable[bytes]) -> pl.Series:
    """Id hashes as a series, made once where they serve several shards."""
    import polars as pl

    series = hashes if isinstance(hashes, pl.Series) else pl.Series(list(hashes), dtype=pl.Binary)
    return series.alias("id_hash")


def _contradicted(rows: pl.DataFrame) -> pl.Series:
    """Which rows share their id with a row of other content."""
    import polars as pl

    return rows.select(pl.col("fingerprint").n_unique().over("id_hash") > 1).to_series()


def _case_variants(both: pl.DataFrame, shown: pl.Series, state: pl.DataFrame) -> pl.Series:
    """Which rows, without a live pass themselves, differ only in case from a live one or from another that is shown."""
    import polars as pl

    unissued = both.select((pl.col("revision").is_null() | (pl.col("status") == Status.DELETED)).alias("unissued"))
    candidates = both.filter(unissued.to_series()).select(_prefix()).to_series().unique()
    if not candidates.len():
        return pl.repeat(False, both.height, dtype=pl.Boolean, eager=True)
    live = state.filter(pl.col("status") != Status.DELETED)["id_hash"]
    crowded = (
        pl.concat([shown, live])
        .to_frame()
        .with_columns(_prefix())
        .filter(pl.col("prefix").is_in(candidates.implode()))
        .group_by("prefix")
        .agg(pl.col("id_hash").n_unique().alias("count"))
        .filter(pl.col("count") > 1)["prefix"]
    )
    return unissued.to_series() & both.select(_prefix()).to_series().is_in(crowded.implode())


def _prefix() -> pl.Expr:
    import polars as pl

    return pl.col("id_hash").bin.head(_PREFIX_BYTES).bin.reinterpret(dtype=pl.UInt64).alias("prefix")


def _without(state: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The passes at other places than these."""
    import numpy as np
    import polars as pl

    left = np.ones(state.height, dtype=np.bool_)
    left[places.to_numpy()] = False
    return state.filter(pl.Series(left))


def _widen(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Whole rows beside the state of their passes; a member field hides a column of the state that has its name."""
    import polars as pl

    taken = {*rows.columns, "place", "state_place"}
    state = found.select(name for name in found.columns if name not in taken)
    return pl.concat([rows[found["place"]], state], how="horizontal")


def _refuse(
    rows: pl.DataFrame, narrow: pl.DataFrame, wrong: pl.Series, code: str
) -> tuple[pl.DataFrame, list[Rejection]]:
    if not wrong.any():
        return narrow, []
    fields = [name for name in rows.columns if name not in _OWN]
    rejections = [
        Rejection(
            row=row["row"],
            code=code,
            field="external_id",
            id_hash=row["id_hash"],
            record=encode_record({name: row[name] for name in fields}),
        )
        for row in rows[narrow.filter(wrong)["place"]].iter_rows(named=True)
    ]
    return narrow.filter(~wrong), rejections
