from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.pipeline.shards import SHARDS_PER_RUN, Shard, all_shards, backfill_policy, partitions, ranges, shards_of


@dataclass
class Sharded:
    """The part of a program that shards are cut from."""

    shards: int


@dataclass
class Context:
    """The part of an asset's context that names the run's partitions."""

    partition_keys: list[str]


COUNTS = st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128, 256])


@given(COUNTS)
def test_every_first_byte_is_in_exactly_one_shard(count: int) -> None:
    shards = all_shards(Sharded(count))  # type: ignore[arg-type]  # the part that is used
    assert [byte for shard in shards for byte in range(shard.low, shard.high)] == list(range(256))
    assert len(shards) == count


@given(COUNTS)
def test_runs_cover_every_shard_once_in_key_order(count: int) -> None:
    program = Sharded(count)
    keys = [shard.key or "" for shard in all_shards(program)]  # type: ignore[arg-type]  # the part that is used
    covered: list[str] = []
    for first, last in ranges(program):  # type: ignore[arg-type]  # the part that is used
        inside = [key for key in keys if first <= key <= last]
        assert 0 < len(inside) <= SHARDS_PER_RUN
        covered += inside
    assert covered == keys


def test_keys_are_fixed_and_zero_padded() -> None:
    """Renaming a key orphans its history in Dagster."""
    definition = partitions(Sharded(64))  # type: ignore[arg-type]  # the part that is used
    assert definition is not None
    keys = definition.get_partition_keys()
    assert keys[:2] == ["000", "001"]
    assert keys[-1] == "063"
    assert keys == sorted(keys)


def test_one_shard_is_no_partition() -> None:
    program = Sharded(1)
    assert partitions(program) is None  # type: ignore[arg-type]  # the part that is used
    assert backfill_policy(program) is None  # type: ignore[arg-type]  # the part that is used
    assert shards_of(Context([]), program) == [Shard(None, 0, 256)]  # type: ignore[arg-type]  # the part that is used


@pytest.mark.parametrize("wanted", [["002"], ["003", "000"], ["000", "001", "002", "003"]])
def test_a_run_does_the_shards_it_was_given(wanted: list[str]) -> None:
    found = shards_of(Context(wanted), Sharded(4))  # type: ignore[arg-type]  # the part that is used
    assert [shard.key for shard in found] == sorted(wanted)
    assert all(shard.high - shard.low == 64 for shard in found)


def test_a_backfill_takes_sixteen_shards_into_a_run() -> None:
    policy = backfill_policy(Sharded(64))  # type: ignore[arg-type]  # the part that is used
    assert policy is not None
    assert policy.max_partitions_per_run == 16
