"""The same marks through both doors: real Dagster runs with their home on disk, and the command line's output."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import select

from passflow.store.keys import authentication_token
from passflow.store.tables import passes
from passflow_tests.canary.marks import Search, new_mark
from passflow_tests.cli.runs import run_here
from passflow_tests.pipeline.club import Member, Project, Run
from passflow_tests.pipeline.conftest import instance, project, run

__all__ = ["instance", "project", "run"]

ROWS: list[Member] = [(new_mark("number"), new_mark("given"), 10**15 + 7919 * n, "active") for n in range(12)]


@pytest.fixture
def search(project: Project) -> Iterator[Search]:
    """Looks for members, keys and tokens; complete once there are passes, so tests search at their end."""
    found: dict[str, str | bytes] = {}
    for place, row in enumerate(ROWS):
        found |= {f"number {place}": row[0], f"given {place}": row[1], f"points {place}": str(row[2])}
    for path in (project.root.parent / "home" / "keys").iterdir():
        found[f"master key {path.name}"] = path.read_text().strip()
    yield Search(found)


def complete(search: Search, project: Project) -> Search:
    lines = [line for path in project.root.rglob("key.pem") for line in path.read_text().splitlines()]
    marks = search.marks | {
        f"key line {n}": line for n, line in enumerate(lines) if len(line) > 20 and "KEY" not in line
    }
    with project.open() as installation, installation.store.read() as conn:
        for serial in conn.execute(select(passes.c.serial)).scalars():
            marks[f"token {serial[:6]}"] = authentication_token(installation.store, serial)
    assert len(marks) > 60
    return Search(marks)


def everywhere(search: Search, project: Project) -> list[str]:
    """Findings in all files of the test, but for the exports, the keys, and the mail room of Python's bytecode."""
    return search.in_folder(
        project.root.parent,
        apart=[
            "home/keys",
            *(
                str(path.relative_to(project.root.parent))
                for name in ("members.csv", "key.pem")
                for path in project.root.rglob(name)
            ),
        ],
    )


def spoil(project: Project) -> Iterator[str]:
    """One broken export after the other."""
    path = project.programs / "club" / "members.csv"
    whole = path.read_text()
    for broken in (
        whole.replace(",", ";"),
        whole.replace("points", "punkte", 1),
        whole.replace(ROWS[1][1], "a,b,c"),
        whole.replace("\n", '\n"', 1),
        "",
    ):
        path.write_text(broken)
        yield broken
    path.write_text(whole)


def test_dagsters_home_holds_nobody(project: Project, instance: dg.DagsterInstance, run: Run, search, caplog) -> None:
    project.add("club", rows=ROWS)
    run("club_plan")
    run("club_apply")
    worse = [(number, name, "many", state) for number, name, _, state in ROWS[:3]]
    project.write_members("club", [*worse, ROWS[3], (ROWS[3][0], ROWS[4][1], 5, "active"), (*ROWS[5][:3], "asleep")])
    planned = run("club_plan")
    assert planned.success
    run("club_apply")
    failures = []
    for _ in spoil(project):
        result = run("club_plan", raise_on_error=False)
        assert not result.success
        failures += [event for event in result.all_events if event.is_step_failure]
    (project.programs / "club" / "certificate.pem").write_text("nonsense")
    project.write_members("club", [(number, name, points + 1, state) for number, name, points, state in ROWS])
    run("club_plan")
    assert not run("club_apply", raise_on_error=False).success
    assert len(failures) == 5
    whole = complete(search, project)
    told = [str(event.step_failure_data.error.to_string()) for event in failures]
    assert whole.in_texts(told, "a failure") == []
    assert whole.in_bytes(caplog.text.encode(), "the log") == []
    assert everywhere(whole, project) == []
    home = project.root.parent / "home" / "dagster"
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"passflow/plan_id" in held and b"source.delimiter" in held, "the control: the right files were searched"


@pytest.mark.slow
def test_runs_in_processes_of_their_own_write_nobody_into_compute_logs(project: Project, search) -> None:
    project.add("club", rows=ROWS)
    home = project.root.parent / "home" / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").touch()
    environ = {**os.environ, "DAGSTER_HOME": str(home)}
    base = [sys.executable, "-m", "dagster", "job", "execute", "-m", "passflow.definitions", "-j"]
    said = b""

    def execute(job: str) -> int:
        nonlocal said
        done = subprocess.run(
            [*base, job], cwd=project.root, env=environ, capture_output=True, timeout=200, check=False
        )
        said += done.stdout + done.stderr
        return done.returncode

    assert execute("club_plan") == 0
    assert execute("club_apply") == 0
    (project.programs / "club" / "members.csv").write_text(f"member_no,first_name\n{ROWS[0][0]},{ROWS[0][1]}\n")
    execute("club_plan")
    whole = complete(search, project)
    assert whole.in_bytes(said, "the output") == []
    assert everywhere(whole, project) == []
    logs = [path for path in home.rglob("*.err") if path.stat().st_size] + list(home.rglob("*.out"))
    assert logs, "the control: there are compute logs"
    assert b"source.column_missing" in said or b"no column" in said


def test_the_command_line_shows_nobody_unasked(project: Project, search, capsys, monkeypatch) -> None:
    project.add("club", rows=ROWS)
    shown = []

    def say(*arguments: str) -> int:
        ended = run_here(capsys, *arguments)
        shown.append(f"$ passflow {arguments[0]}\n{ended.out}{ended.err}")
        return ended.status

    say("plan", "club")
    say("apply", "club")
    project.write_members(
        "club", [(*ROWS[0][:2], "many", "active"), *[(*row[:2], row[2] + 1, row[3]) for row in ROWS[1:9]]]
    )
    say("plan", "club")
    with project.open() as installation:
        from passflow.store.plans import latest_plan

        with installation.store.read() as conn:
            newest = latest_plan(conn, "club")
    assert newest is not None
    say("show", newest.plan_id)
    say("apply", "club", "--json")
    say("status")
    say("status", "--json")
    say("doctor")
    say("keys", "status")
    for _ in spoil(project):
        assert say("plan", "club") != 0
    say("approve", newest.plan_id, "delete", "99")
    say("apply", "no-such-plan")
    whole = complete(search, project)
    assert whole.in_bytes("\n".join(shown).encode(), "the output") == []
    assert sum(map(len, shown)) > 2_000
    assert any("source.delimiter" in each or "delimiter" in each for each in shown)


def test_an_unexpected_error_shows_code_and_not_data(project: Project, run: Run, search, monkeypatch) -> None:
    """A mistake of ours in the middle of the rows: the traceback names lines, and the rows stay out of it."""
    project.add("club", rows=ROWS)

    def fail(self, *given: object, **named: object) -> object:
        raise KeyError("broken on purpose")

    monkeypatch.setattr("passflow.sync.draft.Drafter.draft", fail)
    result = run("club_plan", raise_on_error=False)
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    told = failed.step_failure_data.error.to_string()
    assert "broken on purpose" in told
    assert search.in_texts([told], "a failure") == []
    assert everywhere(search, project) == []


def test_the_searched_forms_include_a_traceback_with_its_locals(search) -> None:
    """The control: where values of local variables are shown, the search finds them."""
    try:
        row = ROWS[0]
        raise ValueError(row[0])
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert search.in_bytes(text.encode(), "a traceback")
    assert Path(__file__).exists()
