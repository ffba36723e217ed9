"""Taking a source in: one read, batch by batch, into hashed rows by shard and refused rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from passflow.model import Proof, Rejection
from passflow.ports import Read
from passflow.program import Program
from passflow.sync.fingerprint import fingerprints, id_hashes
from passflow.sync.mapping import Mapped
from passflow.sync.spill import Spill

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Hasher:
    """The keyed hashes of one program under one design.

    Args:
        hash_key: the store's key of id hashes, 32 bytes.
        fingerprint_key: the store's key of fingerprints, 32 bytes.
        revision: the design's revision, which every fingerprint covers.
    """

    program: Program
    hash_key: bytes = field(repr=False)
    fingerprint_key: bytes = field(repr=False)
    revision: str

    def identify(self, ids: pl.Series) -> pl.Series:
        """Id hashes of external ids."""
        return id_hashes(ids, self.hash_key, self.program.program)

    def add_fingerprint(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with its column ``fingerprint``."""
        names = list(self.program.members.fields)
        column = fingerprints(frame, names, self.fingerprint_key, self.revision.encode())
        return frame.with_columns(column.alias("fingerprint"))


STEP: Final = 32_768
"""Rows mapped at a time: each column is held in several forms meanwhile, and a source's batches may be of any size."""

UNREAD: Final = Proof(complete=False, rows=0, reason="nothing was read")


@dataclass
class Intake:
    """What a read brought.

    Args:
        spill: the readable rows, by shard.
        rows: rows read, refused ones included.
        refused: id hashes of refused rows: their passes stay as they are.
        unattributed: refused rows that belong to nobody we can name.
        refusals: how many rows were refused, by code.
    """

    spill: Spill
    rows: int = 0
    refused: list[bytes] = field(default_factory=list)
    unattributed: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    proof: Proof = UNREAD

    def note(self, rejections: list[Rejection]) -> None:
        """Counts refused rows."""
        for rejection in rejections:
            self.refusals[rejection.code] += 1
            if rejection.id_hash is None:
                self.unattributed += 1
            else:
                self.refused.append(rejection.id_hash)


def take_in(
    read: Read,
    hasher: Hasher,
    intake: Intake,
    *,
    refuse: Callable[[list[Rejection]], None],
    progress: Callable[[int], None],
) -> None:
    """Reads a source to its end.

    Args:
        refuse: told of the refused rows of every batch; saves them.
        progress: told of the rows read so far.

    Raises:
        SourceError: the read failed or stopped early; nothing may be concluded from it.
    """
    for mapped, rows in _mapped(read, hasher, intake):
        if mapped.rejections:
            intake.note(mapped.rejections)
            refuse(mapped.rejections)
        if mapped.frame.height:
            intake.spill.add(hasher.add_fingerprint(mapped.frame))
        intake.rows += rows
        progress(intake.rows)
    intake.proof = read.proof()


def _mapped(read: Read, hasher: Hasher, intake: Intake) -> Iterator[tuple[Mapped, int]]:
    for batch in read:
        for start in range(0, max(1, batch.num_rows), STEP):  # an empty batch must have the columns too
            part = batch.slice(start, STEP)
            yield hasher.program.members.map_batch(part, intake.rows + 1, hasher.identify), part.num_rows
