"""The independent reader of CMS: what openssl wrote is read, what is no CMS is refused."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import cms, core
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.wallets.apple.signature_check import check_signature
from passflow.wallets.apple.signed_data import read_signed_data

from .forge import clock_authority, credentials, openssl_sign

CONTENT = b'{"icon.png": "00"}\n'


def codes(der: bytes, content: bytes = CONTENT) -> set[str]:
    now = datetime.now(UTC)
    return {each.code for each in check_signature(der, content, {}, [clock_authority().root_der], now)}


def test_what_openssl_writes_is_read() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    signed = read_signed_data(openssl_sign(CONTENT))
    assert signed.attached is None
    assert (signed.signers, signed.digest, signed.scheme) == (1, "sha256", "rsassa_pkcs1v15")
    assert signed.message_digest == hashlib.sha256(CONTENT).digest()
    assert signed.signing_time is not None
    assert before <= signed.signing_time <= datetime.now(UTC)
    assert signed.signer == credentials().certificate.public_bytes(Encoding.DER)
    intermediate = clock_authority().intermediate.public_bytes(Encoding.DER)
    assert set(signed.certificates) == {signed.signer, intermediate}
    assert len(signed.signature) == 256


def test_attached_content_is_returned() -> None:
    assert read_signed_data(openssl_sign(CONTENT, "-binary", "-nodetach")).attached == CONTENT


def test_attributes_may_be_absent() -> None:
    signed = read_signed_data(openssl_sign(CONTENT, "-binary", "-noattr"))
    assert (signed.covered, signed.message_digest, signed.signing_time) == (None, None, None)
    assert codes(openssl_sign(CONTENT, "-binary", "-noattr")) == {"signature.time_missing"}
    assert codes(openssl_sign(CONTENT, "-binary", "-noattr"), b"other") == {
        "signature.time_missing",
        "signature.invalid",
    }


def edited(change: str) -> bytes:
    """Change one thing with asn1crypto and keep the rest as openssl wrote it."""
    info = cms.ContentInfo.load(openssl_sign(CONTENT))
    data = info["content"]
    signer = data["signer_infos"][0]
    if change == "two signers":
        data["signer_infos"] = [signer, signer]
    elif change == "no signer":
        data["signer_infos"] = []
    elif change == "two signing times":
        for attribute in signer["signed_attrs"]:
            if attribute["type"].native == "signing_time":
                attribute["values"] = [attribute["values"][0], attribute["values"][0]]
    elif change == "MD5":
        signer["digest_algorithm"] = {"algorithm": "md5"}
    elif change == "PSS":
        signer["signature_algorithm"] = {"algorithm": "rsassa_pss"}
    elif change == "ECDSA by name":
        signer["signature_algorithm"] = {"algorithm": "sha256_ecdsa"}
    elif change == "other serial":
        signer["sid"].chosen["serial_number"] = 1
    der: bytes = info.dump(force=True)
    return der


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("nothing", set()),
        ("two signers", {"signature.signers"}),
        ("no signer", {"signature.unreadable"}),
        ("two signing times", {"signature.time_missing", "signature.invalid"}),
        ("MD5", {"signature.algorithm", "signature.invalid"}),
        ("PSS", {"signature.invalid"}),
        ("ECDSA by name", {"signature.invalid"}),
        ("other serial", {"signature.signer_missing"}),
    ],
)
def test_edited_signatures(change: str, expected: set[str]) -> None:
    assert codes(edited(change)) == expected


def test_other_contents_of_cms_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(CONTENT)
    for command in (["-data_create"], ["-digest_create"]):
        run = ["openssl", "cms", *command, "-in", "in", "-outform", "DER", "-out", "out"]
        subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
        with pytest.raises(ValueError, match="CMS"):
            read_signed_data((tmp_path / "out").read_bytes())


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"0", b"0\x80", core.Integer(5).dump(), b"\x30" * 5_000, b"\x30\x80" * 5_000, b"\xa0\x84\xff\xff\xff\xff",
        b"-----BEGIN PKCS7-----\nMAA=\n", b"Content-Type: application/x-pkcs7-signature\n\nMAA=",
    ],
)  # fmt: skip
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="CMS"):
        read_signed_data(junk)
    assert codes(junk) == {"signature.unreadable"}


def test_trailing_bytes_are_refused() -> None:
    assert codes(openssl_sign(CONTENT) + b"\0") == {"signature.unreadable"}


SIGNED = openssl_sign(CONTENT)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SIGNED) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_no_damage_makes_the_check_raise(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(SIGNED)
    for position, value in changes:
        broken[position] = value
    codes(bytes(broken))
