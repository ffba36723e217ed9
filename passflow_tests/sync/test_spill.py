"""Rows come back by shard as they were put in; what touches the disk is unreadable and leaves nothing behind."""

import os
import resource
import subprocess
import sys

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from passflow.errors import CryptoError, PassflowError
from passflow.sync import spill
from passflow.sync.fingerprint import shard_ranges
from passflow.sync.spill import Spill

SECRET = "Ada Lovelace, ada@example.org"


def rows(ids, name=SECRET):
    return pl.DataFrame(
        {"row": range(len(ids)), "id_hash": ids, "name": [name] * len(ids), "none": [None] * len(ids)},
        schema={"row": pl.UInt64, "id_hash": pl.Binary, "name": pl.String, "none": pl.String},
    )


def on_disk(monkeypatch, rows_each=4):
    monkeypatch.setattr(spill, "FLUSH_ROWS", rows_each)
    return {"in_memory_rows": 0}


IDS = st.lists(st.binary(min_size=16, max_size=16), max_size=40)


@pytest.mark.parametrize("disk", [False, True])
@given(st.lists(IDS, max_size=5), st.sampled_from([1, 2, 16, 256]))
@settings(max_examples=40)
def test_every_row_comes_back_once_in_its_shard_and_order(disk, batches, shards):
    with pytest.MonkeyPatch.context() as patch, Spill(shards, **(on_disk(patch) if disk else {})) as split:
        for ids in batches:
            split.add(rows(ids))
        everything = [row for ids in batches for row in rows(ids).iter_rows()]
        assert split.rows == len(everything)
        for index, (_, low, high) in enumerate(shard_ranges(shards)):
            expected = [row for row in everything if low <= row[1][0] < high]
            assert split.shard(index).rows() == expected
            assert split.shard(index).rows() == expected  # asking twice is allowed


def test_types_nulls_and_slices_survive_the_disk(monkeypatch):
    whole = rows([bytes([index]) * 16 for index in range(200)]).with_columns(empty=pl.lit(""), long=pl.lit("ä" * 1_000))
    with Spill(4, **on_disk(monkeypatch, 50)) as split:
        for start in range(0, 200, 25):
            split.add(whole.slice(start, 25))
        assert split.bytes_on_disk
        assert_frame_equal(pl.concat([frame for _, frame in split]), whole)


def test_the_file_is_nameless_and_unreadable(monkeypatch, tmp_path):
    with Spill(2, directory=tmp_path, **on_disk(monkeypatch)) as split:
        split.add(rows([os.urandom(16) for _ in range(100)]))
        assert list(tmp_path.iterdir()) == []
        data = os.pread(split._file.fileno(), split.bytes_on_disk, 0)
        assert len(data) == split.bytes_on_disk > 5_000
        assert b"Ada" not in data and b"ARROW" not in data and b"id_hash" not in data
        assert SECRET not in repr(split) and "key" not in repr(split)
        cipher = split._cipher
    assert split._cipher is None and split._file is None
    assert isinstance(cipher, AESGCM)


def test_every_piece_has_its_own_nonce(monkeypatch):
    seen = []

    class Watched:
        generate_key = staticmethod(AESGCM.generate_key)

        def __init__(self, key):
            self._real = AESGCM(key)

        def encrypt(self, nonce, data, extra):
            seen.append(nonce)
            return self._real.encrypt(nonce, data, extra)

    monkeypatch.setattr(spill, "AESGCM", Watched)
    with Spill(8, **on_disk(monkeypatch)) as split:
        for _ in range(5):
            split.add(rows([os.urandom(16) for _ in range(50)]))
    assert len(seen) == len(set(seen)) > 8


def test_a_changed_file_is_noticed(monkeypatch):
    with Spill(1, **on_disk(monkeypatch)) as split:
        split.add(rows([bytes(16)] * 10))
        os.pwrite(split._file.fileno(), b"\0" * 8, 100)
        with pytest.raises(CryptoError, match="changed from outside"):
            split.shard(0)


def test_a_full_disk_says_so(monkeypatch):
    def full(file, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spill, "_write_all", full)
    with Spill(1, **on_disk(monkeypatch)) as split, pytest.raises(PassflowError, match="No space left") as caught:
        split.add(rows([bytes(16)] * 10))
    assert caught.value.error_code == "spill.failed"
    assert SECRET not in str(caught.value)


def test_a_closed_or_asked_spill_takes_nothing_more():
    split = Spill(2)
    split.add(rows([bytes(16)]))
    split.shard(0)
    with pytest.raises(RuntimeError, match="shard was asked for"):
        split.add(rows([bytes(16)]))
    split.close()
    split.close()
    with pytest.raises(RuntimeError, match="closed"):
        split.shard(0)


def test_a_read_without_rows_still_has_its_columns():
    with Spill(4, fields=("external_id", "points")) as split:
        assert split.shard(3).columns == ["row", "id_hash", "fingerprint", "external_id", "points"]
        assert list(split) == []
        with pytest.raises(IndexError):
            split.shard(4)
    with Spill(4) as split:
        split.add(rows([bytes(16)]))
        assert_frame_equal(split.shard(3), rows([]))


def test_a_killed_process_leaves_nothing(tmp_path):
    program = (
        "import os, sys; import polars as pl; from pathlib import Path; from passflow.sync import spill;"
        "spill.FLUSH_ROWS = 1; s = spill.Spill(1, directory=Path(sys.argv[1]), in_memory_rows=0);"
        "s.add(pl.DataFrame({'id_hash': [b'x' * 16]})); assert s.bytes_on_disk; os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_no_descriptor_stays_open(monkeypatch):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    for _ in range(min(50, soft)):
        with pytest.raises(ZeroDivisionError), Spill(1, **on_disk(monkeypatch)) as split:
            split.add(rows([bytes(16)] * 5))
            raise ZeroDivisionError
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) <= before + 2
