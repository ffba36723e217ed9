"""Shards as Dagster partitions: fixed, zero-padded keys, each a range of the first byte of the id hash."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from passflow.program import Program
from passflow.sync.fingerprint import shard_ranges

SHARDS_PER_RUN = 16
"""A backfill takes so many shards into one run: a run costs seconds, a shard need not."""


@dataclass(frozen=True)
class Shard:
    """One range of a program's passes; ``key`` is None where the program is not sharded."""

    key: str | None
    low: int = 0
    high: int = 256


def partitions(program: Program) -> dg.StaticPartitionsDefinition | None:
    """Partitions of ``passes`` and the wallets; None where one shard holds everything."""
    if program.shards == 1:
        return None
    return dg.StaticPartitionsDefinition([shard_key for shard_key, _, _ in shard_ranges(program.shards)])


def backfill_policy(program: Program) -> dg.BackfillPolicy | None:
    """How a backfill cuts the shards into runs."""
    return None if program.shards == 1 else dg.BackfillPolicy.multi_run(SHARDS_PER_RUN)


def all_shards(program: Program) -> list[Shard]:
    """Every shard of a program, in key order."""
    if program.shards == 1:
        return [Shard(None)]
    return [Shard(shard_key, low, high) for shard_key, low, high in shard_ranges(program.shards)]


def shards_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, program: Program) -> list[Shard]:
    """The shards that this run is about."""
    if program.shards == 1:
        return [Shard(None)]
    wanted = set(context.partition_keys)
    return [shard for shard in all_shards(program) if shard.key in wanted]


def ranges(program: Program) -> Sequence[tuple[str, str]]:
    """First and last key of each run of a whole pass over a sharded program."""
    keys = [shard.key or "" for shard in all_shards(program)]
    chunks = [keys[start : start + SHARDS_PER_RUN] for start in range(0, len(keys), SHARDS_PER_RUN)]
    return [(chunk[0], chunk[-1]) for chunk in chunks]
