"""Two snapshots of an invented membership as Arrow files: last night's, and tonight's with the changes of a normal day.

Whoever changes, joins or leaves is spread evenly, and tonight's rows come in another order. Of one million members
10,019 change, 2,000 join and 1,031 leave: 1.3 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

COLUMNS: Final = (
    "member_no", "first_name", "last_name", "email", "mobile", "points", "credit_cents", "tier", "state", "joined",
    "valid_to", "language",
)  # fmt: skip
BATCH: Final = 65_536
"""Rows of one Arrow batch: what a source is asked for."""

_GIVEN: Final = (
    "Ada",
    "Björn",
    "Chloé",
    "Dragan",
    "Elif",
    "François",
    "Grace",
    "Hülya",
    "Inês",
    "Jürgen",
    "Kai",
    "Łucja",
)
_FAMILY: Final = ("Andersen", "Öztürk", "García", "Müller", "Nowak", "O'Brien", "Rossi", "Šimić", "van Dijk", "Weiß")


@dataclass(frozen=True, slots=True)
class Night:
    """How many members there are and what happens to them.

    Args:
        members: in the store.
        changed: whose points and credit are others tonight.
        joined: who are new.
        left: who are gone.
    """

    members: int
    changed: int
    joined: int
    left: int

    @classmethod
    def of(cls, members: int) -> Night:
        """A normal night of so many members."""
        share = members / 1_000_000
        return cls(members, round(10_019 * share), round(2_000 * share), round(1_031 * share))


def write_snapshots(folder: Path, night: Night) -> None:
    """Writes ``old.arrow`` and ``new.arrow`` (Arrow IPC files of batches) below a folder."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(20_260_901)
    old = _members(0, night.members)
    places = rng.permutation(night.members)
    changed = np.zeros(night.members, dtype=bool)
    changed[places[: night.changed]] = True
    left = np.zeros(night.members, dtype=bool)
    left[places[night.changed : night.changed + night.left]] = True
    earned = pl.when(pl.Series(changed))
    new = old.with_columns(
        points=earned.then(pl.col("points") + 120).otherwise(pl.col("points")),
        credit_cents=earned.then(pl.col("credit_cents") + 250).otherwise(pl.col("credit_cents")),
    ).filter(~pl.Series(left))
    new = pl.concat([new, _members(night.members, night.joined)])
    _write(folder / "old.arrow", old)
    _write(folder / "new.arrow", new[rng.permutation(new.height)])


def _members(first: int, count: int) -> pl.DataFrame:
    """Members by number; each value follows from the number alone."""
    import polars as pl

    number = pl.int_range(first, first + count, dtype=pl.Int64)
    mixed = number * 2_654_435_761 % 4_294_967_296  # Knuth's multiplicative hash: neighbours have nothing in common

    def pick(names: tuple[str, ...], divisor: int) -> pl.Expr:
        return pl.lit(pl.Series(names)).gather(mixed // divisor % len(names))

    day = pl.lit("2012-01-01").str.to_date()
    return pl.select(
        member_no=pl.format("0049{}", (17_000_000_000 + number * 37).cast(pl.String)),
        first_name=pick(_GIVEN, 7),
        last_name=pick(_FAMILY, 101),
        email=pl.format("member.{}@example.com", number),
        mobile=pl.format("+49151{}", (10_000_000 + mixed % 89_999_999).cast(pl.String)),
        points=mixed // 11 % 24_000,
        credit_cents=mixed // 13 % 180 * 50,
        tier=pick(("S", "S", "S", "G", "P"), 17),
        state=pick(("A",) * 60 + ("B",), 19),
        joined=day + pl.duration(days=mixed // 23 % 4_900),
        valid_to=day + pl.duration(days=7_300 + mixed // 29 % 1_500),
        language=pick(("de-DE", "en-GB", "fr-FR", "es-ES"), 31),
    )


def _write(path: Path, frame: pl.DataFrame) -> None:
    import polars as pl
    import pyarrow as pa

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=BATCH)
