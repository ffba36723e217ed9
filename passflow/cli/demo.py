"""``passflow demo``: three nights of a loyalty club, as real Dagster runs, from an export file to signed passes."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from passflow.cli.demo_home import MARKER, PROGRAM, clear_home, demo_home, find_data, prepare_home, receive_night
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.cli.private import write_private
from passflow.cli.times import show_count
from passflow.errors import PlanError
from passflow.model import Outcome

if TYPE_CHECKING:
    from passflow.cli.demo_runs import Runs
    from passflow.installation import Installation
    from passflow.model import Plan

NIGHTS: Final = {
    1: "Night 1: the first load. Three rows of the export cannot be used; they are refused, and the rest goes on.",
    2: "Night 2: points change, somebody joins, somebody leaves, one member is in the export twice.",
    3: "Night 3: the export failed after its header. To a naive sync, everybody has left.",
}
SHOWN: Final = ("de_DE", "fr_FR", "en_GB")
"""One member of each of these languages gets a pass file and a picture."""


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("demo")(play)


def play(
    only_files: Annotated[
        bool, typer.Option("--only-files", help="Only lay out files, keys and store, for `make dev`.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plays three nights of a loyalty club with 2,480 invented members, and leaves signed passes behind.

    Everything lies in PASSFLOW_HOME, which must be empty or of an earlier demo; certificates are made for the occasion.
    """
    output = Output(as_json=as_json)
    data, home, began = find_data(), demo_home(), time.monotonic()
    if only_files and (home / "store.db").exists():
        return
    clear_home(home)
    output.say("[dim]Making certificates, keys and a store …[/]")
    prepare_home(data, home)
    receive_night(data, home, 1)
    if only_files:
        return
    from passflow.cli.demo_runs import open_runs

    output.say("[dim]Starting Dagster …[/]")
    with open_runs(data, home) as runs:
        nights = [_play_night(output, runs, data, home, night) for night in NIGHTS]
    passes = list(_leave_passes(data, home))
    _write_passes(output, passes)
    _write_next(output, home, time.monotonic() - began)
    output.emit(
        "demo", {"home": str(home), "nights": nights, "passes": passes, "seconds": round(time.monotonic() - began, 1)}
    )


def _play_night(output: Output, runs: Runs, data: Path, home: Path, night: int) -> dict[str, Any]:
    from passflow.cli.plan import find_plan, present
    from passflow.installation import Installation

    output.say(f"\n[bold reverse] {NIGHTS[night]} [/]\n")
    receive_night(data, home, night)
    runs.run(f"{PROGRAM}_plan")
    with Installation.open(data) as installation:
        plan = find_plan(installation, PROGRAM)
        if not output.as_json:
            present(output, installation, plan, limit=3, advise=False)
    runs.run(f"{PROGRAM}_apply", {"ops": {f"{PROGRAM}__passes": {"config": {"plan_id": plan.plan_id}}}})
    with Installation.open(data) as installation:
        stand = _stand(installation, plan)
    _check_night(night, plan, stand)
    output.say(f"\n  [green]✓[/] {_sentence(stand)}")
    return {"night": night, "plan_id": plan.plan_id, **stand}


def _sentence(stand: dict[str, Any]) -> str:
    done, held = (
        ", ".join(f"{count:,} {what}" for what, count in stand[each].items()) for each in ("done", "withheld")
    )
    waiting = f"; {held} wait for a person" if held else ""
    return f"applied {done or 'nothing'}{waiting}; {show_count(stand['live'], 'live pass', 'live passes')}, {stand['behind']:,} behind."


def _stand(installation: Installation, plan: Plan) -> dict[str, Any]:
    """What became of a plan, and how the program stands after it."""
    from passflow.cli.status import describe
    from passflow.store.plans import count_outcomes

    done: dict[str, int] = {}
    held: dict[str, int] = {}
    with installation.store.read() as conn:
        for (kind, outcome, withheld), count in count_outcomes(conn, plan.plan_id).items():
            ended = "" if withheld or outcome is Outcome.APPLIED else f" {outcome.value}"
            (held if withheld else done)[f"{kind.value}s{ended}"] = count
        stand = describe(conn, installation.program(PROGRAM))
    behind = sum(each["behind"] for each in stand["wallets"])
    return {"done": done, "withheld": held, "live": stand["live"], "behind": behind}


