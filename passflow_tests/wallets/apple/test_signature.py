"""Signatures: openssl and asn1crypto judge what was written; the stored form rebuilds to the byte."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.errors import PackageError
from passflow.testing.authority import Credentials
from passflow.wallets.apple.certificates import Identity, SignerCertificates
from passflow.wallets.apple.identity import load_identity
from passflow.wallets.apple.signature import StoredSignature, assemble_signature, sign, verify_signature

from .helpers import NOW, PASS_TYPE, TEAM, authority, openssl_verify

MANIFESTS = [
    b'{"icon.png":"aa"}',
    b'{\n"icon.png": "aa",\r\n"pass.json": "bb"\r}\n',
    b"\n",
    b"",
    bytes(range(256)) * 40,
]


def identity_of(issued: Credentials) -> Identity:
    return load_identity(
        issued.certificate_pem,
        issued.key_pem,
        pass_type_identifier=PASS_TYPE,
        team_identifier=TEAM,
        now=NOW,
        intermediate=authority().intermediate_pem,
    )


def make(kind: str) -> Identity:
    if kind == "rsa-2048":
        return authority().identity()
    if kind == "rsa-3072":
        return identity_of(authority().issue_pass_certificate(key_size=3072, key_name="large"))
    curve = {"p-256": ec.SECP256R1(), "p-384": ec.SECP384R1()}[kind]
    return identity_of(authority().issue_pass_certificate(curve=curve))


@pytest.fixture(scope="module", params=["rsa-2048", "rsa-3072", "p-256", "p-384"])
def identity(request: pytest.FixtureRequest) -> Identity:
    return make(request.param)


@pytest.mark.parametrize("tool", ["cms", "smime"])
@pytest.mark.parametrize("content", MANIFESTS, ids=["compact", "newlines", "one newline", "empty", "every byte"])
def test_openssl_accepts_the_signature(tmp_path: Path, identity: Identity, content: bytes, tool: str) -> None:
    stored = sign(identity, content, NOW)
    der = assemble_signature(identity.certificates, stored, content, NOW)
    said = openssl_verify(tmp_path, der, content, tool=tool)
    assert "erification successful" in said
    assert "fail" in openssl_verify(tmp_path, der, content + b" ", tool=tool).lower()


def test_an_independent_reader_sees_what_apple_asks_for(identity: Identity) -> None:
    content = MANIFESTS[1]
    der = assemble_signature(identity.certificates, sign(identity, content, NOW), content, NOW)
    info = asn1_cms.ContentInfo.load(der, strict=True)
    assert info["content_type"].native == "signed_data"
    data = info["content"]
    assert data["encap_content_info"]["content"].native is None, "detached"
    embedded = {each.chosen.dump() for each in data["certificates"]}
    assert embedded == {
        identity.certificates.leaf,
        authority().intermediate.public_bytes(Encoding.DER),
    }
    (signer,) = data["signer_infos"]
    attributes = {each["type"].native: each["values"][0].native for each in signer["signed_attrs"]}
    assert attributes == {
        "content_type": "data",
        "signing_time": NOW,
        "message_digest": hashlib.sha256(content).digest(),
    }
    assert signer["digest_algorithm"]["algorithm"].native == "sha256"
    assert signer["sid"].chosen["serial_number"].native == identity.certificates.certificate.serial_number
    # DER asks for a SET OF sorted by encoding: encoding the parsed parts anew must not move anything
    assert info.dump(force=True) == der


def test_only_the_raw_signature_of_rsa_2048_is_stored(identity: Identity) -> None:
    stored = sign(identity, b"x", NOW)
    assert (len(stored) == 256) == identity.certificates.is_rsa_2048
    if not identity.certificates.is_rsa_2048:
        assert assemble_signature(identity.certificates, stored, b"x", NOW) == stored


def test_another_process_rebuilds_the_same_bytes_without_the_key(identity: Identity) -> None:
    content = MANIFESTS[0]
    stored = sign(identity, content, NOW)
    first = assemble_signature(identity.certificates, stored, content, NOW)
    certificates = SignerCertificates.from_chain(identity.certificates.leaf, identity.certificates.chain)
    assert certificates == identity.certificates
    later = NOW.astimezone(timezone(timedelta(hours=-7))).replace(microsecond=999_999)
    assert assemble_signature(certificates, StoredSignature(bytes(stored)), content, later) == first


def test_verification_accepts_what_was_signed_and_nothing_else(identity: Identity) -> None:
    content = MANIFESTS[1]
    stored = sign(identity, content, NOW)
    verify_signature(identity.certificates, stored, content, NOW)
    broken = bytearray(stored)
    broken[-1] ^= 1
    head = bytearray(stored)
    head[0] ^= 1
    for other, body, moment in [
        (stored, content.replace(b"\r\n", b"\n"), NOW),
        (stored, content, NOW + timedelta(seconds=1)),
        (StoredSignature(bytes(broken)), content, NOW),
        (StoredSignature(bytes(head)), content, NOW),
        (StoredSignature(stored[:-1]), content, NOW),
        (StoredSignature(stored + b"\0"), content, NOW),
        (StoredSignature(b""), content, NOW),
    ]:
        with pytest.raises(PackageError) as caught:
            verify_signature(identity.certificates, other, body, moment)
        assert caught.value.error_code == "package.signature"


def test_a_signature_of_another_certificate_is_refused() -> None:
    mine = authority().identity()
    stranger = identity_of(authority().issue_pass_certificate(key_name="stranger"))
    stored = sign(stranger, b"x", NOW)
    with pytest.raises(PackageError):
        verify_signature(mine.certificates, stored, b"x", NOW)


def test_a_stored_signature_of_the_wrong_length_is_not_assembled() -> None:
    with pytest.raises(PackageError, match="256 bytes"):
        assemble_signature(authority().identity().certificates, StoredSignature(b"short"), b"x", NOW)


def test_a_signing_time_without_zone_is_refused() -> None:
    with pytest.raises(PackageError, match="time zone"):
        sign(authority().identity(), b"x", NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("moment", "encoded"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(2050, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), b"\x17\x0d491231233000Z"),
    ],
)
def test_signing_time_is_utctime_before_2050_and_generalized_after(moment: datetime, encoded: bytes) -> None:
    """RFC 5652 section 11.3."""
    identity = authority().identity()
    der = assemble_signature(identity.certificates, sign(identity, b"x", moment), b"x", moment)
    assert encoded in der
    signer = asn1_cms.ContentInfo.load(der, strict=True)["content"]["signer_infos"][0]
    assert moment in [
        each["values"][0].native for each in signer["signed_attrs"] if each["type"].native == "signing_time"
    ]


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=300), seconds=st.integers(0, 2**33))
def test_any_content_and_time_survive_the_round_trip(content: bytes, seconds: int) -> None:
    identity = authority().identity()
    moment = datetime.fromtimestamp(seconds, UTC)
    stored = sign(identity, content, moment)
    verify_signature(identity.certificates, stored, content, moment)
    der = assemble_signature(identity.certificates, stored, content, moment)
    signer = asn1_cms.ContentInfo.load(der, strict=True)["content"]["signer_infos"][0]
    assert signer["signature"].native == stored


def test_threads_sign_correctly_at_once() -> None:
    identity = authority().identity()
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                content = f"{number}-{turn}".encode()
                verify_signature(identity.certificates, sign(identity, content, NOW), content, NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
