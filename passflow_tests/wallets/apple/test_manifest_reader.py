"""The manifest against the files, in both directions; digests are those of FIPS 180-4 and openssl."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from passflow.wallets.apple.manifest_reader import check_manifest

EMPTY = "da39a3ee5e6b4b0d3255bfef95601890afd80709"  # SHA-1 of nothing, FIPS 180-4
ABC = "a9993e364706816aba3e25717850c26c9cd0d89d"  # SHA-1 of "abc", FIPS 180-4


def found(files: dict[str, bytes], manifest: object) -> list[tuple[str, str, str]]:
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    findings = check_manifest({**files, "manifest.json": content})
    return [(each.level, each.code, each.where) for each in findings]


def test_a_right_manifest_has_no_finding() -> None:
    files = {"pass.json": b"abc", "de.lproj/x.png": b"", "signature": b"?"}
    assert found(files, {"pass.json": ABC, "de.lproj/x.png": EMPTY}) == []


def test_both_directions() -> None:
    assert found({"a.png": b"abc"}, {}) == [("error", "manifest.unlisted", "a.png")]
    assert found({}, {"a.png": ABC}) == [("error", "manifest.extra", "a.png")]
    assert found({"a.png": b"abc"}, {"A.png": ABC}) == [
        ("error", "manifest.unlisted", "a.png"),
        ("error", "manifest.extra", "A.png"),
    ]
    assert found({"a.png": b"abd"}, {"a.png": ABC}) == [("error", "manifest.hash", "a.png")]
    assert found({"de.lproj/a.png": b"abc"}, {"a.png": ABC}) == [
        ("error", "manifest.unlisted", "de.lproj/a.png"),
        ("error", "manifest.extra", "a.png"),
    ]


@pytest.mark.parametrize("path", ["manifest.json", "signature"])
def test_the_manifest_lists_neither_itself_nor_the_signature(path: str) -> None:
    assert found({"signature": b"abc"}, {path: ABC}) == [("error", "manifest.extra", path)]


@pytest.mark.parametrize("digest", ["", "xyz", ABC[:-1], ABC + "0", None, 5, [ABC], {"sha1": ABC}])
def test_what_is_no_sha1(digest: object) -> None:
    assert found({"a.png": b"abc"}, {"a.png": digest}) == [("error", "manifest.hash", "a.png")]


def test_upper_case_is_a_warning() -> None:
    assert found({"a.png": b"abc"}, {"a.png": ABC.upper()}) == [("warning", "manifest.case", "a.png")]


@pytest.mark.parametrize(
    ("manifest", "code"), [(b"[]", "manifest.type"), (b"null", "manifest.type"), (b"{", "json.syntax")]
)
def test_what_is_no_manifest(manifest: bytes, code: str) -> None:
    assert found({}, manifest) == [("error", code, "manifest.json")]
    assert [each.code for each in check_manifest({})] == ["manifest.missing"]


def test_repeated_entries_are_refused() -> None:
    twice = b'{"a.png": "%s", "a.png": "%s"}' % (EMPTY.encode(), ABC.encode())
    assert found({"a.png": b"abc"}, twice) == [("error", "json.key_twice", "manifest.json")]


def test_agrees_with_openssl(tmp_path: Path) -> None:
    (tmp_path / "icon.png").write_bytes(bytes(range(256)))
    told = subprocess.run(
        ["openssl", "dgst", "-sha1", "-r", "icon.png"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found({"icon.png": bytes(range(256))}, {"icon.png": told.stdout.split()[0]}) == []
