"""Reads one batch of a source by a mapping: clean, translate, parse, check, set refused rows aside.

Every step works on whole columns. Rows are looked at one by one only where a step found something to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from passflow.errors import SourceError
from passflow.model import FieldType, Rejection
from passflow.sync.dates import read_dates, read_times
from passflow.sync.fields import MemberField
from passflow.sync.numbers import read_booleans, read_decimals, read_integers, scale_minor
from passflow.sync.records import encode_record
from passflow.sync.texts import CONTROL, CONTROL_IN_ID, clean_texts, missing_columns, read_texts

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from passflow.sync.mapping import Identify, Mapped, MemberMapping

RECORD_CHARACTERS: Final = 10_000
"""Of each value of a refused row that are kept; a cell of megabytes would fill the store."""

_UNREADABLE: Final[dict[FieldType, str]] = {
    "integer": "number.unreadable",
    "decimal": "number.unreadable",
    "date": "date.unreadable",
    "datetime": "date.unreadable",
    "boolean": "boolean.unreadable",
}


@dataclass(slots=True)
class _Batch:
    """A batch on its way: raw and clean columns, parsed fields, and what was found wrong in which rows."""

    height: int
    raw: dict[str, pl.Series]
    clean: dict[str, tuple[pl.Series, bool]]
    values: dict[str, pl.Series] = field(default_factory=dict)
    wrong: list[tuple[str, str, pl.Series]] = field(default_factory=list)

    def refuse(self, name: str, code: str, rows: pl.Series) -> None:
        if rows.any():
            self.wrong.append((name, code, rows.fill_null(False)))


def read_batch(mapping: MemberMapping, batch: pa.RecordBatch, first_row: int, identify: Identify | None) -> Mapped:
    """Does the work of ``MemberMapping.map_batch``."""
    import polars as pl

    from passflow.sync.mapping import Mapped

    _check_columns(mapping, batch)
    raw = {name: read_texts(batch, name) for name in mapping.columns}
    work = _Batch(batch.num_rows, raw, {name: clean_texts(texts) for name, texts in raw.items()})
    kinds = mapping.fields
    for name in sorted(kinds, key=lambda name: name == "balance"):  # `unit: minor` needs the currency first
        _read_field(work, name, mapping.by_name[name], kinds[name])
    for name, spec in mapping.by_name.items():
        if spec.unit == "minor":
            _scale(work, name)
    if "display_name" in work.values:
        work.values["display_name"] = _display_names(work.values)
    ids = work.values["external_id"]
    frame = pl.DataFrame([work.values[name].alias(name) for name in kinds])
    rows = pl.int_range(first_row, first_row + work.height, dtype=pl.UInt64, eager=True).alias("row")
    frame.insert_column(0, rows)
    if identify is not None:
        frame.insert_column(1, identify(ids).alias("id_hash"))
    if not work.wrong:
        return Mapped(frame, [])
    refused = pl.Series("refused", [False] * work.height)
    for _, _, found in work.wrong:
        refused = refused | found
    return Mapped(frame.filter(~refused), _rejections(work, frame, list(kinds), refused))


def _check_columns(mapping: MemberMapping, batch: pa.RecordBatch) -> None:
    import pyarrow as pa

    present = tuple(batch.schema.names)
    if missing := tuple(name for name in mapping.columns if name not in present):
        raise missing_columns(missing, present)
    column = mapping.external_id.column
    if column is not None and pa.types.is_floating(batch.schema.field(column).type):
        raise SourceError(
            f"The external id column {column!r} holds floating-point numbers, which change long ids.",
            fix="Give ids as text or whole numbers (pandas: dtype='string' or 'Int64').",
            code="source.column_type",
        )


def _read_field(work: _Batch, name: str, spec: MemberField, kind: FieldType) -> None:
    """Translates, parses and checks one field of the whole batch."""
    import polars as pl

    if spec.column is None:
        texts, suspicious = pl.Series(name, [spec.value], dtype=pl.String).new_from_index(0, work.height), False
    else:
        texts, suspicious = work.clean[spec.column]
    if name == "external_id":
        work.refuse(name, "id.missing", texts.is_null())
    if suspicious:
        work.refuse(
            name, "value.control_character", texts.str.contains(CONTROL_IN_ID if name == "external_id" else CONTROL)
        )
    texts = texts.alias(name)
    if spec.table is not None:
        unknown = texts if spec.unknown == "keep" else pl.lit(None, dtype=pl.String)
        translated = texts.replace_strict(spec.table, default=unknown, return_dtype=pl.String)
        work.refuse(name, "value.unknown", texts.is_not_null() & translated.is_null())
        texts = translated
    if kind == "text":
        values = _read_text(work, name, spec, texts)
    else:
        values = _parse(texts, spec, kind)
        work.refuse(name, _UNREADABLE[kind], texts.is_not_null() & values.is_null())
    work.values[name] = values


def _parse(texts: pl.Series, spec: MemberField, kind: FieldType) -> pl.Series:
    if kind == "integer":
        return read_integers(texts, thousands=spec.thousands)
    if kind == "decimal":
        return read_decimals(texts, thousands=spec.thousands, mark=spec.decimal_mark)
    if kind == "boolean":
        return read_booleans(texts)
    unit = spec.unit if spec.unit != "minor" else None
    read = read_dates if kind == "date" else read_times
    return read(texts, formats=spec.formats, unit=unit, zone=spec.time_zone)


def _read_text(work: _Batch, name: str, spec: MemberField, texts: pl.Series) -> pl.Series:
    """Text in the form its field asks for; the common form of currencies, locales and phone numbers."""
    longest = spec.longest(name)
    if (texts.str.len_bytes().max() or 0) > longest:  # type: ignore[operator]  # a length is a number
        work.refuse(name, "id.too_long" if name == "external_id" else "value.too_long", texts.str.len_chars() > longest)
    if name == "currency":
        values = texts.str.to_uppercase()
        work.refuse(name, "currency.unreadable", ~values.str.contains(r"^[A-Z]{3}$"))
        return values
    if name == "locale":
        values = texts.str.replace_all("_", "-", literal=True)
        work.refuse(name, "locale.unreadable", ~values.str.contains(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"))
        return values
    if name == "phone" and spec.calling_code is not None:
        values = _international(texts, spec.calling_code, spec.trunk_prefix)
        work.refuse(name, "phone.unreadable", texts.is_not_null() & values.is_null())
        return values
    return texts


def _international(texts: pl.Series, calling_code: str, trunk_prefix: str | None) -> pl.Series:
    """Phone numbers as E.164 (ITU-T E.164 §6: at most 15 digits)."""
    import polars as pl

    name = texts.name
    digits = pl.col(name).str.replace_all(r"[ \-./()\u{a0}\u{2011}]", "").str.replace(r"^00", "+")
    national = pl.lit(calling_code) + (digits.str.strip_prefix(trunk_prefix) if trunk_prefix else digits)
    number = pl.when(digits.str.starts_with("+")).then(digits).otherwise(national).alias(name)
    frame = texts.to_frame().select(number)
    return frame.select(pl.when(pl.col(name).str.contains(r"^\+[1-9][0-9]{6,14}$")).then(name)).to_series()


def _scale(work: _Batch, name: str) -> None:
    amounts, currencies = work.values[name], work.values["currency"]
    scaled = scale_minor(amounts, currencies)
    given = amounts.is_not_null()
    work.refuse(name, "currency.missing", given & currencies.is_null())
    work.refuse(name, "number.unreadable", given & currencies.is_not_null() & scaled.is_null())
    work.values[name] = scaled


def _display_names(values: dict[str, pl.Series]) -> pl.Series:
    import polars as pl

    parts = [values[name] for name in ("given_name", "family_name") if name in values]
    if not parts:
        return values["display_name"]
    joined = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    known = pl.any_horizontal([part.is_not_null() for part in parts])
    return pl.select(pl.coalesce(values["display_name"], pl.when(known).then(joined))).to_series()


def _rejections(work: _Batch, frame: pl.DataFrame, fields: list[str], refused: pl.Series) -> list[Rejection]:
    """One rejection per refused row, by the first of its fields that is wrong."""
    order = sorted(work.wrong, key=lambda found: fields.index(found[0]))
    first: dict[int, tuple[str, str]] = {}
    for name, code, found in order:
        for index in found.arg_true().to_list():
            first.setdefault(index, (name, code))
    columns = {name: texts.filter(refused).to_list() for name, texts in work.raw.items()}
    rows = frame.filter(refused)
    hashes = rows["id_hash"].to_list() if "id_hash" in rows.columns else [None] * rows.height
    return [
        Rejection(
            row=row,
            code=first[index][1],
            field=first[index][0],
            # an id that is itself broken tells nobody's row: its member must not look deleted
            id_hash=None if first[index][0] == "external_id" else hashes[place],
            record=encode_record({name: _short(texts[place]) for name, texts in columns.items()}),
        )
        for place, (index, row) in enumerate(zip(refused.arg_true().to_list(), rows["row"].to_list(), strict=True))
    ]


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= RECORD_CHARACTERS else text[:RECORD_CHARACTERS] + "…"
