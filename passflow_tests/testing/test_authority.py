"""The test authority: openssl accepts its chains, files are private, options do what they say."""

from __future__ import annotations

import ssl
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from passflow.testing.authority import Credentials, TestAuthority


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority()


def run(*command: str, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_openssl_verifies_both_chains(authority: TestAuthority, tmp_path: Path) -> None:
    paths = authority.write(tmp_path, "pass.example.club", "ABCDE12345")
    assert set(paths) == {"root", "intermediate", "certificate", "key", "server_certificate", "server_key"}
    chain = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem"]
    assert "OK" in run(*chain, "-untrusted", "intermediate.pem", "certificate.pem", cwd=tmp_path)
    assert "OK" in run(*chain, "-verify_ip", "127.0.0.1", "server_certificate.pem", cwd=tmp_path)
    assert "OK" in run(*chain, "-verify_hostname", "localhost", "server_certificate.pem", cwd=tmp_path)


def test_subject_and_extensions_are_shaped_like_apples(authority: TestAuthority, tmp_path: Path) -> None:
    authority.write(tmp_path, "pass.example.club", "ABCDE12345")
    text = run("openssl", "x509", "-in", "certificate.pem", "-noout", "-text", cwd=tmp_path)
    assert "UID = pass.example.club, CN = Pass Type ID: pass.example.club, OU = ABCDE12345" in text
    assert "TLS Web Client Authentication, 1.2.840.113635.100.4.14" in text
    assert "1.2.840.113635.100.6.1.16" in text
    assert "RSA Public-Key: (2048 bit)" in text or "Public-Key: (2048 bit)" in text


def test_files_are_readable_by_their_owner_alone(authority: TestAuthority, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    paths = authority.write(folder, "pass.example.club", "ABCDE12345")
    before = paths["key"].read_bytes()
    paths["key"].chmod(0o644)
    authority.write(folder, "pass.example.club", "ABCDE12345")
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths.values()} == {0o600}
    assert paths["key"].read_bytes() == before, "the key of a process is cached"


def test_options(authority: TestAuthority) -> None:
    assert isinstance(authority.issue_pass_certificate().key, rsa.RSAPrivateKey)
    assert isinstance(authority.issue_pass_certificate(curve=ec.SECP256R1()).key, ec.EllipticCurvePrivateKey)
    past = datetime(2020, 1, 1, tzinfo=UTC)
    issued = authority.issue_pass_certificate(valid_from=past, valid_until=past + timedelta(days=1))
    assert issued.certificate.not_valid_after_utc == past + timedelta(days=1)
    oid = x509.ObjectIdentifier("1.2.840.113635.100.6.1.16")
    named = authority.issue_pass_certificate(extension="Club")
    assert named.certificate.extensions.get_extension_for_oid(oid).value.public_bytes() == b"\x0c\x04Club"
    with pytest.raises(x509.ExtensionNotFound):
        authority.issue_pass_certificate(extension=None).certificate.extensions.get_extension_for_oid(oid)


def test_identity_is_ready_to_sign(authority: TestAuthority) -> None:
    identity = authority.identity("pass.example.other", "ZZZZZ00000")
    assert identity.pass_type_identifier == "pass.example.other"
    assert identity.certificates.facts.team_identifier == "ZZZZZ00000"


def server(issued: Credentials, folder: Path) -> ssl.SSLContext:
    (folder / "cert.pem").write_bytes(issued.chain_pem)
    (folder / "key.pem").write_bytes(issued.key_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_tls_server_on_loopback_is_trusted(authority: TestAuthority, tmp_path: Path) -> None:
    import socket

    context = server(authority.issue_server_certificate(), tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as stream:
                stream.sendall(b"hello")

        thread = threading.Thread(target=answer)
        thread.start()
        trust = ssl.create_default_context(cadata=authority.root_pem.decode())
        with (
            socket.create_connection(listener.getsockname()) as raw,
            trust.wrap_socket(raw, server_hostname="127.0.0.1") as stream,
        ):
            assert stream.recv(5) == b"hello"
        thread.join()
