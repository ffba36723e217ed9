"""``passflow apply``: what a plan says is committed, then the wallets are brought there and the phones are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from passflow.cli.installed import holder, open_installation
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.cli.plan import find_plan
from passflow.cli.times import show_count

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.model import Plan
    from passflow.sync.progress import Progress


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("apply")(apply)


def apply(
    plan_id: Annotated[
        str | None, typer.Argument(metavar="[PLAN]", help="Id of a plan, or a program for its newest one.")
    ] = None,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Tell the phones at once.")] = True,
    as_json: AsJson = False,
) -> None:
    """Applies the newest plan of a program, except for what the guard withholds; then signs and tells the phones.

    Running it again goes on where it stopped. Ends with 1 when operations or passes failed.
    """
    output = Output(as_json=as_json)
    with open_installation() as installation:
        name = plan_id or _only_program(installation)
        plan = find_plan(installation, name)
        with output.progress() as progress:
            document = carry_out(installation, plan, progress, push=push)
    write_result(output, document)
    output.emit("apply", document)
    if document["outcomes"].get("failed") or any(each["failed"] for each in document["wallets"]):
        raise typer.Exit(1)


def carry_out(installation: Installation, plan: Plan, progress: Progress, *, push: bool) -> dict[str, Any]:
    """Applies a plan, brings its program's wallets up to date and tells the phones; what was done, as a document."""
    from passflow.sync.apply import apply_plan

    program = installation.program(plan.program)
    applied = apply_plan(program, installation.store, plan.plan_id, holder=holder(), progress=progress)
    outcomes: dict[str, int] = {}
    for (_, outcome), count in applied.outcomes.items():
        outcomes[outcome.value] = outcomes.get(outcome.value, 0) + count
    return {
        "program": plan.program,
        "plan_id": plan.plan_id,
        "outcomes": outcomes,
        "kinds": {f"{kind.value}.{outcome.value}": count for (kind, outcome), count in applied.outcomes.items()},
        "withheld": applied.withheld,
        "wallets": [bring_up(installation, plan.program, wallet, progress, push=push) for wallet in program.wallets],
    }


def bring_up(installation: Installation, name: str, wallet: Any, progress: Progress, *, push: bool) -> dict[str, Any]:
    """Brings one wallet up to date and tells its phones; what was done, as a document."""
    from dataclasses import asdict

    from passflow.sync.converge import converge
    from passflow.sync.push import push as push_wallet

    program, store = installation.program(name), installation.store
    base_url = installation.settings.base_url
    done = converge(program, store, wallet, holder=holder(), base_url=base_url, progress=progress)
    document = {
        "wallet": wallet.name,
        "brought": done.brought,
        "failed": dict(done.failed),
        "notices": dict(done.notices),
        "behind": done.behind,
    }
    if push and base_url:
        document["pushed"] = asdict(push_wallet(program, store, wallet, progress=progress))
    return document


def write_result(output: Output, document: dict[str, Any]) -> None:
    """Writes what was done, for people."""
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(document["outcomes"].items()))
    output.say(f"[bold]Applied[/] plan {document['plan_id']} of {document['program']}: {outcomes or 'nothing to do'}.")
    if document["withheld"]:
        held = show_count(document["withheld"], "operation")
        output.say(
            f"[yellow]Withheld by the guard:[/] {held}; `passflow show {document['plan_id']}` says how to approve."
        )
    for wallet in document["wallets"]:
        output.say(
            f"  {wallet['wallet']}: {show_count(wallet['brought'], 'pass', 'passes')} signed, {wallet['behind']:,} behind"
        )
        for code, count in sorted(wallet["failed"].items()):
            output.say(f"    [red]{count:,} failed[/]: {code}")
        for code, count in sorted(wallet["notices"].items()):
            output.say(f"    {count:,} with a notice: {code}")
        if "pushed" in wallet:
            told = ", ".join(f"{count:,} {what}" for what, count in wallet["pushed"].items() if isinstance(count, int))
            output.say(f"    phones: {told}")


def _only_program(installation: Installation) -> str:
    from passflow.cli.programs import choose_program

    return choose_program(installation.programs, None).program
