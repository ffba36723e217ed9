"""Checks the signature file of any pass: form, digest, signature, chain, names and dates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from passflow.wallets.apple.certificates import shipped_intermediate
from passflow.wallets.apple.findings import Finding, error, info, warning
from passflow.wallets.apple.leaf import leaf_facts
from passflow.wallets.apple.signed_data import SignedData, read_signed_data
from passflow.wallets.apple.trust import UNREADABLE, build_chain, is_trusted, parse_certificates

_WHERE = "signature"
_AGAIN = "Sign the pass again."
_FIRST_WALLET = datetime(2012, 6, 1, tzinfo=UTC)
_DIGESTS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def check_signature(
    der: bytes, manifest: bytes, document: Mapping[str, object], roots: Sequence[bytes] | None, now: datetime
) -> Iterator[Finding]:
    """Check the signature of a pass.

    Args:
        der: the file ``signature``.
        manifest: the file ``manifest.json``.
        document: pass.json, empty when it could not be read.
        roots: DER of trusted certificates; None trusts Apple's WWDR G4; empty checks no trust.
        now: aware datetime.
    """
    try:
        signed = read_signed_data(der)
    except ValueError:
        message = "It is not a PKCS #7 / CMS signature in DER."
        yield error("signature.unreadable", _WHERE, message, "Write DER, not PEM or S/MIME text, and sign again.")
        return
    yield from _check_form(signed, now)
    yield from _check_digest(signed, manifest)
    embedded = list(parse_certificates(signed.certificates))
    leaf = next(parse_certificates([signed.signer] if signed.signer else []), None)
    if leaf is None:
        message = "The signer's certificate is not embedded, or cannot be read."
        yield error("signature.signer_missing", _WHERE, message, "Embed it and sign again.")
        return
    if not _verifies(signed, leaf, manifest):
        message = "The signature was not made by the embedded certificate's key over this manifest."
        yield error("signature.invalid", _WHERE, message, _AGAIN)
    chain = build_chain(leaf, embedded)
    yield from _check_chain(chain, roots)
    yield from _check_names(leaf, document)
    yield from _check_dates(chain, signed.signing_time, now)


def _check_form(signed: SignedData, now: datetime) -> Iterator[Finding]:
    if signed.attached is not None:
        message = "The manifest is embedded in the signature."
        yield error("signature.attached", _WHERE, message, "Make a detached signature.")
    if signed.signers != 1:
        yield error("signature.signers", _WHERE, f"There are {signed.signers} signers.", "Sign once.")
    if signed.signing_time is None:
        message = "There is no signing time; iOS says: Signature must contain a signing date."
        yield error("signature.time_missing", _WHERE, message, "Add the S/MIME signing-time attribute.")
    elif signed.signing_time > now + timedelta(days=1) or signed.signing_time < _FIRST_WALLET:
        message = "The signing time is in the future, or before there were passes."
        yield error("signature.time", _WHERE, message, "Set the signing machine's clock and sign again.")
    if signed.digest == "sha1":
        yield warning("signature.sha1", _WHERE, "The digest is SHA-1.", "Sign with SHA-256.")
    elif signed.digest not in _DIGESTS:
        yield error("signature.algorithm", _WHERE, "The digest algorithm is unknown or broken.", "Sign with SHA-256.")


def _check_digest(signed: SignedData, manifest: bytes) -> Iterator[Finding]:
    if signed.covered is None or signed.digest not in _DIGESTS:
        return
    if signed.message_digest == hashlib.new(signed.digest, manifest, usedforsecurity=False).digest():
        return
    # what OpenSSL and cryptography sign without their "binary" option: line ends turned into CR LF
    text = manifest.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if signed.message_digest == hashlib.new(signed.digest, text, usedforsecurity=False).digest():
        message = "The signature covers the manifest with changed line ends."
        yield error(
            "signature.digest", _WHERE, message, "Sign with the binary option (openssl -binary, PKCS7Options.Binary)."
        )
    else:
        yield error("signature.digest", _WHERE, "The signature belongs to another manifest.", _AGAIN)


def _verifies(signed: SignedData, leaf: x509.Certificate, manifest: bytes) -> bool:
    digest = _DIGESTS.get(signed.digest)
    if digest is None:
        return False
    covered = manifest if signed.covered is None else signed.covered
    key = leaf.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and signed.scheme == "rsassa_pkcs1v15":
            key.verify(signed.signature, covered, padding.PKCS1v15(), digest())
        elif isinstance(key, ec.EllipticCurvePublicKey) and signed.scheme == "ecdsa":
            key.verify(signed.signature, covered, ec.ECDSA(digest()))
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _check_chain(chain: Sequence[x509.Certificate], roots: Sequence[bytes] | None) -> Iterator[Finding]:
    if len(chain) == 1:
        message = "The intermediate that issued the pass certificate is not embedded."
        yield error("signature.intermediate_missing", _WHERE, message, "Embed Apple's WWDR G4 and sign again.")
    if roots is not None and not roots:
        yield info("signature.trust_unchecked", _WHERE, "Trust was not checked.", "Give roots to check it.")
        return
    trusted = list(parse_certificates([shipped_intermediate()] if roots is None else roots))
    if not is_trusted(chain, trusted):
        name = "Apple's WWDR G4" if roots is None else "the given roots"
        message = f"The pass certificate does not lead to {name}."
        yield error("signature.untrusted", _WHERE, message, "Use a Pass Type ID certificate, and WWDR G4.")


def _check_names(leaf: x509.Certificate, document: Mapping[str, object]) -> Iterator[Finding]:
    try:
        facts = leaf_facts(leaf)
    except UNREADABLE:
        yield error(
            "certificate.unreadable", _WHERE, "The certificate's subject is unreadable.", "Use Apple's certificate."
        )
        return
    expected = document.get("passTypeIdentifier"), document.get("teamIdentifier")
    if expected[0] is not None and facts.pass_type_identifier != expected[0]:
        message = "The certificate's UID is not the pass's passTypeIdentifier."
        yield error("certificate.pass_type", _WHERE, message, "Sign with the certificate of this pass type.")
    if expected[1] is not None and facts.team_identifier != expected[1]:
        message = "The certificate's OU is not the pass's teamIdentifier."
        yield error("certificate.team", _WHERE, message, "Correct teamIdentifier, or use this team's certificate.")
    fix = "Make a new certificate and leave its name empty."
    if facts.extension is None:
        message = "The certificate lacks extension 1.2.840.113635.100.6.1.16."
        yield warning("certificate.extension", _WHERE, message, fix)
    elif expected[0] is not None and facts.extension != expected[0]:
        message = "Extension 1.2.840.113635.100.6.1.16 is not the pass type identifier: Wallet refuses such passes."
        yield error("certificate.extension", _WHERE, message, fix)


def _check_dates(chain: Sequence[x509.Certificate], signed_at: datetime | None, now: datetime) -> Iterator[Finding]:
    for name, each in zip(("pass certificate", "intermediate"), chain, strict=False):
        if signed_at is not None and not each.not_valid_before_utc <= signed_at <= each.not_valid_after_utc:
            message = f"The {name} was not valid when it signed."
            yield error("certificate.dates", _WHERE, message, "Renew the certificate and sign again.")
        if now > each.not_valid_after_utc:
            message = f"The {name} has expired since: installed passes stay, new installations fail."
            yield warning("certificate.expired", _WHERE, message, "Renew the certificate and sign again.")
