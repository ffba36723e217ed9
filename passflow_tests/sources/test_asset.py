"""Tables of every kind that an asset may give."""

from collections.abc import Mapping

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

from passflow.errors import SourceError
from passflow.ports import NeedsUpstream, SourceContext
from passflow.sources.asset import AssetSource
from passflow.testing.sources import COLUMNS, SourceContract
from passflow.vendors import union


class Broken:
    """A table that fails when it is asked."""

    def __arrow_c_stream__(self, requested_schema=None):
        raise RuntimeError("hunter2-hunter2")


class TestAsset(SourceContract):
    """A pandas frame whose materialization said its rows."""

    def place(self, members, folder):
        frame = pd.DataFrame([dict(member) for member in members], columns=list(COLUMNS), dtype="string")
        return AssetSource(type="asset", key="crm/members").bind(frame, len(members))

    def broken(self, folder):
        return AssetSource(type="asset", key=["crm", "members"]).bind(Broken(), None)


COLUMN = {"id": ["1", "2", "3"], "v": ["a", None, "c"]}
POLARS = pl.DataFrame(COLUMN)
ARROW = pa.table(COLUMN)
TABLES: Mapping[str, object] = {
    "pandas": pd.DataFrame(COLUMN),
    "pandas, own index": pd.DataFrame(COLUMN, index=[7, 7, 9]),
    "pandas, categorical": pd.DataFrame(COLUMN).astype({"v": "category"}),
    "polars": POLARS,
    "polars, lazy": POLARS.lazy(),
    "polars, chunked": pl.concat([POLARS.head(1), POLARS.tail(2)], rechunk=False),
    "pyarrow": ARROW,
    "pyarrow batch": ARROW.to_batches()[0],
    "pyarrow reader": ARROW,
    "anything": type(
        "Relation", (), {"__arrow_c_stream__": lambda self, requested_schema=None: ARROW.__arrow_c_stream__()}
    )(),
}


def context(tmp_path, *columns):
    return SourceContext(base_dir=tmp_path, columns=columns or ("id", "v"), id_column="id", batch_rows=2)


@pytest.mark.parametrize("kind", TABLES)
def test_every_table_that_speaks_arrow(tmp_path, kind):
    table = TABLES[kind].to_reader() if kind == "pyarrow reader" else TABLES[kind]
    read = AssetSource(type="asset", key="m").bind(table, 3).open(context(tmp_path))
    rows = [tuple(row.values()) for batch in read for row in batch.to_pylist()]
    assert rows == [("1", "a"), ("2", None), ("3", "c")]
    assert read.proof().complete


@pytest.mark.parametrize(
    ("expected", "complete", "reason"), [(3, True, "3"), (4, False, "said 4 rows, 3"), (None, False, "does not say")]
)
def test_only_the_rows_that_were_promised_prove_the_read(tmp_path, expected, complete, reason):
    read = AssetSource(type="asset", key="m").bind(POLARS, expected).open(context(tmp_path))
    assert sum(batch.num_rows for batch in read) == 3
    assert read.proof().complete is complete
    assert reason in read.proof().reason


def test_outside_dagster_there_is_no_table(tmp_path):
    source = AssetSource(type="asset", key="crm/members")
    with pytest.raises(SourceError, match="'crm/members' exists inside Dagster only") as caught:
        source.open(context(tmp_path))
    assert caught.value.error_code == "source.unbound"
    assert source.check(context(tmp_path)) == ()


@pytest.mark.parametrize("table", [42, "SELECT 1", {"id": [1]}, [1, 2], object(), pd.Series([1])])
def test_what_is_no_table_is_refused(tmp_path, table):
    with pytest.raises(SourceError) as caught:
        list(AssetSource(type="asset", key="m").bind(table, None).open(context(tmp_path)))
    assert caught.value.error_code in ("source.no_table", "source.column_missing")


def test_columns_of_mixed_objects_are_refused_without_their_values(tmp_path):
    frame = pd.DataFrame({"id": ["1", "2"], "v": pd.Series(["secret@example.org", 7], dtype=object)})
    with pytest.raises(SourceError) as caught:
        list(AssetSource(type="asset", key="m").bind(frame, 2).open(context(tmp_path)))
    assert "secret@example.org" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_lazy_table_that_fails_is_no_empty_table(tmp_path):
    lazy = POLARS.lazy().map_batches(lambda frame: 1 / 0, schema=POLARS.schema)
    with pytest.raises(SourceError):
        list(AssetSource(type="asset", key="m").bind(lazy, 3).open(context(tmp_path)))


def test_a_reader_is_gone_through_once(tmp_path):
    source = AssetSource(type="asset", key="m").bind(ARROW.to_reader(), 3)
    assert sum(batch.num_rows for batch in source.open(context(tmp_path))) == 3
    again = source.open(context(tmp_path))
    with pytest.raises(SourceError):
        list(again)
        assert not again.proof().complete
        raise SourceError("nothing came, and it says so")


def test_binding_gives_another_source_and_shows_no_rows():
    source = AssetSource(type="asset", key="crm/members")
    bound = source.bind(POLARS, 3)
    assert isinstance(source, NeedsUpstream)
    assert bound.upstream_key() == source.upstream_key() == ("crm", "members")
    assert bound is not source
    assert "Bob" not in repr(source.bind(pd.DataFrame({"id": ["Bob"]}), 1))
    assert bound.model_dump() == {"type": "asset", "key": ("crm", "members")}


@pytest.mark.parametrize("key", ["", "a//b", [], ["a", " "], 7])
def test_a_key_has_parts(key):
    with pytest.raises(ValidationError):
        AssetSource(type="asset", key=key)


def test_the_program_file_reaches_it_by_type():
    source = TypeAdapter(union("sources")).validate_python({"type": "asset", "key": ["crm", "members"]})
    assert source.upstream_key() == ("crm", "members")
