"""Packages: zipfile, unzip and openssl read what was written; stored parts rebuild to the byte."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.errors import PackageError
from passflow.wallets.apple.archive import Entries, encode_entries, join_entries
from passflow.wallets.apple.assets import AssetSet
from passflow.wallets.apple.bundle import bundle_passes
from passflow.wallets.apple.certificates import SignerCertificates
from passflow.wallets.apple.package import (
    FORMAT,
    assemble_package,
    build_manifest,
    rebuild_package,
    sign_package,
)
from passflow.wallets.apple.signature import StoredSignature

from .helpers import NOW, authority, encode, images, openssl_verify, png, store_card

PASS = encode(store_card())
PERSONAL = {"thumbnail.png": png(90, 90), "de.lproj/thumbnail@2x.png": png(180, 180)}


def build(assets: AssetSet, pass_json: bytes = PASS, personal: dict[str, bytes] | None = None) -> bytes:
    identity = authority().identity()
    signed = sign_package(identity, assets, pass_json, NOW, personal or {})
    return rebuild_package(signed, identity.certificates, assets, personal or {})


def contents(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as reader:
        assert reader.testzip() is None
        return {name: reader.read(name) for name in reader.namelist()}


def test_unzip_and_zipfile_read_the_archive(tmp_path: Path) -> None:
    archive = build(AssetSet.of(images()), personal=PERSONAL)
    (tmp_path / "a.pkpass").write_bytes(archive)
    told = subprocess.run(["unzip", "-t", "a.pkpass"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
    assert "No errors detected" in told.stdout
    files = contents(archive)
    assert files.pop("pass.json") == PASS
    assert set(files) == {*images(), *PERSONAL, "manifest.json", "signature"}
    assert {name: files[name] for name in {**images(), **PERSONAL}} == {**images(), **PERSONAL}


def test_entries_are_plain_files_without_times() -> None:
    with zipfile.ZipFile(io.BytesIO(build(AssetSet.of(images())))) as reader:
        for info in reader.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr >> 16 == 0o100644
            assert not info.is_dir()
            assert (info.extra, info.comment, info.flag_bits) == (b"", b"", 0)


def test_the_manifest_names_every_file_with_its_sha1() -> None:
    files = contents(build(AssetSet.of(images()), personal=PERSONAL))
    manifest = json.loads(files.pop("manifest.json"))
    files.pop("signature")
    assert manifest == {name: hashlib.sha1(content).hexdigest() for name, content in files.items()}


def test_openssl_accepts_the_signature_over_the_manifest(tmp_path: Path) -> None:
    files = contents(build(AssetSet.of(images())))
    assert "successful" in openssl_verify(tmp_path, files["signature"], files["manifest.json"])


def test_no_shared_files_is_still_an_archive() -> None:
    assert set(contents(build(AssetSet.of({})))) == {"pass.json", "manifest.json", "signature"}


def test_stored_parts_rebuild_to_the_byte_without_the_key() -> None:
    identity = authority().identity()
    assets = AssetSet.of(images())
    signed = sign_package(identity, assets, PASS, NOW.replace(microsecond=5), PERSONAL)
    assert len(signed.signature) == 256
    assert signed.format == FORMAT == 1
    first = rebuild_package(signed, identity.certificates, assets, PERSONAL)
    stored = dataclasses.replace(signed, signature=StoredSignature(bytes(signed.signature)))
    certificates = SignerCertificates.from_chain(identity.certificates.leaf, identity.certificates.chain)
    backwards = AssetSet.of(dict(reversed(images().items())))
    assert rebuild_package(stored, certificates, backwards, dict(reversed(PERSONAL.items()))) == first


def test_the_shared_files_come_first_and_do_not_depend_on_the_pass() -> None:
    assets = AssetSet.of(images())
    one, two = build(assets), build(assets, encode(store_card(serialNumber="other")), PERSONAL)
    size = len(assets.entries.data)
    assert one[:size] == two[:size] == assets.entries.data
    assert one != two


def test_format_1_is_frozen() -> None:
    """The layout of stored passes: local headers of APPNOTE 6.3, with the CRC-32 that gzip gives."""
    archive = assemble_package(AssetSet.of({"icon.png": b"icon"}), b"{}", b"[]", b"sig")
    assert archive[:42].hex() == (
        "504b0304" "1400" "0000" "0000" "0000" "2100" "db299465" "04000000" "04000000" "0800" "0000"
        + b"icon.png".hex() + b"icon".hex()
    )  # fmt: skip
    assert list(contents(archive)) == ["icon.png", "pass.json", "manifest.json", "signature"]


def test_parts_that_do_not_belong_together_are_refused() -> None:
    identity = authority().identity()
    assets = AssetSet.of(images())
    signed = sign_package(identity, assets, PASS, NOW, PERSONAL)
    other_assets = AssetSet.of({**images(), "icon.png": png(38, 39)})
    stranger = authority().certificates(authority().issue_pass_certificate(key_name="stranger"))
    cases = [
        (dataclasses.replace(signed, format=2), identity.certificates, assets, PERSONAL, "package.format"),
        (signed, stranger, assets, PERSONAL, "package.parts"),
        (signed, identity.certificates, other_assets, PERSONAL, "package.parts"),
        (signed, identity.certificates, assets, {}, "package.parts"),
        (dataclasses.replace(signed, pass_json=PASS + b" "), identity.certificates, assets, PERSONAL, "package.parts"),
        (
            dataclasses.replace(signed, signing_time=NOW + timedelta(seconds=1)),
            identity.certificates,
            assets,
            PERSONAL,
            "package.signature",
        ),
    ]
    for parts, certificates, files, personal, code in cases:
        with pytest.raises(PackageError) as caught:
            rebuild_package(parts, certificates, files, personal)
        assert caught.value.error_code == code


def test_personal_data_stays_out_of_reprs() -> None:
    signed = sign_package(authority().identity(), AssetSet.of(images()), PASS, NOW)
    assert "Ada" not in repr(signed)
    assert "Ada" in PASS.decode()


@pytest.mark.parametrize(
    "path",
    [
        "../icon.png", "/icon.png", "a/../icon.png", "a/b.png", "C:icon.png", "a\\icon.png", ".DS_Store", "icon", "",
        "manifest.json", "pass.json", "PASS.JSON", "signature", "Signature", "de.lproj/", "de.lproj/a/b.png", "icon.png\0",
        "icon.png\n", "ícon.png", "de.lproj/../icon.png", "icon@4x.png", "run.sh", "x" * 80 + ".png", "icon..png", "data.json",
        'ic"on.png', "manifest.json/x.png", "de.lproj/pass.json",
    ],
)  # fmt: skip
def test_paths_outside_the_alphabet_are_refused(path: str) -> None:
    with pytest.raises(PackageError) as caught:
        AssetSet.of({path: b""})
    assert caught.value.error_code == "package.path"
    with pytest.raises(PackageError):
        build_manifest(AssetSet.of({}), PASS, {path: b""})


def test_paths_equal_but_for_case_are_refused() -> None:
    with pytest.raises(PackageError, match="twice"):
        AssetSet.of({"icon.png": b"", "Icon.png": b""})
    with pytest.raises(PackageError, match="twice"):
        build_manifest(AssetSet.of(images()), PASS, {"icon.png": b""})
    with pytest.raises(PackageError, match="twice"):
        assemble_package(AssetSet.of(images()), PASS, b"{}", b"", {"DE.lproj/pass.strings": b""})


def test_the_hash_covers_names_and_contents() -> None:
    hashes = {
        AssetSet.of(files).hash
        for files in [{}, {"a.png": b""}, {"b.png": b""}, {"a.png": b"x"}, {"a.png": b"", "b.png": b""}]
    }
    assert len(hashes) == 5
    assert AssetSet.of({"b.png": b"1", "a.png": b"2"}).hash == AssetSet.of({"a.png": b"2", "b.png": b"1"}).hash


def test_too_many_or_too_large_files_are_refused() -> None:
    with pytest.raises(PackageError, match="500 files"):
        AssetSet.of({f"a{number}.png": b"" for number in range(501)})
    with pytest.raises(PackageError, match="50 MB"):
        AssetSet.of({"a.png": bytes(50_000_001)})


NAMES = st.from_regex(r"\A(?:[a-z]{2}(?:-[A-Z]{2})?\.lproj/)?[a-z][a-z0-9_-]{0,12}(?:@[23]x)?\.(?:png|pdf|strings)\Z")
FILES = st.dictionaries(NAMES, st.binary(max_size=400), max_size=8)


@settings(max_examples=40, deadline=None)
@given(shared=FILES, own=FILES, document=st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4))
def test_any_files_come_back_through_zipfile(
    shared: dict[str, bytes], own: dict[str, bytes], document: dict[str, str]
) -> None:
    lower = {name.lower() for name in shared}
    own = {name: content for name, content in own.items() if name.lower() not in lower}
    own = {name: own[name] for name in {name.lower(): name for name in own}.values()}
    shared = {name: shared[name] for name in {name.lower(): name for name in shared}.values()}
    files = contents(build(AssetSet.of(shared), encode(document), own))
    manifest = json.loads(files.pop("manifest.json"))
    files.pop("signature")
    assert files.pop("pass.json") == encode(document)
    assert files == {**shared, **own}
    assert {name: manifest[name] for name in files} == {n: hashlib.sha1(c).hexdigest() for n, c in files.items()}


def test_archives_that_would_need_zip64_are_refused() -> None:
    many = encode_entries((f"f{number}", b"") for number in range(65_536))
    with pytest.raises(PackageError, match="65,535"):
        join_entries(many)
    assert join_entries(Entries(b"", b"", 0)).startswith(b"PK\5\6")


def test_a_bundle_holds_passes_in_order(tmp_path: Path) -> None:
    passes = [build(AssetSet.of({}), encode(store_card(serialNumber=str(number)))) for number in range(10)]
    archive = bundle_passes(passes)
    (tmp_path / "b.pkpasses").write_bytes(archive)
    assert (
        subprocess.run(["unzip", "-tq", "b.pkpasses"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    )
    found = contents(archive)
    assert list(found.values()) == passes
    assert all(name.endswith(".pkpass") for name in found)
    assert bundle_passes(passes) == archive


def test_bundles_outside_apples_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = build(AssetSet.of({}))
    for passes in ([], [one] * 11, [b"<html>"]):
        with pytest.raises(PackageError) as caught:
            bundle_passes(passes)
        assert caught.value.error_code == "package.bundle"
    monkeypatch.setattr("passflow.wallets.apple.bundle.MAX_BYTES", len(one))
    with pytest.raises(PackageError, match="MB"):
        bundle_passes([one])
