"""AES-256-GCM for single values, each bound to the place where it is stored.

A sealed value is ``version (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)``. Version 1 is AES-256-GCM (NIST SP 800-38D) with a
random nonce; its additional data names table, column, program and row, so that a ciphertext moved elsewhere does not open.
Random nonces are safe for 2³² values per key (SP 800-38D §8.3); passflow's keys belong to one member or one pass each.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passflow.errors import CryptoError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
OVERHEAD: Final = 1 + NONCE_BYTES + 16
"""How many bytes a sealed value is longer than its content."""

_VERSION: Final = b"\x01"


class DataKey:
    """One AES-256 key, set up once; it neither prints nor pickles.

    Args:
        raw: 32 bytes; a new random key when left out.

    Raises:
        CryptoError: not 32 bytes.
    """

    __slots__ = ("_cipher", "_raw")

    def __init__(self, raw: bytes | None = None) -> None:
        self._raw = os.urandom(KEY_BYTES) if raw is None else raw
        if len(self._raw) != KEY_BYTES:
            raise CryptoError(f"An AES-256 key has {KEY_BYTES} bytes, not {len(self._raw)}.", code="crypto.key_length")
        self._cipher = AESGCM(self._raw)

    @property
    def raw(self) -> bytes:
        """The key itself, for wrapping it under another."""
        return self._raw

    @property
    def cipher(self) -> AESGCM:
        """The primitive set up with this key."""
        return self._cipher

    def __repr__(self) -> str:
        return "DataKey()"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is never pickled or copied")


@dataclass(frozen=True, slots=True)
class Slot:
    """A column of the store in one program: where a ciphertext belongs.

    Args:
        table: table name.
        column: column name.
        program: the row's program, or "" for tables without one.
    """

    table: str
    column: str
    program: str = ""
    _prefix: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # every part is preceded by its length, so that no two places share their additional data
        parts = (part.encode() for part in (self.table, self.column, self.program))
        object.__setattr__(self, "_prefix", _VERSION + b"".join(len(part).to_bytes(2) + part for part in parts))

    def seal(self, key: DataKey, row: bytes, content: bytes) -> bytes:
        """Encrypts a value for this column of the row whose primary key within the program is ``row``."""
        nonce = os.urandom(NONCE_BYTES)
        return _VERSION + nonce + key.cipher.encrypt(nonce, content, self._prefix + row)

    def open(self, key: DataKey, row: bytes, sealed: bytes) -> bytes:
        """Decrypts what :meth:`seal` made for the same place under the same key.

        Raises:
            CryptoError: another key, another place, an unknown version, or altered bytes.
        """
        if sealed[:1] != _VERSION or len(sealed) < OVERHEAD:
            raise self._unreadable("is not in a format this passflow knows", "crypto.format")
        try:
            return key.cipher.decrypt(sealed[1:13], sealed[13:], self._prefix + row)
        except InvalidTag:
            raise self._unreadable("does not open: another key, another row, or altered bytes", "crypto.tag") from None

    def _unreadable(self, what: str, code: str) -> CryptoError:
        place = f"{self.table}.{self.column}" + (f" of program {self.program}" if self.program else "")
        return CryptoError(
            f"A value in {place} {what}.",
            fix="Check that the master keys are those this store was written with; `passflow keys status` compares them.",
            code=code,
        )
