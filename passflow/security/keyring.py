"""Master keys: the few keys an operator holds, under which every other key of the store is wrapped.

There are two roles. ``members`` opens what the master system says of people; ``packages`` opens what phones are handed.
The gateway holds ``packages`` only. A role may have several keys: the first wraps, all of them read, which is how a key
is replaced without downtime.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from passflow.errors import CryptoError
from passflow.security.encryption import KEY_BYTES, DataKey, Slot

if TYPE_CHECKING:
    from passflow.security.secrets import SecretRef

Role = Literal["members", "packages"]
ROLES: Final[tuple[Role, ...]] = ("members", "packages")
SETTING: Final[dict[Role, str]] = {"members": "PASSFLOW_MEMBERS_KEY", "packages": "PASSFLOW_PACKAGES_KEY"}


class MasterKey:
    """One master key; its ``key_id`` may be shown, the key never is.

    Args:
        raw: 32 bytes; a new random key when left out.
    """

    __slots__ = ("key", "key_id")

    def __init__(self, raw: bytes | None = None) -> None:
        self.key = DataKey(raw)
        # 64 of the hash's bits name the key; from a hash of 256 random bits nothing can be learned about them
        self.key_id = hashlib.sha256(b"passflow master key id\0" + self.key.raw).digest()[:8].hex()

    @property
    def text(self) -> str:
        """The key as Base64, to be written to a file readable by its owner."""
        return base64.b64encode(self.key.raw).decode()

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is never pickled or copied")


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key wrapped by a master key.

    Attributes:
        master_id: which master key wraps it.
        sealed: the wrapped key.
    """

    master_id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """The master keys this process holds, newest first; a role without keys cannot be used.

    Attributes:
        members: keys of the role ``members``.
        packages: keys of the role ``packages``.
    """

    members: tuple[MasterKey, ...] = ()
    packages: tuple[MasterKey, ...] = ()

    @classmethod
    def from_secrets(cls, *, members: SecretRef | None = None, packages: SecretRef | None = None) -> Keyring:
        """Reads the keys now: each secret is one or more Base64 keys of 32 bytes, newest first.

        Raises:
            SecretError: a reference cannot be read.
            CryptoError: what it holds is no list of keys.
        """
        return cls(
            members=parse_keys(members.reveal().value, "members") if members else (),
            packages=parse_keys(packages.reveal().value, "packages") if packages else (),
        )

    def holds(self, role: Role) -> bool:
        """Whether this process has a key of the role."""
        return bool(self._keys(role))

    def ids(self, role: Role) -> tuple[str, ...]:
        """Ids of the role's keys, newest first."""
        return tuple(master.key_id for master in self._keys(role))

    def newest(self, role: Role) -> MasterKey:
        """The key that wraps.

        Raises:
            CryptoError: this process holds no key of the role.
        """
        keys = self._keys(role)
        if not keys:
            raise CryptoError(
                f"This process holds no master key of the role {role!r}.",
                fix=f"Set {SETTING[role]} if this process should have it; the gateway should hold 'packages' only.",
                code="crypto.role_missing",
            )
        return keys[0]

    def wrap(self, role: Role, slot: Slot, row: bytes, key: bytes) -> Wrapped:
        """Wraps a key for the place where it will be stored.

        Raises:
            CryptoError: this process holds no key of the role.
        """
        master = self.newest(role)
        return Wrapped(master.key_id, slot.seal(master.key, row, key))

    def unwrap(self, role: Role, slot: Slot, row: bytes, wrapped: Wrapped) -> bytes:
        """The key that :meth:`wrap` was given.

        Raises:
            CryptoError: no key of the role, not the key that wrapped it, or altered bytes.
        """
        self.newest(role)
        for master in self._keys(role):
            if master.key_id == wrapped.master_id:
                return slot.open(master.key, row, wrapped.sealed)
        raise CryptoError(
            f"A key in {slot.table} is wrapped by master key {wrapped.master_id}, which this process does not hold.",
            fix=f"Add that key behind the newest one in {SETTING[role]}, and remove it only after `passflow keys rotate`.",
            code="crypto.master_unknown",
        )

    def _keys(self, role: Role) -> tuple[MasterKey, ...]:
        return self.members if role == "members" else self.packages


def parse_keys(text: str, role: Role) -> tuple[MasterKey, ...]:
    """Reads one or more Base64 keys, separated by white space or commas, newest first.

    Raises:
        CryptoError: a key is not 32 bytes of Base64, all zero, or named twice.
    """
    raws = [_decode(word, number, role) for number, word in enumerate(re.split(r"[\s,]+", text.strip()), 1)]
    if len(set(raws)) < len(raws):
        raise CryptoError(f"{SETTING[role]} names the same key twice.", fix="Keep each key once.", code="crypto.key")
    return tuple(MasterKey(raw) for raw in raws)


def refuse_shared(keyring: Keyring) -> None:
    """Refuses a key that serves both roles: the gateway's key would then open the members' records.

    Raises:
        CryptoError: the roles share a key.
    """
    if set(keyring.ids("members")) & set(keyring.ids("packages")):
        raise CryptoError(
            "PASSFLOW_MEMBERS_KEY and PASSFLOW_PACKAGES_KEY share a key.",
            fix="Make a second key with `openssl rand -base64 32`.",
            code="crypto.key_shared",
        )


def _decode(word: str, number: int, role: Role) -> bytes:
    fix = "Make one with `openssl rand -base64 32`."
    try:
        raw = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES or not any(raw):
        raise CryptoError(
            f"Key {number} in {SETTING[role]} is not {KEY_BYTES} bytes of Base64.", fix=fix, code="crypto.key"
        )
    return raw


def write_key_file(path: str | os.PathLike[str]) -> MasterKey:
    """Makes a new master key and writes it to a file that only its owner may read.

    Raises:
        FileExistsError: the file exists; an existing key is never overwritten.
    """
    master = MasterKey()
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(master.text + "\n")
    return master
