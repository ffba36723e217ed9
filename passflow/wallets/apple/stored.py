"""A signed pass out of the store, put together again as it was signed; needs no signing key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from passflow.errors import PackageError
from passflow.security.keyring import Keyring
from passflow.store.assets import load_set
from passflow.store.certificates import load_certificate
from passflow.store.wallet_states import open_state, read_state
from passflow.wallets.apple.assets import AssetSet
from passflow.wallets.apple.certificates import SignerCertificates
from passflow.wallets.apple.package import SignedPackage, rebuild_package
from passflow.wallets.apple.personal import packaged
from passflow.wallets.apple.signature import StoredSignature


def read_package(conn: Connection, keyring: Keyring, serial: str) -> bytes:
    """The archive of a pass, byte for byte what was signed; its signature is verified on the way.

    Raises:
        PackageError: the pass is not signed yet, or its parts do not belong together.
        CryptoError: this process does not hold the master key ``packages``.
        StoreError: its files or its certificate are not kept.
    """
    state = read_state(conn, serial, "apple")
    if state is None or state["signature"] is None:
        raise PackageError(
            f"Pass {serial} is not signed yet.", fix="Run `passflow apply`, then try again.", code="package.unsigned"
        )
    _, content, personal = open_state(keyring, state)
    kept = load_certificate(conn, state["certificate_id"])
    return rebuild_package(
        _signed(state, content or b""),
        SignerCertificates.from_chain(kept.leaf, kept.chain),
        AssetSet.of(load_set(conn, state["asset_set"])),
        packaged(personal),
    )


def _signed(state: Mapping[str, Any], content: bytes) -> SignedPackage:
    return SignedPackage(
        pass_json=content,
        signature=StoredSignature(bytes(state["signature"])),
        signing_time=datetime.fromtimestamp(state["signed_at"], UTC),
        certificate_id=state["certificate_id"],
        asset_set=state["asset_set"],
        manifest_hash=bytes(state["manifest_hash"]),
        format=state["package_format"],
    )
