"""Which members of a compared shard need a look: those whose passes may change, and those whose dates fell due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passflow.model import Status
from passflow.sync.diff import Diff
from passflow.sync.draft import Seen

if TYPE_CHECKING:
    import polars as pl


def list_seen(found: Diff, rows: pl.DataFrame, fields: list[str]) -> list[Seen]:
    """The members whose passes may change: new, changed, due, or shown by the source for the first time."""
    import polars as pl

    names = ["row", "id_hash", "fingerprint", *fields]
    frames = [found.creates, found.changed.filter(~_ended()), found.due]
    if found.adopted.len():
        handled = pl.concat([found.changed["id_hash"], found.due["id_hash"]])
        ids = found.adopted.filter(~found.adopted.is_in(handled.implode()))
        frames.append(rows.filter(rows["id_hash"].is_in(ids.implode())).unique("id_hash"))
    return [
        Seen(row, id_hash, fingerprint, dict(zip(fields, values, strict=True)))
        for frame in frames
        for row, id_hash, fingerprint, *values in frame.select(names).iter_rows()
    ]


def count_ended(found: Diff) -> int:
    """Members whose pass was deleted for what the source says of them, and of whom it still says the same."""
    return found.changed.filter(_ended()).height


def _ended() -> pl.Expr:
    import polars as pl

    # the diff calls a row of a deleted pass changed even where it is not: it cannot know why the pass was deleted
    return pl.col("fingerprint") == pl.col("state_fingerprint")


def list_overdue(state: pl.DataFrame, now: int) -> set[bytes]:
    """Live passes with a date that fell due, unless they changed after the read began."""
    import polars as pl

    due = (pl.col("due_at") <= now) & (pl.col("status") != Status.DELETED.value) & (pl.col("observed_at") <= now)
    return set(state.filter(due.fill_null(value=False))["id_hash"].to_list())
