from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from passflow.errors import StoreError
from passflow.store import assets
from passflow.store.tables import assets as table
from passflow.wallets.apple.assets import AssetSet

ICON, LOGO = b"\x89PNG icon", b"\x89PNG logo"


def test_a_file_is_kept_once_under_the_sha256_of_its_content(store):
    with store.begin() as conn:
        first = assets.add_file(conn, ICON, "image/png", now=1)
        assert assets.add_file(conn, ICON, "image/png", now=2) == first == hashlib.sha256(ICON).hexdigest()
        assert assets.load_file(conn, first) == ICON
        assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 1


def test_a_set_has_the_hash_that_the_package_gives_it(store):
    files = {"icon.png": ICON, "de.lproj/pass.strings": b'"a" = "b";', "logo@2x.png": LOGO}
    with store.begin() as conn:
        digest = assets.add_set(conn, files, now=1)
        assert assets.load_set(conn, digest) == files
        assert assets.add_set(conn, dict(reversed(files.items())), now=2) == digest
    assert digest == AssetSet.of(files).hash


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,9}(@[23]x)?\.png", fullmatch=True)


@given(st.dictionaries(names, st.binary(max_size=20), max_size=6))
def test_any_set_hashes_as_the_package_does(files):
    if len({name.lower() for name in files}) == len(files):
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
        assert assets.set_hash(hashes) == AssetSet.of(files).hash


def test_the_content_of_files_and_sets_is_checked_when_it_is_read(store):
    with store.begin() as conn:
        file = assets.add_file(conn, ICON, "image/png", now=1)
        whole = assets.add_set(conn, {"icon.png": ICON}, now=1)
        conn.execute(update(table).where(table.c.hash == file).values(content=LOGO))
    for load, digest in ((assets.load_file, file), (assets.load_set, whole)):
        with pytest.raises(StoreError, match="altered"), store.read() as conn:
            load(conn, digest)
    for listing in (b'[["icon.png","00"]]', b"", b"{", b"7", b'[["icon.png",7]]', b'[["icon.png"]]', b'[[7,"00"]]'):
        with store.begin() as conn:
            conn.execute(update(table).where(table.c.hash == whole).values(content=listing))
        with pytest.raises(StoreError, match=r"set of files .* altered"), store.read() as conn:
            assets.load_set(conn, whole)


def test_what_is_not_kept_is_named(store):
    with store.begin() as conn:
        file = assets.add_file(conn, ICON, "image/png", now=1)
        for load, digest in ((assets.load_file, "0" * 64), (assets.load_set, "0" * 64), (assets.load_set, file)):
            with pytest.raises(StoreError, match=digest[:12]) as raised:
                load(conn, digest)
            assert raised.value.error_code == "asset.missing"


def test_a_file_that_is_too_large_is_refused(store, monkeypatch):
    monkeypatch.setattr(assets, "MAX_BYTES", 5)
    with pytest.raises(StoreError, match="6 bytes") as raised, store.begin() as conn:
        assets.add_file(conn, b"123456", "image/png", now=1)
    assert raised.value.error_code == "asset.too_large"


def test_a_library_name_means_its_newest_content_and_old_passes_keep_theirs(store):
    with store.begin() as conn:
        old = assets.add_name(conn, "summer-strip", ICON, "image/png", now=1)
        new = assets.add_name(conn, "summer-strip", LOGO, "image/png", now=2)
        assets.add_name(conn, "autumn", LOGO, "image/png", now=3)
    with store.read() as conn:
        found = assets.resolve(conn, "summer-strip")
        assert found == assets.NamedAsset("summer-strip", new, "image/png", len(LOGO), 2)
        assert [one.name for one in assets.list_names(conn)] == ["autumn", "summer-strip"]
        assert assets.load_file(conn, old) == ICON
        assert assets.resolve(conn, "winter") is None


def test_a_removed_name_is_gone_and_its_content_stays(store):
    with store.begin() as conn:
        digest = assets.add_name(conn, "strip", ICON, "image/png", now=1)
        assert assets.remove_name(conn, "strip") and not assets.remove_name(conn, "strip")
        assert assets.load_file(conn, digest) == ICON


def test_what_was_fetched_is_not_in_the_library(store):
    with store.begin() as conn:
        assets.add_name(conn, "ab" * 32, ICON, "image/png", now=1, scope="url")
        assert assets.list_names(conn) == [] and assets.resolve(conn, "ab" * 32) is None
        assert assets.resolve(conn, "ab" * 32, scope="url")


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", ".hidden", "a" * 129, "é", "a b", "a\n", "-a"])
def test_other_names_are_refused(store, name):
    with pytest.raises(StoreError) as raised, store.begin() as conn:
        assets.add_name(conn, name, ICON, "image/png", now=1)
    assert raised.value.error_code == "asset.name"
