"""What a leaf says: subject, Apple's extension in each string type, dates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from passflow.wallets.apple.leaf import PASS_TYPE_EXTENSION, leaf_facts

from .helpers import NOW, PASS_TYPE, TEAM, authority


def with_extension(value: bytes | None, *attributes: x509.NameAttribute[str]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name(attributes), key.public_key(), 1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    if value is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(PASS_TYPE_EXTENSION, value), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_a_pass_certificate() -> None:
    facts = leaf_facts(authority().issue_pass_certificate().certificate)
    assert (facts.pass_type_identifier, facts.team_identifier, facts.extension) == (PASS_TYPE, TEAM, PASS_TYPE)
    assert facts.not_before < NOW < facts.not_after


def test_a_certificate_without_anything() -> None:
    facts = leaf_facts(with_extension(None))
    assert (facts.pass_type_identifier, facts.team_identifier, facts.extension) == (None, None, None)


@pytest.mark.parametrize("tag", [b"\x0c", b"\x13", b"\x16"], ids=["UTF8String", "PrintableString", "IA5String"])
def test_each_string_type(tag: bytes) -> None:
    assert leaf_facts(with_extension(tag + b"\x06pass.x")).extension == "pass.x"


@pytest.mark.parametrize(
    "value", [b"", b"\x0c", b"\x0c\x05pass.x", b"\x04\x06pass.x", b"\x0c\x01\xff", b"\x16\x02\xc3\xbc"]
)
def test_unreadable_extensions_are_empty_not_missing(value: bytes) -> None:
    assert leaf_facts(with_extension(value)).extension == ""


def test_the_first_of_several_units_counts() -> None:
    units = [x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, name) for name in (TEAM, "OTHER")]
    assert leaf_facts(with_extension(None, *units)).team_identifier == TEAM
