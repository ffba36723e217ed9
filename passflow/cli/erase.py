"""``passflow erase`` and ``passflow readmit``: ending everything that is known of a member, with a receipt."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passflow.cli.apply import bring_up
from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson, ExternalId, ProgramOption
from passflow.cli.output import Output
from passflow.cli.programs import choose_program
from passflow.cli.times import iso_time
from passflow.errors import ConfigError
from passflow.sync.progress import silent

if TYPE_CHECKING:
    from passflow.store.erasure import Receipt

WORD = "erase"
"""What a person types to confirm."""


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command("erase")(erase_member)
    app.command("erasures")(list_open)
    app.command("readmit")(readmit_member)


def erase_member(
    member: ExternalId,
    program: ProgramOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where there is no terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erases a member: keys, records and history go, the pass turns blank on phones, a tombstone keeps it away.

    This cannot be undone. The receipt names nobody and may be kept; doing it again changes nothing more.
    """
    from passflow.store.erasure import erase, read_receipt, settle

    output = Output(as_json=as_json)
    with open_installation() as installation:
        chosen = choose_program(installation.programs, program)
        if not yes:
            _confirm(chosen.program)
        remote = [crm.name for crm in chosen.crms]
        receipt = erase(installation.store, chosen.program, member, actor=actor(), remote=remote)
        for wallet in chosen.wallets if receipt.serial else ():
            bring_up(installation, chosen.program, wallet, silent, push=True)
        settle(installation.store)
        receipt = read_receipt(installation.store, receipt.receipt_id)
    for line in receipt.lines():
        output.say(line)
    output.emit("erasure", _document(receipt))


def list_open(as_json: AsJson = False) -> None:
    """Lists erasures with steps that are still to be done, the oldest first."""
    from passflow.store.erasure import settle

    output = Output(as_json=as_json)
    with open_installation() as installation:
        receipts = settle(installation.store)
    for receipt in receipts:
        output.say("\n".join([*receipt.lines(), ""]))
    if not receipts:
        output.say("Every erasure is complete.")
    output.emit("erasures", {"open": [_document(receipt) for receipt in receipts]})


def readmit_member(member: ExternalId, program: ProgramOption = None, as_json: AsJson = False) -> None:
    """Lets an erased member come back: the next run issues a pass with a new serial number."""
    from passflow.store.erasure import readmit

    output = Output(as_json=as_json)
    with open_installation() as installation:
        name = choose_program(installation.programs, program).program
        found = readmit(installation.store, name, member, actor=actor())
    output.say("The member may come back." if found else "There is no erasure of this member; nothing to do.")
    output.emit("readmit", {"program": name, "readmitted": found})


def _confirm(program: str) -> None:
    """Asks a person to type the word.

    Raises:
        ConfigError: there is nobody to ask, or something else was typed.
    """
    if not sys.stdin.isatty():
        raise ConfigError(
            "Erasing cannot be undone, and there is no terminal to confirm it on.",
            fix="Add --yes if this is what you want.",
            code="command.confirm",
        )
    sys.stderr.write(
        f"This ends everything known of the member in program {program!r}, for good. Type {WORD!r} to go on: "
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip() != WORD:
        raise ConfigError(
            "Not confirmed; nothing was erased.", fix=f"Type {WORD!r} to confirm.", code="command.confirm"
        )


def _document(receipt: Receipt) -> dict[str, Any]:
    times = {name: iso_time(getattr(receipt, name)) for name in ("requested_at", "deadline_at", "completed_at")}
    steps = {step: iso_time(done) for step, done in receipt.steps.items()}
    return {**asdict(receipt), **times, "steps": steps}