def _check_night(night: int, plan: Plan, stand: dict[str, Any]) -> None:
    """The demo claims something; so it looks whether that is so.

    Raises:
        PlanError: the night went otherwise than the story says.
    """
    held = {withholding.rule for withholding in plan.withheld}
    as_told = ("deletes.empty_read" in held and stand["live"] > 0) if night == 3 else not held
    if not as_told or stand["behind"]:
        raise PlanError(
            f"Night {night} did not go as told: withheld {sorted(held) or 'nothing'}, {stand['behind']} passes behind.",
            fix="Run `passflow status` and `passflow show gold`, and report what they say.",
            code="demo.story",
        )


def _leave_passes(data: Path, home: Path) -> Iterator[dict[str, Any]]:
    """Writes a pass file and a picture for some members, and verifies each with readers of its own."""
    from datetime import UTC, datetime

    from passflow.cli.passes import draw, find_pass, read_archive
    from passflow.cli.verify import read_root
    from passflow.installation import Installation
    from passflow.wallets.apple.verify import verify

    folder = home / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    root = read_root(home / "certificates" / PROGRAM / "root.pem")
    with Installation.open(data) as installation:
        for row in _chosen(data):
            _, found = find_pass(installation, PROGRAM, row["member_no"])
            archive = read_archive(installation, found.serial)
            language = row["language"].partition("_")[0]
            path = folder / f"{PROGRAM}-{language}.pkpass"
            write_private(path, archive)
            write_private(path.with_suffix(".png"), draw(archive, language=language))
            report = verify(archive, roots=[root], now=datetime.now(UTC))
            yield {
                "file": str(path), "picture": str(path.with_suffix(".png")), "verified": report.ok,
                "findings": [finding.code for finding in report.findings],
            }  # fmt: skip


def _chosen(data: Path) -> Iterator[dict[str, str]]:
    """Members worth showing: one of each language, active, with a balance."""
    with (data / PROGRAM / "members-night-2.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if row["state"] == "A" and row["credit_cents"] and row["tier"] != "S"
        ]
    for language in SHOWN:
        yield next(row for row in rows if row["language"] == language and len(row["valid_to"]) == 10)


def _write_passes(output: Output, passes: list[dict[str, Any]]) -> None:
    output.say("\n[bold reverse] Signed passes [/]\n")
    for each in passes:
        verdict = "[green]verified[/]" if each["verified"] else "[red]does not verify[/]"
        output.say(f"  {_near(each['file'])}  {verdict}   picture: {Path(each['picture']).name}")


def _write_next(output: Output, home: Path, seconds: float) -> None:
    output.say(f"\nThat took {seconds:.0f} seconds. Nobody lost a pass. What to type next:\n")
    binary = _near(Path(".venv/bin/passflow").absolute()) if Path(".venv/bin/passflow").exists() else "passflow"
    certificate = _near(home / "certificates" / PROGRAM / "root.pem")
    lines = (
        ("make dev", "the same runs, assets and checks in Dagster, on http://127.0.0.1:3000"),
        (f"{binary} show {PROGRAM}", "the plan of night 3 again, and how it would be approved"),
        (f"{binary} status", "how the programs stand"),
        (f"{binary} verify {_near(home / 'demo' / f'{PROGRAM}-de.pkpass')} --root {certificate}", ""),
    )
    for command, meaning in lines:
        output.say(f"  [bold]{command}[/]" + (f"\n      {meaning}" if meaning else ""))
    output.say(f"\n[dim]{_near(home)} holds all of it; {MARKER} there says that a next demo may replace it.[/]")


def _near(path: str | Path) -> str:
    """A path as short as it can be typed from here."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return str(path)
