"""Makes passes without the code under test: zipfile packs them, the openssl command signs them."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from passflow.testing.authority import Credentials, TestAuthority
from passflow.wallets.apple.findings import Report
from passflow.wallets.apple.verify import verify

from .helpers import encode, images, store_card


@lru_cache(maxsize=1)
def clock_authority() -> TestAuthority:
    """An authority of today: openssl signs with the machine's clock."""
    return TestAuthority(now=datetime.now(UTC))


@lru_cache(maxsize=1)
def credentials() -> Credentials:
    return clock_authority().issue_pass_certificate()


def openssl_sign(manifest: bytes, *options: str, issued: Credentials | None = None, chain: bool = True) -> bytes:
    issued = issued or credentials()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "cert.pem").write_bytes(issued.certificate_pem)
        (place / "key.pem").write_bytes(issued.key_pem)
        (place / "chain.pem").write_bytes(clock_authority().intermediate_pem)
        (place / "in").write_bytes(manifest)
        command = [
            "openssl",
            "cms",
            "-sign",
            "-signer",
            "cert.pem",
            "-inkey",
            "key.pem",
            "-in",
            "in",
            "-outform",
            "DER",
        ]
        command += ["-out", "out", *(["-certfile", "chain.pem"] if chain else []), *(options or ("-binary",))]
        subprocess.run(command, cwd=place, capture_output=True, check=True)
        return (place / "out").read_bytes()


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    return json.dumps({name: hashlib.sha1(content).hexdigest() for name, content in files.items()}, indent=1).encode()


def pack(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return buffer.getvalue()


def stranger_files(**changes: object) -> dict[str, bytes]:
    files = {**images(), "pass.json": encode(store_card(**changes))}
    manifest = manifest_of(files)
    return {**files, "manifest.json": manifest, "signature": openssl_sign(manifest)}


def judge(files: Mapping[str, bytes] | bytes) -> Report:
    data = files if isinstance(files, bytes) else pack(files)
    return verify(data, roots=[clock_authority().root_der], now=datetime.now(UTC))
