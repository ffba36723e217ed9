"""``passflow dev-certs``: certificates to develop with, where the program file expects its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passflow.cli.options import AsJson, ProgramName
from passflow.cli.output import Output
from passflow.cli.private import write_private

if TYPE_CHECKING:
    from passflow.program import Program
    from passflow.testing.authority import TestAuthority

ROOT_NAME = "root.pem"
"""The test authority's own certificate, beside the pass certificate: what `passflow verify --root` trusts."""


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("dev-certs")(make_certificates)


def make_certificates(
    program: ProgramName = None,
    force: Annotated[bool, typer.Option("--force", help="Replace certificates that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes certificates for development, at the paths that the program file names.

    A test authority of your own signs them: passes verify with `passflow verify --root`, but never on a phone.
    Files that are there stay, unless `--force` is given; a reference that is not `file:` is left alone.
    """
    from passflow.cli.programs import choose_programs, load_project

    output = Output(as_json=as_json)
    programs = list(choose_programs(load_project(), program))
    written = write_certificates(programs, force=force)
    wallets = [(each.program, wallet) for each in programs for wallet in each.wallets]
    passed_over = [f"{name}/{wallet.name}" for name, wallet in wallets if not certificate_paths(wallet)]
    for path in written:
        output.say(f"  wrote {path}", markup=False)
    for name in passed_over:
        why = "it must name `certificate`, `key` and `intermediate` as `file:` references, without a password"
        output.say(f"  {name}: left alone; {why}", markup=False)
    if not written and not passed_over:
        output.say("Nothing to do: every certificate is there. `--force` replaces them.")
    output.emit("dev-certs", {"written": [str(path) for path in written], "passed_over": passed_over})


def write_certificates(programs: list[Program], *, force: bool = False) -> list[Path]:
    """Writes what Apple wallets of programs refer to as files and do not find.

    Args:
        programs: whose wallets.
        force: replace what is there.

    Returns:
        The files written.
    """
    authority: TestAuthority | None = None
    written: list[Path] = []
    for program in programs:
        for wallet in program.wallets:
            targets = certificate_paths(wallet)
            if not targets or (not force and all(path.exists() for path in targets.values())):
                continue
            if authority is None:
                from passflow.testing.authority import TestAuthority

                authority = TestAuthority()
            written += _write(authority, wallet, targets)
    return written


def certificate_paths(wallet: Any) -> dict[str, Path]:
    """Where a wallet's certificate, key and intermediate lie, by role; empty unless all that it names are files."""
    if wallet.name != "apple" or wallet.key is None or wallet.key_password is not None:
        return {}
    named = {role: getattr(wallet, role) for role in ("certificate", "key", "intermediate")}
    paths = {role: reference.path for role, reference in named.items() if reference is not None}
    if None in paths.values() or "intermediate" not in paths:
        return {}
    return {**paths, "root": paths["certificate"].with_name(ROOT_NAME)}


def _write(authority: TestAuthority, wallet: Any, targets: dict[str, Path]) -> list[Path]:
    issued = authority.issue_pass_certificate(wallet.pass_type, wallet.team, key_name=wallet.pass_type)
    contents = {
        "certificate": issued.certificate_pem,
        "key": issued.key_pem,
        "intermediate": authority.intermediate_pem,
        "root": authority.root_pem,
    }
    for role, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, contents[role])
    return list(targets.values())
