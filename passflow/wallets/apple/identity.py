"""Loads a signing identity from PEM or PKCS#12 and checks that its parts belong together."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from passflow.errors import CertificateError
from passflow.wallets.apple.certificates import (
    Identity,
    SignerCertificates,
    SigningKey,
    check_chain,
    shipped_intermediate,
)

_parsed: dict[bytes, tuple[SignerCertificates, SigningKey]] = {}
_lock = threading.Lock()


def load_identity(
    certificate: bytes,
    key: bytes | None = None,
    *,
    pass_type_identifier: str,
    team_identifier: str,
    now: datetime,
    passphrase: bytes | None = None,
    intermediate: bytes | None = None,
    allow_missing_extension: bool = False,
) -> Identity:
    """Load and check the certificate and key that sign one pass type.

    Parsing (an RSA key takes 36 ms) happens once per process and material; the checks run on every call.

    Args:
        certificate: PEM of the Pass Type ID certificate, or PKCS#12 bytes that hold certificate and key.
        key: PEM of the private key; None with PKCS#12, or when `certificate` holds both PEM blocks.
        pass_type_identifier: what pass.json says; must equal the certificate's subject UID.
        team_identifier: what pass.json says; must equal the certificate's subject OU.
        now: aware datetime; an expired or not yet valid certificate is refused.
        passphrase: of the key or the PKCS#12 container.
        intermediate: PEM or DER; None takes Apple's WWDR G4, which is shipped.
        allow_missing_extension: accept a certificate without extension 1.2.840.113635.100.6.1.16, as a private test
            authority may issue; every Pass Type ID certificate of Apple's has it.

    Raises:
        CertificateError: when a part cannot be read, or does not fit the others, the pass type, the team or the date.
    """
    certificates, private = _parse(certificate, key, passphrase, intermediate or shipped_intermediate())
    check_chain(certificates)
    identity = Identity(certificates, pass_type_identifier, team_identifier, private)
    _check_names(identity, allow_missing_extension=allow_missing_extension)
    identity.check_dates(now)
    return identity


def _check_names(identity: Identity, *, allow_missing_extension: bool) -> None:
    facts = identity.certificates.facts
    for name, expected, found in (
        ("pass type identifier (subject UID)", identity.pass_type_identifier, facts.pass_type_identifier),
        ("team identifier (subject OU)", identity.team_identifier, facts.team_identifier),
    ):
        if found != expected:
            raise CertificateError(
                f"The certificate's {name} is {found!r}, the program says {expected!r}.",
                fix="Use the certificate of this pass type and team, or correct the program file.",
                code="certificate.mismatch",
            )
    if facts.extension is None and allow_missing_extension:
        return
    if facts.extension != identity.pass_type_identifier:
        raise CertificateError(
            f"Extension 1.2.840.113635.100.6.1.16 of the certificate says {facts.extension!r}, not "
            f"{identity.pass_type_identifier!r}: Wallet refuses such passes.",
            fix="Make a new certificate for the pass type at developer.apple.com and leave its name field empty.",
            code="certificate.extension",
        )


def _parse(
    certificate: bytes, key: bytes | None, passphrase: bytes | None, intermediate: bytes
) -> tuple[SignerCertificates, SigningKey]:
    # the cache key is a digest, so that no second copy of the key or passphrase stays in memory
    digest = hashlib.sha256()
    for part in (certificate, key or b"", passphrase or b"", intermediate):
        digest.update(len(part).to_bytes(8, "big") + part)
    with _lock:
        found = _parsed.get(digest.digest())
        if found is None:
            found = _parsed[digest.digest()] = _read(certificate, key, passphrase, intermediate)
        return found


def _read(
    certificate: bytes, key: bytes | None, passphrase: bytes | None, intermediate: bytes
) -> tuple[SignerCertificates, SigningKey]:
    if b"-----BEGIN" in certificate:
        leaf, private = _read_certificate(certificate, "pass certificate"), _read_key(key or certificate, passphrase)
    else:
        leaf, private = _read_pkcs12(certificate, passphrase)
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise CertificateError("The key is neither RSA nor EC.", fix="Make an RSA-2048 key and a certificate for it.")
    if leaf.public_key() != private.public_key():
        raise CertificateError(
            "The private key does not belong to the pass certificate.",
            fix="Use the key from which this certificate's signing request was made.",
            code="certificate.key_mismatch",
        )
    parent = _read_certificate(intermediate, "intermediate certificate").public_bytes(Encoding.DER)
    return SignerCertificates(leaf.public_bytes(Encoding.DER), (parent,)), private


def _read_certificate(data: bytes, name: str) -> x509.Certificate:
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except (ValueError, x509.InvalidVersion):
        raise CertificateError(f"The {name} cannot be read.", fix="Give it as PEM or DER (.cer).") from None


def _read_key(data: bytes, passphrase: bytes | None) -> object:
    # the parser's own words are dropped: they may quote the material
    try:
        return load_pem_private_key(data, passphrase)
    except TypeError:
        what = (
            "is encrypted, and no passphrase is set"
            if passphrase is None
            else "is not encrypted, but a passphrase is set"
        )
        raise CertificateError(f"The private key {what}.", fix="Correct the passphrase setting.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(
            "The private key cannot be read.", fix="Give it as PEM (PKCS#8 or PKCS#1) with the right passphrase."
        ) from None


def _read_pkcs12(data: bytes, passphrase: bytes | None) -> tuple[x509.Certificate, object]:
    try:
        private, leaf, _ = pkcs12.load_key_and_certificates(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError(
            "The certificate is neither PEM nor a PKCS#12 file that opens with the passphrase.",
            fix="Export certificate and key together from Keychain Access as .p12, or give two PEM files.",
        ) from None
    if private is None or leaf is None:
        raise CertificateError(
            "The PKCS#12 file lacks the certificate or the key.", fix="Export both entries together as .p12."
        )
    return leaf, private
