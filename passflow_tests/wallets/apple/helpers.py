"""Shared by the tests of Apple packages: one authority per process, PNGs, a complete pass."""

from __future__ import annotations

import json
import struct
import subprocess
import zlib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from passflow.testing.authority import TestAuthority

PASS_TYPE = "pass.example.club"
TEAM = "ABCDE12345"
NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


@lru_cache(maxsize=1)
def authority() -> TestAuthority:
    return TestAuthority(now=NOW)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    """A grey PNG written from the PNG specification, not by the code under test."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def images() -> dict[str, bytes]:
    return {
        "icon.png": png(38, 38),
        "icon@2x.png": png(76, 76),
        "icon@3x.png": png(114, 114),
        "logo.png": png(160, 50),
        "logo@2x.png": png(320, 100),
        "logo@3x.png": png(480, 150),
        "de.lproj/pass.strings": '"points" = "Punkte";\n'.encode("utf-16"),
        "fr.lproj/pass.strings": '"points" = "Points";\n'.encode("utf-16"),
    }


def store_card(**changes: object) -> dict[str, object]:
    card: dict[str, object] = {
        "formatVersion": 1,
        "passTypeIdentifier": PASS_TYPE,
        "teamIdentifier": TEAM,
        "serialNumber": "9f0c2d",
        "organizationName": "Club",
        "description": "Club card",
        "webServiceURL": "https://passes.example.com/apple/",
        "authenticationToken": "0123456789abcdef0123",
        "backgroundColor": "rgb(10, 20, 30)",
        "foregroundColor": "#ffffff",
        "labelColor": "#FFF",
        "storeCard": {
            "headerFields": [{"key": "points", "label": "points", "value": 250, "changeMessage": "Now %@"}],
            "primaryFields": [{"key": "name", "label": "Name", "value": "Ada"}],
            "backFields": [{"key": "terms", "label": "Terms", "value": "…"}],
        },
        "barcodes": [{"format": "PKBarcodeFormatQR", "message": "42", "messageEncoding": "iso-8859-1"}],
    }
    card.update(changes)
    return {key: value for key, value in card.items() if value is not None}


def encode(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def openssl_verify(directory: Path, signature: bytes, content: bytes, *, tool: str = "cms") -> str:
    """Let the openssl command judge a detached signature against the authority's root; return what it says."""
    (directory / "signature").write_bytes(signature)
    (directory / "content").write_bytes(content)
    (directory / "root.pem").write_bytes(authority().root_pem)
    command = ["openssl", tool, "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "content"]
    command += ["-CAfile", "root.pem", "-purpose", "any", "-attime", str(int(NOW.timestamp())), "-out", "out"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False).stderr
