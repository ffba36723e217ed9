"""Reads JSON lines in batches of bounded memory; numbers keep their literal text.

orjson reads the lines. Only where a number is more than a small integer, the slower decoder of the standard library reads
them again, because it can leave ``12.50`` and ``1e5`` as they are.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import orjson

from passflow.errors import SourceError
from passflow.sources._formats import Wanted, row_too_long, unreadable
from passflow.sources._read import require_columns
from passflow.sources._streams import TextStream

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_BYTES: Final = 32 << 20
_LITERAL: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_TEXT: Final = {str, type(None)}
_QUICK: Final = {str, type(None), int, bool}


def read_json_lines(stream: TextStream, wanted: Wanted) -> Iterator[pa.RecordBatch]:
    """Batches of a file with one JSON object per line.

    A column is a key of the object, or a path of keys joined by dots. A key that no line has is an error, one that some
    lines lack is null there.

    Raises:
        SourceError: a line is no object, or a value is no single value.
    """
    seen: set[str] = set()
    lines: list[bytes] = []
    size = number = 0
    keys: tuple[str, ...] | None = None
    try:
        with io.BufferedReader(stream, 1 << 20) as buffered:
            while data := buffered.readline(wanted.row_bytes + 1):
                number += 1
                if len(data) > wanted.row_bytes:
                    raise row_too_long(wanted, number)
                if keys is None and not data.isspace():
                    keys = tuple(_object(data, wanted, number))
                lines.append(data)
                size += len(data)
                if len(lines) >= wanted.rows or size > _BATCH_BYTES:
                    yield _read_lines(lines, wanted, number - len(lines) + 1, seen)
                    lines, size = [], 0
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise unreadable(wanted, error, stream) from None
    if lines:
        yield _read_lines(lines, wanted, number - len(lines) + 1, seen)
    if keys is not None:
        found = {key.replace("\0", ".") for key in seen}
        require_columns(wanted.columns, tuple(sorted(found.union(keys))), wanted.name)


def read_keys(stream: TextStream, wanted: Wanted) -> tuple[str, ...]:
    """Keys of the first object of a file of JSON lines."""
    number = 0
    try:
        with io.BufferedReader(stream, 1 << 20) as buffered:
            while data := buffered.readline(wanted.row_bytes + 1):
                number += 1
                if not data.isspace():
                    return tuple(_object(data, wanted, number))
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise unreadable(wanted, error, stream) from None
    return ()


def _read_lines(lines: list[bytes], wanted: Wanted, first: int, seen: set[str]) -> pa.RecordBatch:
    """A batch of lines; what is not plain text, a small integer or a yes-or-no is read again, literally."""
    import pyarrow as pa

    numbered = [(first + index, data) for index, data in enumerate(lines) if not data.isspace()]
    try:
        rows = [orjson.loads(data) for _, data in numbered]
    except orjson.JSONDecodeError:
        rows = [_object(data, wanted, number) for number, data in numbered]
    for (number, _), row in zip(numbered, rows, strict=True):
        if type(row) is not dict:
            raise _no_object(wanted, number)
    literal: list[dict[str, Any]] = []
    columns = []
    for name in wanted.columns:
        values = _column(rows, name, seen)
        kinds = set(map(type, values))
        if not kinds <= _QUICK or (int in kinds and 0 in values and any(b"-0" in data for _, data in numbered)):
            literal = literal or [_object(data, wanted, number) for number, data in numbered]
            values = _column(literal, name, seen)
        if not kinds <= _TEXT:
            values = [_text(value, name, wanted, number) for value, (number, _) in zip(values, numbered, strict=True)]
        try:
            columns.append(pa.array(values, pa.string()))
        except UnicodeError:  # half a surrogate pair, which JSON can escape and no text can hold
            raise _no_value(name, wanted, first, "half a surrogate pair") from None
    return pa.RecordBatch.from_arrays(columns, names=list(wanted.columns))


def _column(rows: list[dict[str, Any]], name: str, seen: set[str]) -> list[Any]:
    values = [row.get(name) for row in rows]
    if name not in seen and any(name in row for row in rows):
        seen.add(name)
    if "." in name and name not in seen:
        return [_at_path(row, name.split("."), seen) for row in rows]
    return values


def _at_path(row: dict[str, Any], keys: list[str], seen: set[str]) -> Any:
    value: Any = row
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    seen.add(_path(keys))
    return value


def _path(keys: list[str]) -> str:
    return "\0".join(keys)  # apart from plain keys, so that the next batch looks the path up again


def _text(value: Any, name: str, wanted: Wanted, number: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise _no_value(name, wanted, number, "an object or a list")


def _object(data: bytes, wanted: Wanted, number: int) -> dict[str, Any]:
    text = data.decode()
    try:
        row = _LITERAL.decode(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise _no_object(wanted, number)
    return row


def _no_object(wanted: Wanted, number: int) -> SourceError:
    return SourceError(
        f"Line {number} of {wanted.name} is not a JSON object.",
        fix="Export one object per line; a file that starts with `[` is JSON, not JSON lines.",
        code="source.row_unreadable",
    )


def _no_value(name: str, wanted: Wanted, number: int, what: str) -> SourceError:
    return SourceError(
        f"Column {name!r} of {wanted.name} holds {what}, from line {number} on.",
        fix=f"Name a single value, such as `{name}.key`, or correct the export.",
        code="source.column_type",
    )
