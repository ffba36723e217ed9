"""Hostile archives: traversal, links, bombs, encryption, duplicates and damage become findings."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from passflow.wallets.apple import archive_reader
from passflow.wallets.apple.archive_reader import read_archive

from .forge import pack


def codes(data: bytes) -> set[str]:
    return {each.code for each in read_archive(data).findings}


def entry(name: str, mode: int, content: bytes = b"x") -> bytes:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, content)
    return buffer.getvalue()


def test_a_plain_archive_is_read() -> None:
    files = {"a.png": b"1", "de.lproj/b.png": b"2" * 10_000}
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        unpacked = read_archive(pack(files, compression))
        assert (unpacked.files, unpacked.findings) == (files, [])


@pytest.mark.parametrize(
    "name", ["../a", "/etc/passwd", "a/../../b", "a\\b", "C:a", "..", "a\nb", "a\x7f/../b", "x" * 300]
)
def test_paths_that_lead_outside_are_not_read(name: str) -> None:
    unpacked = read_archive(pack({name: b"x"}))
    assert {each.code for each in unpacked.findings} == {"zip.path"}
    assert unpacked.files == {}


def test_a_name_with_nul_is_refused() -> None:
    data = pack({"pass.json?.png": b"x"}).replace(b"pass.json?", b"pass.json\0")
    assert "zip.path" in codes(data)
    assert read_archive(data).files == {}


@pytest.mark.parametrize("mode", [0o120777, 0o060644, 0o010644, 0o140644])
def test_links_and_devices_are_refused(mode: int) -> None:
    unpacked = read_archive(entry("icon.png", mode, b"/etc/passwd"))
    assert {each.code for each in unpacked.findings} == {"zip.link"}
    assert unpacked.files == {}


def test_duplicates_are_refused_whatever_their_case() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("pass.json", b"1")
        archive.writestr("pass.json", b"2")
        archive.writestr("Pass.json", b"3")
    unpacked = read_archive(buffer.getvalue())
    assert [each.code for each in unpacked.findings] == ["zip.twice", "zip.twice"]
    assert unpacked.files == {"pass.json": b"1"}


def test_folders_and_leftovers_are_mentioned() -> None:
    assert codes(pack({"de.lproj/": b"", ".DS_Store": b"", "__MACOSX/a": b""})) == {"zip.directory", "zip.junk"}


def test_encrypted_entries_are_refused() -> None:
    plain = bytearray(pack({"pass.json": b"{}"}))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        plain[plain.index(signature) + offset] |= 1
    assert codes(bytes(plain)) == {"zip.encrypted"}


def test_unusual_compression_is_refused() -> None:
    assert codes(pack({"a": b"x" * 100}, zipfile.ZIP_BZIP2)) == {"zip.method"}
    assert codes(pack({"a": b"x" * 100}, zipfile.ZIP_LZMA)) == {"zip.method"}


def test_bombs_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reader, "MAX_UNPACKED", 100_000)
    bomb = pack({"icon.png": bytes(150_000)})
    assert len(bomb) < 1_000
    unpacked = read_archive(bomb)
    assert ({each.code for each in unpacked.findings}, unpacked.files) == ({"zip.bomb"}, {})
    # many small ones count together
    unpacked = read_archive(pack({f"{number}.png": bytes(30_000) for number in range(6)}))
    assert len(unpacked.files) == 3
    # a size that lies does not help: reading stops where the directory says
    liar = bytearray(bomb)
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<L", liar, liar.index(signature) + offset, 10)
    unpacked = read_archive(bytes(liar))
    assert ({each.code for each in unpacked.findings}, unpacked.files) == ({"zip.damaged"}, {})


def test_too_many_entries_and_too_large_archives_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(pack({f"{number}": b"" for number in range(1_001)}, zipfile.ZIP_STORED)) == {"zip.too_many"}
    monkeypatch.setattr(archive_reader, "MAX_ARCHIVE", 100)
    assert codes(pack({"a": b"x"}) + b"x" * 100) == {"zip.too_large"}


def test_damage_is_named() -> None:
    good = pack({"a.png": b"hello", "b.png": b"world"}, zipfile.ZIP_STORED)
    unpacked = read_archive(good.replace(b"hello", b"jello"))
    assert {each.code for each in unpacked.findings} == {"zip.damaged"}
    assert unpacked.files == {"b.png": b"world"}
    assert codes(good[:-30]) == {"zip.unreadable"}
    assert codes(b"<html>") == {"zip.unreadable"}
    assert codes(b"junk" + good) == {"zip.prefix"}


def test_what_the_zip_command_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "pass.json").write_bytes(b"{}")
    if shutil.which("zip") is None:
        pytest.skip("zip is not installed")
    subprocess.run(["zip", "-qD", "a.zip", "pass.json"], cwd=tmp_path, capture_output=True, check=True)
    assert read_archive((tmp_path / "a.zip").read_bytes()).findings == []


def test_an_entry_without_a_name_is_refused() -> None:
    data = pack({"a": b"x"}, zipfile.ZIP_STORED)
    nameless = bytearray(data.replace(b"aPK\5\6", b"PK\5\6"))
    struct.pack_into("<H", nameless, nameless.index(b"PK\1\2") + 28, 0)
    struct.pack_into("<L", nameless, nameless.index(b"PK\5\6") + 12, len(nameless) - 22 - nameless.index(b"PK\1\2"))
    assert codes(bytes(nameless)) == {"zip.path"}
