"""Chains: who may issue whom, and what it takes to be trusted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from passflow.testing.authority import Credentials
from passflow.wallets.apple.trust import build_chain, is_issued_by, is_trusted, parse_certificates

from .forge import clock_authority, credentials, judge, manifest_of, openssl_sign, stranger_files
from .helpers import NOW, authority

CURVE = ec.SECP256R1()


def certificate(
    subject: str,
    issuer: x509.Certificate | None = None,
    signer: ec.EllipticCurvePrivateKey | None = None,
    *,
    ca: bool = True,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(CURVE)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateBuilder(issuer.subject if issuer else name, name, key.public_key(), 1)
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(signer or key, hashes.SHA256()), key


ROOT, ROOT_KEY = certificate("root")
MIDDLE, MIDDLE_KEY = certificate("middle", ROOT, ROOT_KEY)
LEAF, LEAF_KEY = certificate("leaf", MIDDLE, MIDDLE_KEY, ca=False)


def test_chains_are_followed_by_signature() -> None:
    assert build_chain(LEAF, [ROOT, LEAF, MIDDLE]) == [LEAF, MIDDLE, ROOT]
    assert build_chain(LEAF, [ROOT]) == [LEAF]
    assert build_chain(LEAF, []) == [LEAF]
    assert build_chain(ROOT, [ROOT]) == [ROOT]


def test_trust_needs_a_root_above_the_leaf() -> None:
    assert is_trusted([LEAF, MIDDLE], [ROOT])
    assert is_trusted([LEAF, MIDDLE], [MIDDLE])
    assert is_trusted([LEAF], [MIDDLE])
    assert not is_trusted([LEAF], [ROOT])
    assert not is_trusted([LEAF], [LEAF])
    assert not is_trusted([LEAF, MIDDLE], [])
    assert not is_trusted([LEAF, MIDDLE], [certificate("root")[0]]), "the name alone is no proof"


def test_a_leaf_may_not_issue() -> None:
    """RFC 5280 section 4.2.1.9: only an authority's key verifies certificates."""
    below, _ = certificate("below", LEAF, LEAF_KEY, ca=False)
    assert not is_issued_by(below, LEAF)
    assert build_chain(below, [LEAF, MIDDLE, ROOT]) == [below]
    assert not is_trusted([below, LEAF, MIDDLE][:1], [ROOT])


def test_certificates_without_basic_constraints_may_not_issue() -> None:
    key = ec.generate_private_key(CURVE)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    old = builder.not_valid_before(NOW).not_valid_after(NOW).sign(key, hashes.SHA256())
    child, _ = certificate("child", old, key)
    assert not is_issued_by(child, old)


def test_long_chains_end() -> None:
    above, key = ROOT, ROOT_KEY
    chain = [ROOT]
    for number in range(20):
        above, key = certificate(str(number), above, key)
        chain.append(above)
    assert len(build_chain(chain[-1], chain)) == 6


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----"])
def test_unreadable_certificates_are_left_out(junk: bytes) -> None:
    der = ROOT.public_bytes(Encoding.DER)
    assert list(parse_certificates([junk, der, der[:-1]])) == [ROOT]


def test_a_pass_certificate_cannot_make_pass_certificates() -> None:
    """Whoever has one Pass Type ID certificate must not be able to sign as another team."""
    mine = credentials()
    victim = clock_authority().issue_pass_certificate(key_name="stranger")
    forged = (
        x509.CertificateBuilder(mine.certificate.subject, victim.certificate.subject, victim.key.public_key(), 99)
        .not_valid_before(mine.certificate.not_valid_before_utc)
        .not_valid_after(mine.certificate.not_valid_after_utc)
    )
    for extension in victim.certificate.extensions:
        if extension.oid != x509.AuthorityKeyIdentifier.oid:
            forged = forged.add_extension(extension.value, extension.critical)
    attacker = Credentials(forged.sign(mine.key, hashes.SHA256()), victim.key)  # type: ignore[arg-type]  # a forged certificate with another's key, on purpose
    files = {name: content for name, content in stranger_files().items() if name not in ("manifest.json", "signature")}
    manifest = manifest_of(files)
    report = judge({**files, "manifest.json": manifest, "signature": openssl_sign(manifest, issued=attacker)})
    assert {"signature.intermediate_missing", "signature.untrusted"} <= {each.code for each in report.errors}


def test_authorities_with_other_keys_do_not_trust_each_other() -> None:
    leaf = authority().issue_pass_certificate().certificate
    chain = build_chain(leaf, [MIDDLE, authority().intermediate, ROOT])
    assert is_trusted(chain, [authority().root])
    assert not is_trusted(chain, [ROOT])
