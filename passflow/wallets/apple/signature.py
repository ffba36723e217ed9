"""Signs manifests with detached CMS signatures, stores them short, rebuilds and verifies them.

Apple: a PKCS #7 detached signature with the S/MIME signing time, signer and WWDR certificate embedded
(https://developer.apple.com/documentation/walletpasses/building-a-pass). With an RSA-2048 key everything but the
256-byte signature can be rebuilt from the certificate, the manifest and the signing time, so only that is stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import NewType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from passflow.errors import PackageError
from passflow.wallets.apple.certificates import Identity, SignerCertificates
from passflow.wallets.apple.cms import encode_signed_data, signature_of, signed_attributes

StoredSignature = NewType("StoredSignature", bytes)
"""RSA-2048: the raw signature of 256 bytes. Any other key: the whole CMS as DER."""

_PADDING, _HASH, _ECDSA = padding.PKCS1v15(), SHA256(), ec.ECDSA(SHA256())


def sign(identity: Identity, content: bytes, signing_time: datetime) -> StoredSignature:
    """Sign a file; the interpreter lock is free while the key works, so threads sign in parallel.

    Args:
        identity: the pass type's certificate and key.
        content: manifest.json of a pass, or a device's personalisation token.
        signing_time: aware datetime; it becomes part of the signature, in whole seconds.

    Raises:
        PackageError: when the signing time has no time zone.
    """
    attributes = _attributes(content, signing_time)
    if isinstance(identity.key, rsa.RSAPrivateKey):
        raw = identity.key.sign(attributes, _PADDING, _HASH)
    else:
        raw = identity.key.sign(attributes, _ECDSA)
    if identity.certificates.is_rsa_2048:
        return StoredSignature(raw)
    return StoredSignature(encode_signed_data(identity.certificates, attributes, raw))


def assemble_signature(
    certificates: SignerCertificates, stored: StoredSignature, content: bytes, signing_time: datetime
) -> bytes:
    """Rebuild the CMS as DER, byte for byte, from its stored form; needs no key.

    Args:
        certificates: of the identity that signed.
        stored: as `sign` gave it.
        content: what was signed.
        signing_time: as given to `sign`.

    Raises:
        PackageError: when the stored form does not have this certificate's length, or the time no zone.
    """
    if not certificates.is_rsa_2048:
        return stored
    if len(stored) != 256:
        raise PackageError(
            "The stored signature was not made with this certificate: it does not have 256 bytes.",
            fix="Sign the pass again.",
            code="package.signature",
        )
    return encode_signed_data(certificates, _attributes(content, signing_time), stored)


def verify_signature(
    certificates: SignerCertificates, stored: StoredSignature, content: bytes, signing_time: datetime
) -> None:
    """Check that the stored signature covers this content and time; about 20 microseconds with RSA-2048.

    Args:
        certificates: of the identity that signed.
        stored: as `sign` gave it.
        content: what should have been signed.
        signing_time: as given to `sign`.

    Raises:
        PackageError: when it does not (code ``package.signature``).
    """
    attributes = _attributes(content, signing_time)
    raw: bytes | None = stored if certificates.is_rsa_2048 else signature_of(certificates, attributes, stored)
    try:
        if raw is None:
            raise InvalidSignature  # noqa: TRY301 - both ways of not fitting end in the same message
        if isinstance(certificates.public_key, rsa.RSAPublicKey):
            certificates.public_key.verify(raw, attributes, _PADDING, _HASH)
        else:
            certificates.public_key.verify(raw, attributes, _ECDSA)
    except InvalidSignature:
        raise PackageError(
            f"The signature does not fit the content, the signing time or certificate {certificates.certificate_id[:12]}.",
            fix="Sign the pass again.",
            code="package.signature",
        ) from None


def _attributes(content: bytes, signing_time: datetime) -> bytes:
    if signing_time.tzinfo is None:
        raise PackageError("The signing time has no time zone.", fix="Pass an aware datetime.")
    return signed_attributes(content, signing_time)
