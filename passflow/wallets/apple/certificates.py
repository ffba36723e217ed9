"""The signing identity of a pass type: its certificate, its key and Apple's intermediate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from passflow.errors import CertificateError
from passflow.wallets.apple.leaf import LeafFacts, leaf_facts

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
VerifyingKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
# https://www.apple.com/certificateauthority/ "Worldwide Developer Relations - G4", until 2030-12-10
WWDR_G4_SHA256 = "ea4757885538dd8cb59ff4556f676087d83c85e70902c122e42c0808b5bce14c"


@lru_cache(maxsize=1)
def shipped_intermediate() -> bytes:
    """Return Apple's public WWDR G4 certificate as DER, which issues Pass Type ID certificates.

    Raises:
        CertificateError: when the file shipped with passflow was altered.
    """
    pem = Path(__file__).with_name("wwdr_g4.pem").read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    if hashlib.sha256(der).hexdigest() != WWDR_G4_SHA256:
        raise CertificateError("The shipped WWDR G4 certificate was altered.", fix="Install passflow again.")
    return der


@dataclass(frozen=True)
class SignerCertificates:
    """The public half of an identity: enough to rebuild and verify a signature without the key.

    Attributes:
        leaf: DER of the Pass Type ID certificate.
        intermediates: DER of what stands between it and Apple's root.
    """

    leaf: bytes
    intermediates: tuple[bytes, ...]

    @classmethod
    def from_chain(cls, leaf: bytes, chain: bytes) -> Self:
        """Rebuild from a leaf and the concatenated DER of its intermediates, as `chain` gives it.

        Raises:
            CertificateError: when the chain is not a row of DER values.
        """
        return cls(leaf, tuple(_split_der(chain)))

    @cached_property
    def chain(self) -> bytes:
        """Concatenated DER of the intermediates, for storage."""
        return b"".join(self.intermediates)

    @cached_property
    def certificate_id(self) -> str:
        """SHA-256 of the leaf's DER, in hex."""
        return hashlib.sha256(self.leaf).hexdigest()

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The parsed leaf."""
        return x509.load_der_x509_certificate(self.leaf)

    @cached_property
    def public_key(self) -> VerifyingKey:
        """The leaf's public key.

        Raises:
            CertificateError: when it is neither RSA nor EC.
        """
        key = self.certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise CertificateError("The certificate's key is neither RSA nor EC.", fix="Make an RSA-2048 certificate.")
        return key

    @cached_property
    def is_rsa_2048(self) -> bool:
        """Whether signatures have the fixed length that the short stored form needs."""
        return isinstance(self.public_key, rsa.RSAPublicKey) and self.public_key.key_size == 2048

    @cached_property
    def facts(self) -> LeafFacts:
        """What the leaf says about itself."""
        return leaf_facts(self.certificate)


@dataclass(frozen=True)
class Identity:
    """Certificate, key and intermediate of one pass type, checked against each other; load it with `load_identity`."""

    certificates: SignerCertificates
    pass_type_identifier: str
    team_identifier: str
    key: SigningKey = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Identity({self.pass_type_identifier!r}, {self.team_identifier!r}, {self.certificate_id[:12]})"

    @property
    def certificate_id(self) -> str:
        """SHA-256 of the leaf's DER, in hex."""
        return self.certificates.certificate_id

    def days_left(self, now: datetime) -> int:
        """Count whole days until the certificate expires; negative when it has expired."""
        return (self.certificates.facts.not_after - now) // timedelta(days=1)

    def check_dates(self, now: datetime) -> None:
        """Refuse to sign outside the validity of the leaf and its intermediates.

        Args:
            now: aware datetime of the signature.

        Raises:
            CertificateError: when one of them has expired or is not yet valid.
        """
        parsed = [x509.load_der_x509_certificate(der) for der in self.certificates.intermediates]
        for name, certificate in [
            ("pass certificate", self.certificates.certificate),
            *(("intermediate", c) for c in parsed),
        ]:
            if now > certificate.not_valid_after_utc:
                raise CertificateError(
                    f"The {name} of {self.pass_type_identifier} expired on {certificate.not_valid_after_utc:%Y-%m-%d}.",
                    fix="Renew it at developer.apple.com, point the setting at the new one, and run `passflow apply`.",
                    code="certificate.expired",
                )
            if now < certificate.not_valid_before_utc:
                raise CertificateError(
                    f"The {name} of {self.pass_type_identifier} is valid from {certificate.not_valid_before_utc:%Y-%m-%d}.",
                    fix="Set the machine's clock, or wait until that day.",
                    code="certificate.not_yet_valid",
                )

    def warnings(self, now: datetime, *, window_days: int = 30) -> list[str]:
        """Say, in a sentence each, what will soon stop this identity from signing.

        Args:
            now: aware datetime.
            window_days: how many days ahead to warn.
        """
        left = self.days_left(now)
        if left > window_days:
            return []
        day = f"{self.certificates.facts.not_after:%Y-%m-%d}"
        return [f"The certificate of {self.pass_type_identifier} expires on {day} ({left} days left): renew it now."]


def check_chain(certificates: SignerCertificates) -> None:
    """Check that each certificate was issued by the next, by name and by signature.

    Raises:
        CertificateError: when one was not.
    """
    chain = [certificates.certificate, *map(x509.load_der_x509_certificate, certificates.intermediates)]
    for child, parent in pairwise(chain):
        try:
            child.verify_directly_issued_by(parent)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise CertificateError(
                "The pass certificate was not issued by the given intermediate.",
                fix="Use Apple's WWDR G4 (shipped: leave the setting out), not G1, G2, G3, G5 or G6.",
                code="certificate.chain",
            ) from error


def _split_der(chain: bytes) -> Iterable[bytes]:
    while chain:
        if len(chain) < 4 or chain[:2] != b"\x30\x82" or (end := 4 + int.from_bytes(chain[2:4], "big")) > len(chain):
            raise CertificateError("The stored chain of certificates is not DER.", fix="Restore the row from a backup.")
        yield chain[:end]
        chain = chain[end:]
