"""Members from a Dagster asset: whatever table an upstream asset gives, as long as it speaks Arrow.

pandas, polars (eager and lazy), pyarrow tables and readers, DuckDB relations and everything else with
``__arrow_c_stream__`` goes in. The pipeline binds the table; outside Dagster there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, field_validator

from passflow.errors import SourceError
from passflow.model import Proof
from passflow.ports import Read, SourceContext, SourceSettings
from passflow.sources._read import CountedRead, require_columns, sliced

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["AssetSource"]


class AssetSource(SourceSettings):
    """The table of an upstream Dagster asset."""

    label: ClassVar[str] = "Dagster asset"
    docs_url: ClassVar[str] = "https://docs.dagster.io/guides/build/assets"

    type: Literal["asset"] = Field(description="An upstream Dagster asset that gives a table.")
    key: tuple[str, ...] = Field(min_length=1, description="Key of the asset: a list of its parts, or `a/b`.")

    _table: object = PrivateAttr(default=None)
    _expected_rows: int | None = PrivateAttr(default=None)

    @field_validator("key", mode="before")
    @classmethod
    def _split(cls, key: object) -> object:
        return key.split("/") if isinstance(key, str) else key

    @field_validator("key")
    @classmethod
    def _whole(cls, key: tuple[str, ...]) -> tuple[str, ...]:
        if not all(part.strip() for part in key):
            raise ValueError("`key` has an empty part")
        return key

    def upstream_key(self) -> tuple[str, ...]:
        """Path of the upstream asset's key."""
        return self.key

    def bind(self, value: object, expected_rows: int | None) -> AssetSource:
        """This source holding the upstream table.

        Args:
            value: the table; a reader or stream can be gone through once.
            expected_rows: rows that the asset's materialization said, or None where it said nothing.
        """
        bound = self.model_copy()
        bound._table = value
        bound._expected_rows = expected_rows
        return bound

    def open(self, context: SourceContext) -> Read:
        """Starts a read of the bound table."""
        name = "/".join(self.key)
        if self._table is None:
            raise SourceError(
                f"The asset {name!r} exists inside Dagster only.",
                fix="Run the plan in Dagster (the job of this program), or use another source on the command line.",
                code="source.unbound",
            )
        reader = _reader(self._table, name)
        require_columns(context.columns, tuple(reader.schema.names), f"The asset {name!r}")
        return CountedRead(_batches(reader, context, name), self._prove)

    def check(self, context: SourceContext) -> tuple[str, ...]:
        """Names of the columns that the bound table has."""
        return tuple(_reader(self._table, "/".join(self.key)).schema.names) if self._table is not None else ()

    def _prove(self, rows: int) -> Proof:
        expected = self._expected_rows
        if expected is None:
            return Proof(False, rows, "the asset's materialization does not say how many rows it has")
        if rows != expected:
            return Proof(False, rows, f"the asset's materialization said {expected} rows, {rows} were read")
        return Proof(True, rows, f"as many rows as the asset's materialization said: {expected}")


def _reader(table: Any, name: str) -> pa.RecordBatchReader:
    """A table of any kind as a stream of record batches."""
    import pyarrow as pa

    if isinstance(table, pa.RecordBatchReader):
        return table
    try:
        if hasattr(table, "collect_schema") and hasattr(table, "collect") and not hasattr(table, "__arrow_c_stream__"):
            table = table.collect(engine="streaming")  # a polars LazyFrame
        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table])
        if hasattr(table, "__arrow_c_stream__"):
            return pa.RecordBatchReader.from_stream(table)
    except Exception as error:  # noqa: BLE001 - a lazy table runs foreign code; its messages may quote rows
        raise _broken(name, error) from None
    raise SourceError(
        f"The asset {name!r} gives {type(table).__name__}, which is no table.",
        fix="Return a pandas, polars or pyarrow table from the asset.",
        code="source.no_table",
    )


def _batches(reader: pa.RecordBatchReader, context: SourceContext, name: str) -> Iterator[pa.RecordBatch]:
    columns = list(context.columns)
    try:
        for batch in reader:
            yield from sliced(batch.select(columns), context.batch_rows)
    except Exception as error:
        if isinstance(error, SourceError):
            raise
        raise _broken(name, error) from None


def _broken(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"The table of the asset {name!r} cannot be read ({type(error).__name__}).",
        fix="Give each of its columns one type; pandas columns of mixed objects have none.",
        code="source.no_table",
    )
