"""``passflow approve``: releases what the guard withheld of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.cli.plan import find_plan
from passflow.model import Kind

if TYPE_CHECKING:
    from passflow.model import Plan


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("approve")(approve_withheld)


def approve_withheld(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="Id of the plan, as `passflow plan` shows it.")],
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="create, update or delete.")],
    count: Annotated[int, typer.Argument(metavar="COUNT", min=1, help="How many operations the guard withheld.")],
    as_json: AsJson = False,
) -> None:
    """Releases withheld operations of one kind; `passflow apply` then takes them along.

    Plan, kind and number must all be those of the guard's verdict: typing the number is the confirmation. An approval is
    used once and does not carry over to a newer plan.
    """
    from passflow.sync.approve import approve

    with open_installation() as installation:
        plan: Plan = find_plan(installation, plan_id)
        released = approve(installation.store, plan.plan_id, kind, count, actor=actor())
    output = Output(as_json=as_json)
    output.say(f"Approved: {released.count:,} {kind.value}(s) of plan {plan.plan_id} ({released.rule}).")
    output.say(f"Apply them with: [bold]passflow apply {plan.plan_id}[/]")
    output.emit(
        "approve", {"plan_id": plan.plan_id, "kind": kind.value, "count": released.count, "rule": released.rule}
    )
