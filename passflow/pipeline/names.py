"""Names of everything a program has in Dagster, derived from the program's name in one place."""

import dagster as dg

from passflow.program import Program

SOURCE = "source"
MEMBERS = "members"
PLAN = "pass_plan"
PASSES = "passes"


def key(program: Program, kind: str) -> dg.AssetKey:
    """Key of one asset of a program; assets of one program share its name as prefix and group."""
    return dg.AssetKey([program.program, kind])


def source_key(program: Program) -> dg.AssetKey:
    """Key of what the members are read from: the upstream asset where one feeds the program, else its own source."""
    from passflow.ports import NeedsUpstream

    if isinstance(program.source, NeedsUpstream):
        return dg.AssetKey(list(program.source.upstream_key()))
    return key(program, SOURCE)


def wallet_kind(wallet: str) -> str:
    """Last part of the key of a wallet's asset, such as ``apple_wallet``."""
    return f"{wallet}_wallet"


def step(program: Program, kind: str) -> str:
    """Name of the op behind an asset; run config is addressed to it."""
    return f"{program.program}__{kind}"


def job(program: Program, verb: str) -> str:
    """Name of a job, schedule or sensor of a program, such as ``gold_plan``."""
    return f"{program.program}_{verb}"


def pool(program: Program, *, sharded: bool = False) -> str:
    """Pool of a program's steps; one at a time unless the operator grants more.

    Steps of shards have a pool of their own, so that several machines may share a sharded program:
    ``dagster instance concurrency set passflow_festival_shards 4``. The store's leases keep shards apart either way.
    """
    return f"passflow_{program.program}{'_shards' if sharded else ''}"
