"""What Dagster shows of a program's assets: keys, kinds, owners, columns, versions."""

import hashlib
from collections.abc import Sequence

import dagster as dg
from pydantic import BaseModel

from passflow.pipeline import names
from passflow.pipeline.lineage import column_schema
from passflow.pipeline.shards import partitions
from passflow.program import Program

CODE_FORMAT = "1"
"""Part of every code version; a new one says that the same file gives other passes."""

_FORMATS = {".csv": "csv", ".parquet": "parquet", ".json": "json"}
_DESCRIPTIONS = {
    names.SOURCE: "The master system that owns the members of `{program}`. Nothing is computed here that it should know.",
    names.MEMBERS: "Members of `{program}` as the master system shows them, in their common form. Read once per plan; "
    "only id hashes, fingerprints and changed rows (encrypted) are kept.",
    names.PLAN: "The creates, updates and deletes that would make the passes of `{program}` true, the rows refused, and the "
    "guard's verdict. Nothing is changed yet.",
    names.PASSES: "What every pass of `{program}` should be: the plan applied, each pass with its operation and event in one "
    "transaction.",
    "wallet": "The passes of `{program}` in {label}: brought to their revision, published, phones told.",
}


def kinds_of(program: Program, *, applied_only: bool = False) -> list[str]:
    """Kinds of the program's assets, in the order they depend on each other.

    Args:
        applied_only: leave out what the plan job makes.
    """
    wallets = [names.wallet_kind(wallet.name) for wallet in program.wallets]
    return [*([] if applied_only else [names.MEMBERS, names.PLAN]), names.PASSES, *wallets]


def build_spec(program: Program, kind: str) -> dg.AssetSpec:
    """The spec of one asset of a program.

    Args:
        kind: `source`, `members`, `pass_plan`, `passes` or `<wallet>_wallet`.
    """
    sharded = kind not in (names.SOURCE, names.MEMBERS, names.PLAN)
    return dg.AssetSpec(
        names.key(program, kind),
        deps=_deps(program, kind),
        description=_description(program, kind),
        group_name=program.program,
        owners=list(program.owners),
        tags={"passflow/program": program.program, **program.tags},
        kinds=_kinds(program, kind),
        metadata={"dagster/column_schema": column_schema(program, kind)},
        code_version=None if kind == names.SOURCE else _code_version(program, kind),
        partitions_def=partitions(program) if sharded else None,
    )


def _deps(program: Program, kind: str) -> Sequence[dg.AssetKey]:
    if kind == names.SOURCE:
        return []
    if kind == names.MEMBERS:
        return [names.source_key(program)]
    before = {names.PLAN: names.MEMBERS, names.PASSES: names.PLAN}.get(kind, names.PASSES)
    return [names.key(program, before)]


def _description(program: Program, kind: str) -> str:
    label = next((wallet.label for wallet in program.wallets if names.wallet_kind(wallet.name) == kind), "")
    text = _DESCRIPTIONS.get(kind, _DESCRIPTIONS["wallet"]).format(program=program.program, label=label or kind)
    return f"{text}\n\n{program.description}".rstrip()


def _kinds(program: Program, kind: str) -> set[str]:
    if kind in (names.SOURCE, names.MEMBERS):
        return {_source_kind(program), "table"}
    wallet = next((wallet.name for wallet in program.wallets if names.wallet_kind(wallet.name) == kind), None)
    return {wallet, "passflow"} if wallet else {"passflow"}


def _source_kind(program: Program) -> str:
    """The format of a file, which Dagster has a picture for; else the source's type."""
    path = str(getattr(program.source, "path", ""))
    found = next((kind for suffix, kind in _FORMATS.items() if suffix in path), None)
    return found or str(getattr(program.source, "type", "source"))


def _code_version(program: Program, kind: str) -> str:
    """Changes with the part of the program file that decides what the asset holds."""
    parts: dict[str, BaseModel] = {names.MEMBERS: program.members, names.PLAN: program.guard}
    part = parts.get(kind, program.template)
    text = part.model_dump_json(exclude_defaults=True, by_alias=True)
    return f"{CODE_FORMAT}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
