"""Columns of a source, whatever their type, as clean text: NFC, trimmed, nothing empty.

Most columns are plain ASCII; one look at their bytes then spares the work that only other texts need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from passflow.errors import SourceError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

WHITE_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What is trimmed at both ends: Unicode's White_Space property, and the byte order mark that exports leave behind."""

CONTROL: Final = r"[\p{Cc}--[\t\n]]"
"""Characters no text may hold; tabs and line ends are part of addresses and notes."""

CONTROL_IN_ID: Final = r"\p{Cc}"

_FIRST_OUTSIDE_NFC: Final = 0xCC
"""First byte of U+0300 in UTF-8; all text below it is NFC already (UAX #15, NFC_Quick_Check)."""


def read_texts(batch: pa.RecordBatch, name: str) -> pl.Series:
    """One column as it came, as Utf8.

    Dates and times become ISO 8601, times with a zone in UTC; floats keep their shortest form.

    Raises:
        SourceError: the column is missing, or holds lists, structures or binary data.
    """
    import polars as pl
    import pyarrow as pa

    index = batch.schema.get_field_index(name)
    if index < 0:
        raise missing_columns((name,), tuple(batch.schema.names))
    column: Any = batch.column(index)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind):
        times = pl.Series(name, column).cast(pl.Datetime("us", kind.tz))
        if kind.tz is None:
            return times.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f").str.strip_suffix(".000000")
        return times.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f").str.strip_suffix(".000000") + "Z"
    readable = (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
        or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind) or pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_null(kind)
    )  # fmt: skip
    if not readable:
        raise SourceError(
            f"Column {name!r} holds {kind}, which is no single value.",
            fix="Turn it into text, a number or a date in the query or the upstream asset, or leave it out.",
            code="source.column_type",
        )
    if pa.types.is_decimal(kind):
        column = column.cast(pa.string())
    return pl.Series(name, column).cast(pl.String)


def clean_texts(texts: pl.Series) -> tuple[pl.Series, bool]:
    """Texts in NFC, trimmed, line ends as ``\\n``, null for empty; and whether any may hold a control character."""
    import polars as pl

    lowest, highest, deletes = look(texts)
    if highest >= _FIRST_OUTSIDE_NFC:
        texts = texts.str.normalize("NFC")
    if lowest < 0x20 and texts.str.contains("\r\n", literal=True).any():
        texts = texts.str.replace_all("\r\n", "\n", literal=True)
    texts = texts.str.strip_chars(WHITE_SPACE)
    if (texts == "").any():
        texts = texts.to_frame().select(pl.when(pl.col(texts.name) != "").then(texts.name)).to_series()
    # C1 controls are two bytes from 0xC2 on; they cannot be told from letters by single bytes
    return texts, lowest < 0x20 or deletes or highest >= 0xC2


def look(texts: pl.Series) -> tuple[int, int, bool]:
    """Lowest and highest byte of a column (255 and 0 without any), and whether it has a DEL."""
    import numpy as np
    import polars as pl

    data = np.frombuffer(texts.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2] or b"", dtype=np.uint8)
    if not len(data):
        return 0xFF, 0, False
    return int(data.min()), int(data.max()), bool((data == 0x7F).any())


def missing_columns(missing: tuple[str, ...], present: tuple[str, ...], where: str = "The source") -> SourceError:
    """The error of a source that lacks columns the mapping names.

    Args:
        missing: names that are not there.
        present: names that are.
        where: what has the columns.
    """
    names = ", ".join(repr(name) for name in missing)
    has = ", ".join(present[:40]) + (" …" if len(present) > 40 else "")
    return SourceError(
        f"{where} has no column {names}; it has: {has or 'none'}.",
        fix="Correct the name under `members:` in the program file, or add the column to the source.",
        code="source.column_missing",
    )
