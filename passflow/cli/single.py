"""``passflow one``: one member, now: read from the source, compared, and applied if asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from passflow.cli.apply import bring_up
from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson, ExternalId, ProgramOption
from passflow.cli.output import Output
from passflow.cli.plan import CHANGES
from passflow.cli.programs import choose_program
from passflow.sync.progress import silent

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.sync.single import One


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("one")(one)


def one(
    member: ExternalId,
    program: ProgramOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply it, sign the pass and tell its phones.")] = False,
    as_json: AsJson = False,
) -> None:
    """Reads one member from the source and shows what would become of the pass; `--apply` does it.

    Waits for no nightly run. Without `--apply` it ends with 2 when something would change; with a refused row with 1.
    """
    from passflow.sync.single import apply_one

    output = Output(as_json=as_json)
    with open_installation() as installation:
        chosen = choose_program(installation.programs, program)
        found = apply_one(chosen, installation.store, member, dry=not apply)
        wallets: list[dict[str, Any]] = []
        if apply and found.operation is not None:
            _audit(installation, chosen.program, found)
            wallets = [bring_up(installation, chosen.program, wallet, silent, push=True) for wallet in chosen.wallets]
    document = _document(chosen.program, found, wallets)
    for line in _lines(document):
        output.say(line)
    output.emit("one", document)
    if found.rejection is not None:
        raise typer.Exit(1)
    if not apply and found.operation is not None:
        raise typer.Exit(CHANGES)


def _audit(installation: Installation, program: str, found: One) -> None:
    from passflow.store.audit import add_entry

    details = {"outcome": found.outcome.value}
    with installation.store.begin() as conn:
        add_entry(
            installation.store,
            conn,
            actor=actor(),
            action="one.apply",
            program=program,
            subject=found.serial,
            details=details,
        )


def _document(program: str, found: One, wallets: list[dict[str, Any]]) -> dict[str, Any]:
    operation, rejection = found.operation, found.rejection
    return {
        "program": program,
        "found": found.found,
        "serial": found.serial,
        "outcome": found.outcome.value,
        "code": found.code,
        "operation": operation and {
            "kind": operation.kind.value, "status": operation.status.value, "changed": list(operation.changed),
            "rings": list(operation.rings),
        },
        "refused": rejection and {"code": rejection.code, "field": rejection.field},
        "wallets": wallets,
    }  # fmt: skip


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [] if document["found"] else ["The master system does not know this member (any more)."]
    operation, refused = document["operation"], document["refused"]
    if refused:
        field = f" in field {refused['field']}" if refused["field"] else ""
        return [
            *lines,
            f"[red]x[/] refused: {refused['code']}{field}; docs/errors.md says what to do. The pass stays as it is.",
        ]
    if operation is None:
        return [*lines, "Nothing to do: the pass shows what the master system says."]
    pass_name = f"pass {document['serial'][:12]}" if document["serial"] else "a new pass"
    lines.append(f"[bold]{operation['kind']}[/] {pass_name} → {operation['status']}: {document['outcome']}")
    if operation["changed"]:
        lines.append(f"  changes: {', '.join(operation['changed'])}")
    if operation["rings"]:
        lines.append(f"  rings because of: {', '.join(operation['rings'])}")
    if document["outcome"] == "pending":
        lines.append("Do it with [bold]--apply[/].")
    lines += [
        f"  {wallet['wallet']}: {wallet['brought']} signed, {wallet['behind']} behind" for wallet in document["wallets"]
    ]
    return lines
