"""Canonical texts as Python values, and as the bytes that are stored encrypted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson

from passflow.model import FieldType, Value

_READERS: Final[dict[FieldType, Callable[[str], Value]]] = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "boolean": lambda text: text == "true",
}


def decode(record: Mapping[str, str | None], fields: Mapping[str, FieldType]) -> dict[str, Value]:
    """Python values of a record's canonical texts; a field the record lacks is None.

    Args:
        record: canonical text by field, as ``map_batch`` wrote it.
        fields: type by field; what they do not name is left out.
    """
    found = ((name, kind, record.get(name)) for name, kind in fields.items())
    return {name: None if text is None else _READERS[kind](text) for name, kind, text in found}


def encode_record(row: Mapping[str, str | None]) -> bytes:
    """A record as canonical JSON: UTF-8, keys in order of code points, no white space."""
    return orjson.dumps(dict(row), option=orjson.OPT_SORT_KEYS)


def decode_record(data: bytes) -> dict[str, str | None]:
    """The record that ``encode_record`` wrote."""
    record: dict[str, str | None] = orjson.loads(data)
    return record
