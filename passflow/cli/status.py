"""``passflow status``: how every program stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from passflow.cli.installed import open_installation
from passflow.cli.options import AsJson, ProgramName
from passflow.cli.output import Output
from passflow.cli.programs import choose_programs
from passflow.cli.times import iso_time, show_count, show_time

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passflow.program import Program


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("status")(status)


def status(program: ProgramName = None, as_json: AsJson = False) -> None:
    """Shows passes by status, wallets that are behind, phones, and the newest plan with what waits for an approval."""
    output = Output(as_json=as_json)
    with open_installation() as installation:
        chosen = list(choose_programs(installation.programs, program))
        with installation.store.read() as conn:
            documents = [describe(conn, each) for each in chosen]
    for document in documents:
        _write(output, document)
    output.emit("status", {"programs": documents})


def describe(conn: Connection, program: Program) -> dict[str, Any]:
    """How one program stands, as a document."""
    from sqlalchemy import func, select

    from passflow.store.passes import count_live, count_phones
    from passflow.store.plans import latest_plan
    from passflow.store.tables import passes
    from passflow.store.wallet_states import count_behind

    name = program.program
    grouped = select(passes.c.status, func.count()).where(passes.c.program == name).group_by(passes.c.status)
    plan = latest_plan(conn, name)
    return {
        "program": name,
        "live": count_live(conn, name),
        "statuses": {row[0]: row[1] for row in conn.execute(grouped.order_by(passes.c.status))},
        "phones": count_phones(conn, name),
        "wallets": [{"wallet": each.name, "behind": count_behind(conn, name, each.name)} for each in program.wallets],
        "plan": plan and {
            "plan_id": plan.plan_id,
            "status": plan.status.value,
            "observed_at": iso_time(plan.observed_at),
            "read": show_time(plan.observed_at),
            "refused": plan.counts.refused,
            "withheld": [{"kind": each.kind.value, "count": each.count, "rule": each.rule} for each in plan.withheld],
        },
    }  # fmt: skip


def _write(output: Output, document: dict[str, Any]) -> None:
    statuses = ", ".join(f"{count:,} {name}" for name, count in document["statuses"].items())
    output.say(f"[bold]{document['program']}[/]: {show_count(document['live'], 'live pass', 'live passes')}"
               f"{f' ({statuses})' if statuses else ''}, {show_count(document['phones'], 'phone')}")  # fmt: skip
    for wallet in document["wallets"]:
        behind = wallet["behind"]
        output.say(f"  {wallet['wallet']}: {f'[yellow]{behind:,} behind[/]' if behind else 'up to date'}")
    plan = document["plan"]
    if plan is None:
        output.say(f"  no plan yet: passflow plan {document['program']}")
        return
    refused = f", {show_count(plan['refused'], 'row')} refused" if plan["refused"] else ""
    output.say(f"  plan {plan['plan_id']} of {plan['read']}: {plan['status']}{refused}")
    for each in plan["withheld"] if plan["status"] == "ready" else ():
        output.say(
            f"    [yellow]withheld[/]: {each['count']:,} {each['kind']}(s), {each['rule']}; passflow show {plan['plan_id']}"
        )
