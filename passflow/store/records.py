"""Member records at rest: sealed with the member's own key, for their place in ``pass_records``.

An operation carries the record sealed for that place already, so that applying it copies bytes and decrypts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson

from passflow.security.encryption import DataKey, Slot

Record = Mapping[str, str | None]
"""Mapped member fields as canonical text."""


@lru_cache(maxsize=256)
def _slot(program: str, column: str) -> Slot:
    return Slot("pass_records", column, program)


def seal_record(program: str, id_hash: bytes, key: DataKey, record: bytes) -> bytes:
    """Encrypts a record (canonical JSON)."""
    return _slot(program, "record_sealed").seal(key, id_hash, record)


def open_record(program: str, id_hash: bytes, key: DataKey, sealed: bytes) -> Record:
    """Decrypts a record.

    Raises:
        CryptoError: another member's, another key's, or altered.
    """
    record: Record = orjson.loads(_slot(program, "record_sealed").open(key, id_hash, sealed))
    return record


def seal_overlay(program: str, id_hash: bytes, key: DataKey, overlay: Record) -> bytes:
    """Encrypts what flows and links have set."""
    return _slot(program, "overlay_sealed").seal(key, id_hash, orjson.dumps(overlay, option=orjson.OPT_SORT_KEYS))


def open_overlay(program: str, id_hash: bytes, key: DataKey, sealed: bytes | None) -> Record:
    """Decrypts an overlay; empty where nothing was set.

    Raises:
        CryptoError: another member's, another key's, or altered.
    """
    if sealed is None:
        return {}
    overlay: Record = orjson.loads(_slot(program, "overlay_sealed").open(key, id_hash, sealed))
    return overlay
