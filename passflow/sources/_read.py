"""What every read has in common: rows are counted, and nothing is proved before the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from passflow.errors import IncompleteRead, SourceError
from passflow.model import Proof
from passflow.sync.texts import missing_columns

if TYPE_CHECKING:
    import pyarrow as pa


class CountedRead:
    """One read in progress; it can be gone through once.

    Args:
        batches: the record batches; an error in it ends the read unproved.
        prove: given the rows read, what a finished read proves.
    """

    def __init__(self, batches: Iterator[pa.RecordBatch], prove: Callable[[int], Proof]) -> None:
        self._batches: Iterator[pa.RecordBatch] | None = batches
        self._prove = prove
        self._rows = 0
        self._proof: Proof | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        batches, self._batches = self._batches, None
        if batches is None:
            raise SourceError(
                "This read was gone through before.", fix="Open the source again.", code="source.read_twice"
            )
        for batch in batches:
            self._rows += batch.num_rows
            yield batch
        self._proof = self._prove(self._rows)

    def proof(self) -> Proof:
        """What the finished read proves.

        Raises:
            IncompleteRead: it was not read to its end.
        """
        if self._proof is None:
            raise IncompleteRead(f"The read stopped after {self._rows} rows, before its end.")
        return self._proof


def sliced(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """A batch in pieces of at most so many rows; none where it is empty."""
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def require_columns(wanted: tuple[str, ...], present: tuple[str, ...], where: str) -> None:
    """Sees whether all columns are there, each once.

    Args:
        where: what has the columns, for the message.

    Raises:
        SourceError: a column is missing, or its name stands for several.
    """
    if missing := tuple(name for name in wanted if name not in present):
        raise missing_columns(missing, present, where)
    if doubled := [name for name in wanted if present.count(name) > 1]:
        raise SourceError(
            f"{where} has several columns named {', '.join(map(repr, doubled))}.",
            fix="Give each column a name of its own.",
            code="source.column_ambiguous",
        )
