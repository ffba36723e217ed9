"""A read counts what it gives and proves nothing before its end."""

import pyarrow as pa
import pytest

from passflow.errors import IncompleteRead, SourceError
from passflow.model import Proof
from passflow.sources._read import CountedRead, require_columns, sliced


def batches(*sizes, failure=None):
    for size in sizes:
        yield pa.RecordBatch.from_pydict({"id": list(range(size))})
    if failure is not None:
        raise failure


def proved(rows):
    return Proof(True, rows, "said so")


def test_rows_are_counted_and_the_proof_comes_last():
    read = CountedRead(batches(2, 0, 3), proved)
    assert [batch.num_rows for batch in read] == [2, 0, 3]
    assert read.proof() == Proof(True, 5, "said so")


def test_a_failed_read_proves_nothing():
    read = CountedRead(batches(2, failure=SourceError("gone")), proved)
    with pytest.raises(SourceError, match="gone"):
        list(read)
    with pytest.raises(IncompleteRead, match="after 2 rows"):
        read.proof()


def test_a_read_that_is_left_closes_its_source():
    closed = []

    def source():
        try:
            yield from batches(1, 1)
        finally:
            closed.append(True)

    read = CountedRead(source(), proved)
    rows = iter(read)
    next(rows)
    rows.close()
    assert closed
    with pytest.raises(IncompleteRead):
        read.proof()


@pytest.mark.parametrize(("rows", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (9, [5])])
def test_batches_are_cut_to_size(rows, sizes):
    (batch,) = batches(5)
    assert [piece.num_rows for piece in sliced(batch, rows)] == sizes
    assert list(sliced(batch.slice(0, 0), rows)) == []


def test_columns_are_there_once():
    require_columns(("a",), ("a", "b", "b"), "Here")
    with pytest.raises(SourceError, match="Here has no column 'c', 'd'; it has: a, b") as caught:
        require_columns(("a", "c", "d"), ("a", "b"), "Here")
    assert caught.value.error_code == "source.column_missing"
    with pytest.raises(SourceError, match="several columns named 'b'"):
        require_columns(("b",), ("a", "b", "b"), "Here")
