"""``passflow plan`` and ``passflow show``: what the next run would change, without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson, ProgramName, ShowValues
from passflow.cli.output import Output
from passflow.cli.programs import choose_program
from passflow.errors import ConfigError

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.model import Plan

NOTHING: Final = 0
CHANGES: Final = 2
WITHHELD: Final = 3

Limit = Annotated[int, typer.Option("--limit", min=0, help="Operations and refused rows shown of each kind.")]


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.command("plan")(make)
    app.command("show")(show)


def make(
    program: ProgramName = None, limit: Limit = 5, show_values: ShowValues = False, as_json: AsJson = False
) -> None:
    """Reads the source and shows what applying would change; nothing is changed.

    The plan is saved, and `passflow apply` applies exactly it. Ends with 0 when there is nothing to do, 2 when there are
    changes, 3 when the guard withholds some of them, 1 when it fails.
    """
    from passflow.sync.plan import make_plan

    output = Output(as_json=as_json)
    with open_installation() as installation:
        chosen = choose_program(installation.programs, program)
        with output.progress() as progress:
            plan = make_plan(chosen, installation.store, progress=progress)
        present(output, installation, plan, limit=limit, show_values=show_values)
    raise typer.Exit(exit_status(plan))


def show(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a plan, or a program for its newest one.")],
    limit: Limit = 20,
    show_values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """Shows a saved plan again; ends like `passflow plan`."""
    with open_installation() as installation:
        plan = find_plan(installation, plan_id)
        present(Output(as_json=as_json), installation, plan, limit=limit, show_values=show_values)
    raise typer.Exit(exit_status(plan))


def find_plan(installation: Installation, name: str) -> Plan:
    """A plan by its id, or the newest plan of the program of that name.

    Raises:
        PlanError: there is none.
    """
    from passflow.errors import PlanError
    from passflow.store.plans import latest_plan, load_plan

    with installation.store.read() as conn:
        if name not in installation.programs:
            return load_plan(conn, name)
        plan = latest_plan(conn, name)
    if plan is None:
        raise PlanError(
            f"Program {name!r} has no plan yet.", fix=f"Make one with `passflow plan {name}`.", code="plan.missing"
        )
    return plan


def present(
    output: Output,
    installation: Installation,
    plan: Plan,
    *,
    limit: int,
    show_values: bool = False,
    advise: bool = True,
) -> None:
    """Writes a plan: for people in Terraform's manner, or as JSON.

    Args:
        output: where to.
        installation: where the plan is.
        plan: the plan.
        limit: operations and refused rows shown of each kind.
        show_values: members' data in clear.
        advise: end with what to type next.

    Raises:
        ConfigError: values were asked for without a terminal to show them on.
    """
    from passflow.cli.plan_view import plan_document, write_plan
    from passflow.sync.explain import explain

    if show_values:
        _allow_values(output, installation, plan)
    program = installation.program(plan.program)
    explanation = explain(program, installation.store, plan.plan_id, limit=limit, show_values=show_values)
    if output.as_json:
        output.emit("plan", plan_document(plan, explanation, exit_status(plan)))
    else:
        write_plan(output.console, plan, explanation, advise=advise)


def exit_status(plan: Plan) -> int:
    """Exit status of a plan: 0 nothing to do, 2 changes, 3 withheld by the guard."""
    if plan.withheld:
        return WITHHELD
    return NOTHING if plan.empty else CHANGES


def _allow_values(output: Output, installation: Installation, plan: Plan) -> None:
    import sys

    from passflow.store.audit import add_entry

    if output.as_json or not sys.stdout.isatty():
        raise ConfigError(
            "Members' data is shown on a terminal only, not in pipes, files or JSON.",
            fix="Run it on a terminal, without --json.",
            code="command.values",
        )
    with installation.store.begin() as conn:
        add_entry(
            installation.store,
            conn,
            actor=actor(),
            action="plan.show_values",
            program=plan.program,
            subject=plan.plan_id,
        )
