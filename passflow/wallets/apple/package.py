"""Builds, signs and rebuilds the archive of one pass (``.pkpass``).

An archive is: shared files, personal files, pass.json, manifest.json, signature. All but the last four are constant for a
template, so a pass costs little more than its signature. Given the same parts, the bytes are the same for ever: `FORMAT` is
stored with each signed pass, and a later layout gets a new number beside the old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from passflow.errors import PackageError
from passflow.wallets.apple.archive import encode_entries, join_entries
from passflow.wallets.apple.assets import AssetSet, check_paths, manifest_entries
from passflow.wallets.apple.certificates import Identity, SignerCertificates
from passflow.wallets.apple.signature import StoredSignature, assemble_signature, sign, verify_signature

FORMAT = 1
MEDIA_TYPE = "application/vnd.apple.pkpass"
_NO_FILES: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class SignedPackage:
    """What must be stored to hand out one signed pass again, byte for byte; files are stored beside it.

    Attributes:
        pass_json: as signed (personal data: store it encrypted).
        signature: its stored form.
        signing_time: aware datetime in whole seconds.
        certificate_id: of the identity that signed.
        asset_set: hash of the shared files.
        manifest_hash: SHA-256 of manifest.json, 32 bytes.
        format: layout of the archive.
    """

    pass_json: bytes = field(repr=False)
    signature: StoredSignature = field(repr=False)
    signing_time: datetime
    certificate_id: str
    asset_set: str
    manifest_hash: bytes
    format: int = FORMAT


def build_manifest(assets: AssetSet, pass_json: bytes, personal: Mapping[str, bytes] = _NO_FILES) -> bytes:
    """Write manifest.json: the SHA-1 of every file but itself and the signature.

    Args:
        assets: the template's shared files.
        pass_json: the pass, as UTF-8 JSON.
        personal: content by path of files of this pass alone.

    Raises:
        PackageError: when a personal file's path is not allowed or taken.
    """
    own = manifest_entries(_personal_files(assets, personal)) if personal else b""
    digest = hashlib.sha1(pass_json, usedforsecurity=False).hexdigest().encode()
    return b'{%s%s"pass.json":"%s"}' % (assets.manifest_entries, own, digest)


def assemble_package(
    assets: AssetSet,
    pass_json: bytes,
    manifest: bytes,
    signature: bytes,
    personal: Mapping[str, bytes] = _NO_FILES,
) -> bytes:
    """Write the archive.

    Args:
        assets: the template's shared files.
        pass_json: as in the manifest.
        manifest: as `build_manifest` wrote it.
        signature: the CMS as DER.
        personal: as given to `build_manifest`.

    Raises:
        PackageError: when a personal file's path is not allowed or taken, or the archive too large.
    """
    own = _personal_files(assets, personal) if personal else []
    last = [*own, ("pass.json", pass_json), ("manifest.json", manifest), ("signature", signature)]
    return join_entries(assets.entries, encode_entries(last, offset=len(assets.entries.data)))


def sign_package(
    identity: Identity,
    assets: AssetSet,
    pass_json: bytes,
    signing_time: datetime,
    personal: Mapping[str, bytes] = _NO_FILES,
) -> SignedPackage:
    """Sign one pass and return what must be stored of it.

    Args:
        identity: the pass type's certificate and key; the caller has checked its dates for this run.
        assets: the template's shared files.
        pass_json: the pass, as UTF-8 JSON.
        signing_time: aware datetime; fractions of a second are dropped.
        personal: content by path of files of this pass alone.

    Raises:
        PackageError: when a personal file's path is not allowed or taken.
    """
    moment = signing_time.replace(microsecond=0)
    manifest = build_manifest(assets, pass_json, personal)
    return SignedPackage(
        pass_json=pass_json,
        signature=sign(identity, manifest, moment),
        signing_time=moment,
        certificate_id=identity.certificate_id,
        asset_set=assets.hash,
        manifest_hash=hashlib.sha256(manifest).digest(),
    )


def rebuild_package(
    signed: SignedPackage,
    certificates: SignerCertificates,
    assets: AssetSet,
    personal: Mapping[str, bytes] = _NO_FILES,
) -> bytes:
    """Rebuild the archive from stored parts and verify its signature; needs no key.

    Args:
        signed: as stored.
        certificates: those with the stored certificate id.
        assets: those with the stored hash.
        personal: as given to `sign_package`.

    Raises:
        PackageError: when the parts do not belong together, were changed, or have an unknown format.
    """
    if signed.format != FORMAT:
        raise PackageError(
            f"The pass is stored in package format {signed.format}; this passflow knows {FORMAT}.",
            fix="Install the passflow that signed it, or a newer one.",
            code="package.format",
        )
    if signed.certificate_id != certificates.certificate_id or signed.asset_set != assets.hash:
        raise PackageError(
            "The certificate or the shared files are not those that the pass was signed with.",
            fix="Load them by the stored ids, or sign the pass again.",
            code="package.parts",
        )
    manifest = build_manifest(assets, signed.pass_json, personal)
    if hashlib.sha256(manifest).digest() != signed.manifest_hash:
        raise PackageError(
            "pass.json or a personal file is not the one that was signed.",
            fix="Sign the pass again.",
            code="package.parts",
        )
    verify_signature(certificates, signed.signature, manifest, signed.signing_time)
    der = assemble_signature(certificates, signed.signature, manifest, signed.signing_time)
    return assemble_package(assets, signed.pass_json, manifest, der, personal)


def _personal_files(assets: AssetSet, personal: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    check_paths(personal, assets.paths)
    return sorted(personal.items())
