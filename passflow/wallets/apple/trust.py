"""Builds the chain from a signer's certificate to a trusted one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

UNREADABLE = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
_LONGEST = 6


def parse_certificates(encoded: Sequence[bytes]) -> Iterator[x509.Certificate]:
    """Parse those of some DER certificates that can be parsed."""
    for der in encoded:
        try:
            certificate = x509.load_der_x509_certificate(der)
            certificate.public_key()
            _ = certificate.extensions, certificate.subject, certificate.issuer
        except UNREADABLE:
            continue
        yield certificate


def build_chain(leaf: x509.Certificate, embedded: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Follow issuers through the embedded certificates, checking each signature.

    Returns:
        The leaf, then whoever issued it, as far as the embedded certificates reach.
    """
    chain = [leaf]
    while len(chain) < _LONGEST:
        parent = next((each for each in embedded if each not in chain and is_issued_by(chain[-1], each)), None)
        if parent is None:
            break
        chain.append(parent)
    return chain


def is_trusted(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> bool:
    """Tell whether a certificate of the chain above the leaf is a root, or the last one was issued by a root.

    Args:
        chain: as `build_chain` gives it.
        roots: the trust anchors.
    """
    trusted = {root.public_bytes(Encoding.DER) for root in roots}
    if any(each.public_bytes(Encoding.DER) in trusted for each in chain[1:]):
        return True
    return any(is_issued_by(chain[-1], root) for root in roots)


def is_issued_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    """Tell whether an authority's certificate signed another, by name, signature and its right to sign."""
    try:
        child.verify_directly_issued_by(parent)
        return bool(parent.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (*UNREADABLE, InvalidSignature, x509.ExtensionNotFound):
        return False
