"""A test certificate authority shaped like Apple's: root, WWDR-like intermediate, pass certificates.

Its certificates sign passes that verify against its own root, never on a phone. RSA keys are made once per process
and purpose, because making one takes a second.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from passflow.wallets.apple.certificates import Identity, SignerCertificates

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CLUB_TYPE = "pass.example.club"
TEAM = "ABCDE12345"
_PASS_TYPE_EXTENSION = ObjectIdentifier("1.2.840.113635.100.6.1.16")
_PRODUCTION_PUSH_EXTENSION = ObjectIdentifier("1.2.840.113635.100.6.3.2")
_PASS_USAGE = ObjectIdentifier("1.2.840.113635.100.4.14")


@dataclass(frozen=True)
class Credentials:
    """A certificate, its key and the certificates above it, without the root."""

    certificate: x509.Certificate
    key: Key = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def certificate_pem(self) -> bytes:
        """PEM of the certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """PEM of the certificate followed by those above it, as a TLS server wants it."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain))

    @property
    def key_pem(self) -> bytes:
        """PEM of the unencrypted PKCS#8 key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class TestAuthority:
    """Makes certificates for tests and for local development.

    Args:
        now: aware datetime around which the certificates are valid; default is the clock.
    """

    __test__ = False  # pytest would take the name for a test class

    def __init__(self, *, now: datetime | None = None) -> None:
        self.now = (now or datetime.now(UTC)).replace(microsecond=0)
        root_name = _name("passflow test root")
        self._root_key = _rsa_key("root")
        self.root = _build(root_name, root_name, self._root_key, self._root_key, self._years(-5, 20), authority=True)
        self._intermediate_key = _rsa_key("intermediate")
        intermediate_name = _name("passflow test developer relations")
        self.intermediate = _build(
            intermediate_name, root_name, self._intermediate_key, self._root_key, self._years(-4, 10), authority=True
        )

    @property
    def root_der(self) -> bytes:
        """DER of the root, the trust anchor to verify with."""
        return self.root.public_bytes(Encoding.DER)

    @property
    def root_pem(self) -> bytes:
        """PEM of the root."""
        return self.root.public_bytes(Encoding.PEM)

    @property
    def intermediate_pem(self) -> bytes:
        """PEM of the intermediate that issues pass certificates."""
        return self.intermediate.public_bytes(Encoding.PEM)

    def issue_pass_certificate(
        self,
        pass_type_identifier: str = CLUB_TYPE,
        team_identifier: str = TEAM,
        *,
        extension: str | None = "",
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        curve: ec.EllipticCurve | None = None,
        key_size: int = 2048,
        key_name: str = "pass",
    ) -> Credentials:
        """Issue a Pass Type ID certificate.

        Args:
            pass_type_identifier: goes to the subject's UID and common name.
            team_identifier: goes to the subject's OU.
            extension: text of extension 1.2.840.113635.100.6.1.16; "" for the pass type identifier, None for no extension,
                anything else for the nickname that some real certificates hold there.
            valid_from: aware datetime, default 30 days ago.
            valid_until: aware datetime, default in 335 days; in the past for an expired certificate.
            curve: makes an EC key on this curve instead of RSA.
            key_size: bits of the RSA key.
            key_name: certificates of the same name share their RSA key.
        """
        key: Key = ec.generate_private_key(curve) if curve else _rsa_key(key_name, key_size)
        extras = [x509.UnrecognizedExtension(_PRODUCTION_PUSH_EXTENSION, b"\x05\x00")]
        if extension is not None:
            text = (extension or pass_type_identifier).encode()
            extras.append(x509.UnrecognizedExtension(_PASS_TYPE_EXTENSION, b"\x0c" + bytes((len(text),)) + text))
        subject = _name(f"Pass Type ID: {pass_type_identifier}", uid=pass_type_identifier, unit=team_identifier)
        dates = (valid_from or self.now - timedelta(days=30), valid_until or self.now + timedelta(days=335))
        usages = (ExtendedKeyUsageOID.CLIENT_AUTH, _PASS_USAGE)
        certificate = _build(
            subject, self.intermediate.subject, key, self._intermediate_key, dates, usages=usages, extras=extras
        )
        return Credentials(certificate, key, (self.intermediate,))

    def identity(self, pass_type_identifier: str = CLUB_TYPE, team_identifier: str = TEAM) -> Identity:
        """Return a checked RSA-2048 signing identity of this authority."""
        from passflow.wallets.apple.identity import load_identity

        issued = self.issue_pass_certificate(pass_type_identifier, team_identifier)
        return load_identity(
            issued.certificate_pem,
            issued.key_pem,
            pass_type_identifier=pass_type_identifier,
            team_identifier=team_identifier,
            now=self.now,
            intermediate=self.intermediate_pem,
        )

    def issue_server_certificate(self, names: Sequence[str] = ("localhost",)) -> Credentials:
        """Issue a TLS certificate for servers on loopback, from the root.

        Args:
            names: DNS names besides 127.0.0.1 and ::1.
        """
        addresses = [x509.IPAddress(IPv4Address("127.0.0.1")), x509.IPAddress(IPv6Address("::1"))]
        alternative = x509.SubjectAlternativeName([*map(x509.DNSName, names), *addresses])
        key = ec.generate_private_key(ec.SECP256R1())
        dates = (self.now - timedelta(days=1), self.now + timedelta(days=365))
        usages = (ExtendedKeyUsageOID.SERVER_AUTH,)
        certificate = _build(
            _name(names[0]), self.root.subject, key, self._root_key, dates, usages=usages, extras=[alternative]
        )
        return Credentials(certificate, key)

    def write(self, directory: Path, pass_type_identifier: str, team_identifier: str) -> dict[str, Path]:
        """Write a development set of PEM files, readable by the owner alone; existing files are replaced.

        Args:
            directory: made when missing.
            pass_type_identifier: for the pass certificate.
            team_identifier: for the pass certificate.

        Returns:
            Paths by role: root, intermediate, certificate, key, server_certificate, server_key.
        """
        issued = self.issue_pass_certificate(pass_type_identifier, team_identifier)
        server = self.issue_server_certificate()
        contents = {
            "root": self.root_pem,
            "intermediate": self.intermediate_pem,
            "certificate": issued.certificate_pem,
            "key": issued.key_pem,
            "server_certificate": server.chain_pem,
            "server_key": server.key_pem,
        }
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {role: _write_private(directory / f"{role}.pem", content) for role, content in contents.items()}

    def certificates(self, issued: Credentials) -> SignerCertificates:
        """Return the public half of issued credentials."""
        parents = tuple(each.public_bytes(Encoding.DER) for each in issued.chain)
        return SignerCertificates(issued.certificate.public_bytes(Encoding.DER), parents)

    def _years(self, start: int, end: int) -> tuple[datetime, datetime]:
        return self.now + timedelta(days=365 * start), self.now + timedelta(days=365 * end)


@lru_cache(maxsize=16)
def _rsa_key(name: str, size: int = 2048) -> rsa.RSAPrivateKey:
    """Make one RSA key per process, purpose and size."""
    return rsa.generate_private_key(65537, size)


def _name(common: str, *, uid: str | None = None, unit: str | None = None) -> x509.Name:
    pairs = ((NameOID.USER_ID, uid), (NameOID.COMMON_NAME, common), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value])


def _build(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    issuer_key: Key,
    dates: tuple[datetime, datetime],
    *,
    authority: bool = False,
    usages: Sequence[ObjectIdentifier] = (),
    extras: Sequence[x509.ExtensionType] = (),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_key_usage(authority=authority), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    for extra in extras:
        builder = builder.add_extension(extra, critical=False)
    return builder.sign(issuer_key, SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_private(path: Path, content: bytes) -> Path:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path
