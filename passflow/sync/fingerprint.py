"""Keyed hashes: who a row is about (id hash) and whether anything of it changed (fingerprint).

Both are computed a whole column at a time, are the same on every machine and version, and say nothing to whoever lacks
the store's key. What is hashed:

- fingerprint: BLAKE3 of ``scope 1F value 1F value …``, the first 16 bytes. The values stand in the order of the fields'
  names; a null is the byte 00, and bytes 00, 1B and 1F inside a value are escaped, so that no two records share a text.
  The scope is secret and the same for all members: the first 32 hex digits of the HMAC-SHA256, under the store's key, of
  ``01 context 1F name 1F name …`` with the context in hex. So the text of a row is hardly longer than its values.
- id hash: 8 bytes of HMAC-SHA256 of ``fold 00 program 00 case-folded id``, then 8 bytes of HMAC-SHA256 of
  ``exact 00 program 00 id``. Ids that differ only in case share their first half, and so their shard. HMAC-SHA256 is in
  Python's standard library: the gateway hashes one id without loading a data frame library.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from passflow.errors import CryptoError
from passflow.sync.texts import WHITE_SPACE, look

if TYPE_CHECKING:
    import polars as pl

FP_VERSION: Final = "\x01"
"""Changes with the canonical text; every pass is then planned as changed once, without a new revision."""

KEY_BYTES: Final = 32
_END: Final = "\x1f"
_NULL: Final = "\x00"
_ESCAPES: Final = (("\x1b", "\x1b["), ("\x1f", "\x1b]"), ("\x00", "\x1b@"))


def fingerprints(frame: pl.DataFrame, fields: Iterable[str], key: bytes, context: bytes) -> pl.Series:
    """One fingerprint per row, 16 bytes each.

    Args:
        frame: Utf8 columns of canonical text, null for nothing.
        fields: the columns that count, in any order.
        key: 32 random bytes of this store.
        context: what else a pass's content depends on: the template's revision.
    """
    import polars as pl
    import polars_hash as plh

    names = sorted(fields)
    parts = [pl.lit(_scope(key, context, names))]
    for name in names:
        column = pl.col(name)
        if look(frame[name])[0] < 0x20:  # one look at the bytes spares three searches
            for character, escape in _ESCAPES:
                column = column.str.replace_all(character, escape, literal=True)
        parts.append(column.fill_null(_NULL))
    text = plh.concat_str(parts, separator=_END)
    return frame.select(text.chash.blake3().str.head(32).str.decode("hex").alias("fingerprint")).to_series()


def _scope(key: bytes, context: bytes, names: Iterable[str]) -> str:
    _check(key)
    text = FP_VERSION + _END.join((context.hex(), *names))
    return hmac.digest(key, text.encode(), "sha256").hex()[:32]


def id_hashes(ids: pl.Series, key: bytes, program: str) -> pl.Series:
    """The id hash of every external id, 16 bytes each; null for null.

    Args:
        ids: Utf8, NFC and trimmed, as ``map_batch`` gives them.
        key: 32 random bytes of this store.
        program: name of the program; the same id has another hash in another program.
    """
    import polars as pl
    import polars_hash as plh

    folded = ids.str.to_lowercase()
    if look(ids)[1] > 0x7F:  # full case folding knows more than lower case: ß and ss, σ and ς
        folded = pl.Series([text if text is None else text.casefold() for text in ids], dtype=pl.String)
    frame = pl.DataFrame({"fold": folded, "exact": ids})
    halves = [
        plh.concat_str(pl.lit(f"{half}\0{program}\0"), half).chash.hmac_sha256(key=_hex(key)).str.head(16)
        for half in ("fold", "exact")
    ]
    return frame.select(pl.concat_str(halves).str.decode("hex").alias("id_hash")).to_series()


def id_hash(external_id: str, key: bytes, program: str) -> bytes:
    """The id hash of one external id, which is brought into NFC and trimmed first; agrees with ``id_hashes``."""
    text = normalise_id(external_id)
    secret = _hex(key).encode()
    fold = hmac.digest(secret, f"fold\0{program}\0{text.casefold()}".encode(), "sha256")
    exact = hmac.digest(secret, f"exact\0{program}\0{text}".encode(), "sha256")
    return fold[:8] + exact[:8]


def normalise_id(external_id: str) -> str:
    """An external id in its one spelling: NFC, without white space around it; case counts."""
    return unicodedata.normalize("NFC", external_id).replace("\r\n", "\n").strip(WHITE_SPACE)


def shard_ranges(shards: int) -> list[tuple[str, int, int]]:
    """The shards of a program as (partition key, low, high): ranges of the first byte of the id hash, high excluded.

    Raises:
        ValueError: ``shards`` is not a power of two from 1 to 256.
    """
    if shards not in {1 << power for power in range(9)}:
        raise ValueError(f"shards must be a power of two from 1 to 256, not {shards}")
    width = 256 // shards
    return [(f"{index:03d}", index * width, (index + 1) * width) for index in range(shards)]


def _hex(key: bytes) -> str:
    _check(key)
    return key.hex()


def _check(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise CryptoError(f"A hash key has {len(key)} bytes instead of {KEY_BYTES}.")
