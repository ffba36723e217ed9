"""Reads CSV and Parquet in batches of bounded memory; CSV values stay the text they are.

Messages of parsers quote the row at fault, so none of them is passed on: only its place is.
"""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from passflow.errors import IncompleteRead, SourceError
from passflow.sources._read import require_columns, sliced
from passflow.sources._streams import TextStream

if TYPE_CHECKING:
    import pyarrow as pa

_OTHER_DELIMITERS: Final = {";": "`;`", "\t": "a tab (`\\t`)", "|": "`|`", ",": "`,`"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of a file.

    Args:
        name: the file, for messages.
        columns: names of the columns.
        rows: rows per batch, at most.
        row_bytes: bytes of one row, at most.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    row_bytes: int


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a CSV file is written; ``names`` where it has no header."""

    delimiter: str
    quote: str | None
    names: tuple[str, ...]
    nulls: tuple[str, ...]


def read_header(stream: TextStream, wanted: Wanted, dialect: CsvDialect) -> tuple[str, ...]:
    """Column names of a CSV file, from the start of its stream.

    Raises:
        SourceError: the file is empty, not the text it should be, or written with another delimiter.
    """
    try:
        start = stream.read(wanted.row_bytes)
        text = io.TextIOWrapper(io.BytesIO(start), "utf-8", errors="ignore", newline="")
        reader = csv.reader(
            text,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        )
        header = next((row for row in reader if row), None)
    except (csv.Error, OSError, EOFError, zlib.error, ValueError) as error:
        raise unreadable(wanted, error, stream) from None
    if header is None:
        raise SourceError(f"{wanted.name} is empty.", fix="Export the file again.", code="source.empty")
    if len(header) == 1:
        for other, shown in _OTHER_DELIMITERS.items():
            if other in header[0] and other != dialect.delimiter:
                raise SourceError(
                    f"{wanted.name} has a single column whose header holds {shown}.",
                    fix=f"Set `delimiter:` to {shown} for the source.",
                    code="source.delimiter",
                )
    return tuple(header)


def read_csv(stream: TextStream, wanted: Wanted, dialect: CsvDialect) -> Iterator[pa.RecordBatch]:
    """Batches of a CSV file, every column as text."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    options = {
        "read_options": arrow_csv.ReadOptions(block_size=wanted.row_bytes, column_names=list(dialect.names) or None),
        "parse_options": arrow_csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote or False, newlines_in_values=bool(dialect.quote)
        ),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(wanted.columns, pa.string()),
            include_columns=list(wanted.columns),
            strings_can_be_null=bool(dialect.nulls),
            null_values=list(dialect.nulls),
            quoted_strings_can_be_null=False,
        ),
    }
    try:
        for batch in arrow_csv.open_csv(stream, **options):
            yield from sliced(batch, wanted.rows)
    except (pa.ArrowException, OSError, EOFError, zlib.error, ValueError) as error:
        raise unreadable(wanted, error, stream) from None


def read_parquet(file: IO[bytes], wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """Batches of a Parquet file with the types it has.

    Raises:
        IncompleteRead: it holds fewer rows than its footer says.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        require_columns(wanted.columns, tuple(opened.schema_arrow.names), wanted.name)
        rows = 0
        for batch in opened.iter_batches(batch_size=wanted.rows, columns=list(wanted.columns)):
            rows += batch.num_rows
            yield batch
    except (pa.ArrowException, OSError, EOFError, ValueError) as error:
        raise unreadable(wanted, error) from None
    if rows != opened.metadata.num_rows:
        raise IncompleteRead(f"{wanted.name} gave {rows} rows, but its footer says {opened.metadata.num_rows}.")


def read_schema(file: IO[bytes], name: str) -> tuple[str, ...]:
    """Column names of a Parquet file, from its footer."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with file:
            return tuple(parquet.ParquetFile(file).schema_arrow.names)
    except (pa.ArrowException, OSError, EOFError, ValueError) as error:
        raise unreadable(Wanted(name, (), 0, 0), error) from None


def unreadable(wanted: Wanted, error: Exception, stream: TextStream | None = None) -> SourceError:
    """A parser's error without the data that its message quotes."""
    cause = stream.failure if stream is not None and stream.failure is not None else error
    if isinstance(cause, SourceError):
        return cause
    said = str(error)
    if found := re.search(r"Expected (\d+) columns, got (\d+)", said):
        row = re.search(r"Row #(\d+)", said)
        return SourceError(
            f"{wanted.name}: {'row ' + row[1] if row else 'a row'} has {found[2]} cells where {found[1]} are expected.",
            fix="Quote values that hold the delimiter, or correct the export.",
            code="source.row_unreadable",
        )
    if "straddl" in said:
        return row_too_long(wanted, None)
    if isinstance(cause, UnicodeError) or "UTF8" in said or "utf-8" in said.lower():
        return SourceError(
            f"{wanted.name} is not the text its encoding says.",
            fix="Set `encoding:` for the source, such as `cp1252` or `utf-16`.",
            code="source.encoding",
        )
    if isinstance(cause, EOFError | zlib.error):
        return IncompleteRead(f"{wanted.name} ends in the middle of its compressed data.", fix="Copy the file again.")
    if isinstance(cause, OSError) and cause.errno:
        return SourceError(
            f"{wanted.name} cannot be read ({type(cause).__name__}).", fix="Check that passflow may read it."
        )
    return SourceError(
        f"{wanted.name} is broken ({type(cause).__name__}).", fix="Export the file again.", code="source.row_unreadable"
    )


def row_too_long(wanted: Wanted, line: int | None) -> SourceError:
    """The error of a row beyond the limit."""
    where = f"line {line}" if line else "a row"
    return SourceError(
        f"{wanted.name}: {where} is longer than {wanted.row_bytes} bytes; often a quote that is not closed.",
        fix="Correct the export, or raise `max_row_bytes:` of the source.",
        code="source.row_too_long",
    )
