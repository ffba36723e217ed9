"""Keys kept in the store, each wrapped by a master key: those of the store, of its members and of its packages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from passflow.errors import CryptoError
from passflow.security.encryption import KEY_BYTES, DataKey, Slot
from passflow.security.keyring import Keyring, Role, Wrapped
from passflow.store.engine import Store
from passflow.store.statements import chunks, insert_new, is_in
from passflow.store.tables import member_keys, passes, store_keys

STORE_KEYS: Final[dict[str, Role]] = {
    "hash": "members",  # keyed hashes of external ids and URLs
    "fingerprint": "members",
    "token": "members",  # authentication tokens of Apple passes
    "device": "packages",  # keyed hashes of device library identifiers and push tokens
    "push_token": "packages",  # AES key of push tokens
    "inbox": "packages",  # AES key of what the gateway took in
}
"""Every random key of a store, with the master key that wraps it."""

_STORE_SLOT: Final = Slot("store_keys", "wrapped_sealed")


def create_store_keys(store: Store) -> None:
    """Makes the store keys that are missing, for the roles this process holds; safe to run at once from anywhere.

    Raises:
        CryptoError: keys are missing from a store that already has passes; new ones would orphan every row.
    """
    with store.begin() as conn:
        present = set(conn.execute(select(store_keys.c.name)).scalars())
        missing = [name for name, role in STORE_KEYS.items() if name not in present and store.keyring.holds(role)]
        if not missing:
            return
        if "hash" in missing and conn.execute(select(passes.c.serial).limit(1)).first():
            raise CryptoError(
                "The store has passes but its key 'hash' is gone.",
                fix="Restore the table store_keys from a backup; new keys would orphan every pass.",
                code="crypto.store_key_lost",
            )
        rows = []
        for name in missing:
            wrapped = store.keyring.wrap(STORE_KEYS[name], _STORE_SLOT, name.encode(), os.urandom(KEY_BYTES))
            rows.append(
                {
                    "name": name,
                    "master": STORE_KEYS[name],
                    "master_id": wrapped.master_id,
                    "wrapped_sealed": wrapped.sealed,
                }
            )
        insert_new(conn, store_keys, rows)


def store_key(store: Store, name: str) -> bytes:
    """One of the store's own random keys, 32 bytes; opened once per process.

    Args:
        store: the store.
        name: a key of ``STORE_KEYS``.

    Raises:
        CryptoError: this process does not hold the role's master key, or the store has no such key yet.
    """
    if name not in store.opened_keys:
        store.keyring.newest(STORE_KEYS[name])
        with store.read(snapshot=False) as conn:
            row = conn.execute(select(store_keys).where(store_keys.c.name == name)).one_or_none()
        if row is None:
            raise CryptoError(
                f"The store has no key {name!r} yet.", fix="Run `passflow init`.", code="crypto.store_key_missing"
            )
        wrapped = Wrapped(row.master_id, row.wrapped_sealed)
        store.opened_keys[name] = store.keyring.unwrap(STORE_KEYS[name], _STORE_SLOT, name.encode(), wrapped)
    return store.opened_keys[name]


def new_keys(keyring: Keyring, program: str, id_hashes: Iterable[bytes]) -> tuple[dict[bytes, DataKey], list[Any]]:
    """Random keys for new members, and the rows of ``member_keys`` that hold them wrapped.

    Raises:
        CryptoError: this process does not hold the master key ``members``.
    """
    slot = Slot("member_keys", "wrapped_sealed", program)
    keys: dict[bytes, DataKey] = {}
    rows = []
    for id_hash in id_hashes:
        keys[id_hash] = key = DataKey()
        wrapped = keyring.wrap("members", slot, id_hash, key.raw)
        rows.append(
            {"program": program, "id_hash": id_hash, "master_id": wrapped.master_id, "wrapped_sealed": wrapped.sealed}
        )
    return keys, rows


def load_keys(store: Store, conn: Connection, program: str, id_hashes: Sequence[bytes]) -> dict[bytes, DataKey]:
    """The keys of these members; a member without one (new, or erased) is missing from the answer.

    Raises:
        CryptoError: the master key is not held, or a row was altered.
    """
    slot = Slot("member_keys", "wrapped_sealed", program)
    table = member_keys.c
    found: dict[bytes, DataKey] = {}
    for part in chunks(id_hashes):
        query = select(table.id_hash, table.master_id, table.wrapped_sealed).where(
            table.program == program, is_in(conn, table.id_hash, part)
        )
        for id_hash, master_id, sealed in conn.execute(query):
            wrapped = Wrapped(master_id, bytes(sealed))
            found[bytes(id_hash)] = DataKey(store.keyring.unwrap("members", slot, bytes(id_hash), wrapped))
    return found


def package_row(serial: str, wallet: str) -> bytes:
    """What binds a package key, and everything sealed with it, to its row of ``wallet_states``."""
    return f"{serial}\0{wallet}".encode()


def new_package_key(keyring: Keyring, program: str, serial: str, wallet: str) -> tuple[DataKey, Wrapped]:
    """A random key for one pass in one wallet, and its wrapped form for ``key_master_id`` and ``key_sealed``.

    Raises:
        CryptoError: this process does not hold the master key ``packages``.
    """
    key = DataKey()
    slot = Slot("wallet_states", "key_sealed", program)
    return key, keyring.wrap("packages", slot, package_row(serial, wallet), key.raw)


def open_package_key(keyring: Keyring, program: str, serial: str, wallet: str, wrapped: Wrapped) -> DataKey:
    """The key that :func:`new_package_key` made.

    Raises:
        CryptoError: the master key is not held, or the row was altered.
    """
    slot = Slot("wallet_states", "key_sealed", program)
    return DataKey(keyring.unwrap("packages", slot, package_row(serial, wallet), wrapped))


def new_plan_key(keyring: Keyring, program: str, plan_id: str) -> tuple[DataKey, Wrapped]:
    """A random key for a plan's refused rows, and its wrapped form for ``plans.key_master_id`` and ``key_sealed``.

    Raises:
        CryptoError: this process does not hold the master key ``members``.
    """
    key = DataKey()
    return key, keyring.wrap("members", Slot("plans", "key_sealed", program), plan_id.encode(), key.raw)


def open_plan_key(keyring: Keyring, program: str, plan_id: str, wrapped: Wrapped) -> DataKey:
    """The key that :func:`new_plan_key` made.

    Raises:
        CryptoError: the master key is not held, or the row was altered.
    """
    slot = Slot("plans", "key_sealed", program)
    return DataKey(keyring.unwrap("members", slot, plan_id.encode(), wrapped))


def authentication_token(store: Store, serial: str) -> str:
    """A pass's ``authenticationToken``: 43 URL-safe characters that never change for its serial number.

    Apple asks for at least 16 characters, and for the same token in every update.

    Raises:
        CryptoError: this process does not hold the master key ``members``.
    """
    digest = hmac.digest(store_key(store, "token"), serial.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """SHA-256 of an authentication token: all that the gateway knows of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
