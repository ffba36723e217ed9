"""Certificates: every way in which certificate, key, chain, names and dates may not fit has its own message."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from passflow.errors import CertificateError
from passflow.testing.authority import Credentials, TestAuthority
from passflow.wallets.apple import identity as identity_module
from passflow.wallets.apple.certificates import Identity, SignerCertificates, shipped_intermediate
from passflow.wallets.apple.identity import load_identity

from .helpers import NOW, PASS_TYPE, TEAM, authority


def load(issued: Credentials | None = None, **changes: Any) -> Identity:
    issued = issued or authority().issue_pass_certificate()
    arguments: dict[str, Any] = {
        "certificate": issued.certificate_pem,
        "key": issued.key_pem,
        "pass_type_identifier": PASS_TYPE,
        "team_identifier": TEAM,
        "now": NOW,
        "intermediate": authority().intermediate_pem,
        **changes,
    }
    return load_identity(arguments.pop("certificate"), arguments.pop("key"), **arguments)


def test_the_shipped_intermediate_is_apples_wwdr_g4() -> None:
    """Serial, dates and fingerprint as Apple publishes them at apple.com/certificateauthority."""
    der = shipped_intermediate()
    certificate = x509.load_der_x509_certificate(der)
    digest = hashlib.sha256(der).hexdigest().upper()
    assert digest.startswith("EA475788")
    assert digest.endswith("E14C")
    serial = f"{certificate.serial_number:X}"
    assert serial.startswith("13DC7795")
    assert serial.endswith("5CED2")
    assert certificate.not_valid_before_utc.date().isoformat() == "2020-12-16"
    assert certificate.not_valid_after_utc == datetime(2030, 12, 10, tzinfo=UTC)
    assert "G4" in certificate.subject.rfc4514_string()


def test_a_fitting_identity_loads_and_tells_its_id() -> None:
    issued = authority().issue_pass_certificate()
    identity = load(issued)
    der = issued.certificate.public_bytes(Encoding.DER)
    assert identity.certificate_id == hashlib.sha256(der).hexdigest()
    assert identity.certificates.leaf == der
    assert identity.certificates.is_rsa_2048


def test_no_key_material_in_the_repr() -> None:
    identity = load()
    text = repr(identity) + str(identity) + repr(authority().issue_pass_certificate())
    assert PASS_TYPE in text
    assert "RSAPrivateKey" not in text
    assert "PRIVATE" not in text


def test_der_intermediate_and_single_pem_file_are_understood() -> None:
    issued = authority().issue_pass_certificate()
    der = authority().intermediate.public_bytes(Encoding.DER)
    assert load(issued, intermediate=der) == load(issued)
    assert load(issued, certificate=issued.key_pem + issued.certificate_pem, key=None) == load(issued)


@pytest.mark.parametrize("passphrase", [None, b"s3cret phrase"])
def test_pkcs12_is_understood(passphrase: bytes | None) -> None:
    issued = authority().issue_pass_certificate()
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    container = pkcs12.serialize_key_and_certificates(
        b"club", issued.key, issued.certificate, [authority().intermediate], protection
    )
    assert load(issued, certificate=container, key=None, passphrase=passphrase) == load(issued)
    with pytest.raises(CertificateError, match="PKCS#12"):
        load(issued, certificate=container, key=None, passphrase=b"wrong")


def test_pkcs12_without_key_is_refused() -> None:
    issued = authority().issue_pass_certificate()
    container = pkcs12.serialize_key_and_certificates(None, None, None, [issued.certificate], NoEncryption())
    with pytest.raises(CertificateError, match="lacks"):
        load(issued, certificate=container, key=None)


def test_encrypted_pem_key_needs_its_passphrase() -> None:
    issued = authority().issue_pass_certificate()
    locked = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    assert load(issued, key=locked, passphrase=b"open") == load(issued)
    with pytest.raises(CertificateError, match="encrypted, and no passphrase"):
        load(issued, key=locked)
    with pytest.raises(CertificateError, match="cannot be read") as caught:
        load(issued, key=locked, passphrase=b"wrong")
    assert "wrong" not in str(caught.value)
    with pytest.raises(CertificateError, match="not encrypted"):
        load(issued, passphrase=b"open")


def refusal(code: str, issued: Credentials | None = None, **changes: Any) -> str:
    with pytest.raises(CertificateError) as caught:
        load(issued, **changes)
    assert caught.value.error_code == code
    assert caught.value.fix
    return str(caught.value)


def test_a_key_of_another_certificate_is_refused() -> None:
    other = authority().issue_pass_certificate(key_name="stranger")
    refusal("certificate.key_mismatch", key=other.key_pem)


def test_a_foreign_intermediate_is_refused() -> None:
    assert "G4" in refusal("certificate.chain", intermediate=None)
    other = TestAuthority(now=NOW)
    # same name, same key, other certificate: still the issuer; the root by itself is not
    assert load(intermediate=other.intermediate_pem)
    refusal("certificate.chain", intermediate=authority().root_pem)


def test_an_intermediate_of_the_same_name_with_another_key_is_refused() -> None:
    real = authority().intermediate
    forged = (
        x509.CertificateBuilder(real.issuer, real.subject, authority().root.public_key(), 7)
        .not_valid_before(real.not_valid_before_utc)
        .not_valid_after(real.not_valid_after_utc)
        .sign(authority()._root_key, real.signature_hash_algorithm)
    )
    refusal("certificate.chain", intermediate=forged.public_bytes(Encoding.DER))


def test_wrong_pass_type_and_team_name_both_values() -> None:
    said = refusal("certificate.mismatch", pass_type_identifier="pass.example.other")
    assert PASS_TYPE in said
    assert "pass.example.other" in said
    assert "OU" in refusal("certificate.mismatch", team_identifier="ZZZZZ99999")


def test_a_nickname_in_the_extension_is_refused() -> None:
    """The `bad.pkpass` of the dotnet-passbook-validator pair: Wallet refuses a certificate that was given a name."""
    issued = authority().issue_pass_certificate(extension="Club certificate")
    assert "Club certificate" in refusal("certificate.extension", issued)
    refusal("certificate.extension", issued, allow_missing_extension=True)


def test_a_missing_extension_needs_the_flag() -> None:
    issued = authority().issue_pass_certificate(extension=None)
    refusal("certificate.extension", issued)
    assert load(issued, allow_missing_extension=True)


def test_dates() -> None:
    expired = authority().issue_pass_certificate(
        valid_from=NOW - timedelta(days=400), valid_until=NOW - timedelta(days=35)
    )
    assert "expired" in refusal("certificate.expired", expired)
    early = authority().issue_pass_certificate(valid_from=NOW + timedelta(days=2))
    assert "valid from" in refusal("certificate.not_yet_valid", early)
    # the last second of validity still signs (RFC 5280 section 4.1.2.5: inclusive)
    edge = authority().issue_pass_certificate(valid_until=NOW)
    assert load(edge).days_left(NOW) == 0


def test_an_expired_intermediate_is_refused() -> None:
    # a leaf that outlives its issuer: WWDR G4 ends on 2030-12-10
    late = NOW + timedelta(days=365 * 11)
    issued = authority().issue_pass_certificate(valid_until=late + timedelta(days=1))
    assert "intermediate" in refusal("certificate.expired", issued, now=late)


def test_the_warn_window() -> None:
    identity = load(authority().issue_pass_certificate(valid_until=NOW + timedelta(days=30, hours=1)))
    assert identity.days_left(NOW) == 30
    assert identity.warnings(NOW, window_days=29) == []
    (warning,) = identity.warnings(NOW, window_days=30)
    assert "2026-03-31" in warning
    assert "30 days" in warning
    assert identity.days_left(NOW + timedelta(days=40)) < 0


@pytest.mark.parametrize(
    "key", [ed25519.Ed25519PrivateKey.generate(), dsa.generate_private_key(1024)], ids=["ed25519", "dsa"]
)
def test_other_kinds_of_key_are_refused(key: Any) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(CertificateError, match="neither RSA nor EC"):
        load(key=pem)


@pytest.mark.parametrize(
    ("part", "junk"),
    [
        ("certificate", b""),
        ("certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("certificate", b"\x30\x82\xff\xff"),
        ("key", b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n"),
        ("key", b"\0\1"),
        ("intermediate", b"junk"),
        ("intermediate", b"-----BEGIN CERTIFICATE-----"),
    ],
)
def test_junk_is_a_certificate_error_that_quotes_nothing(part: str, junk: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        load(**{part: junk})
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_material_is_parsed_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    issued = authority().issue_pass_certificate()
    first = load(issued)

    def fail(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(identity_module, "_read", fail)
    assert load(issued).key is first.key
    refusal("certificate.expired", issued, now=NOW + timedelta(days=900))


def test_the_stored_chain_splits_into_certificates() -> None:
    root, middle = authority().root_der, authority().intermediate.public_bytes(Encoding.DER)
    certificates = SignerCertificates(b"leaf", (middle, root))
    assert SignerCertificates.from_chain(b"leaf", certificates.chain) == certificates
    for junk in (middle[:-1], middle + b"x", b"\x30\x03abc"):
        with pytest.raises(CertificateError):
            SignerCertificates.from_chain(b"leaf", junk)


def test_ec_identities_load_but_store_the_whole_signature() -> None:
    identity = load(authority().issue_pass_certificate(curve=ec.SECP256R1()))
    assert not identity.certificates.is_rsa_2048
