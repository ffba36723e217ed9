"""How programs stand, and what an unfinished night looks like."""

import pytest

from passflow_tests.cli.conftest import MEMBERS
from passflow_tests.cli.runs import run_process


def test_before_the_first_plan(project):
    ended = project.run("status")
    assert ended.status == 0
    assert "club: 0 live passes, 0 phones" in ended.out
    assert "no plan yet: passflow plan club" in ended.out
    document = project.run("status", "--json").json
    assert document["programs"] == [
        {"program": "club", "live": 0, "statuses": {}, "phones": 0, "wallets": [{"wallet": "apple", "behind": 0}], "plan": None}
    ]  # fmt: skip


def test_after_a_night(project):
    project.applied()
    (club,) = project.run("status", "club", "--json").json["programs"]
    assert club["live"] == 20
    assert club["statuses"] == {"active": 20}
    assert club["plan"]["status"] == "applied"
    assert "apple: up to date" in project.run("status").out


def test_statuses_of_passes_are_counted(project):
    rows = [row.replace(",A", ",B") if index < 3 else row for index, row in enumerate(MEMBERS)]
    project.members(rows)
    project.run("plan")
    project.run("apply")
    assert "20 live passes (17 active, 3 voided)" in project.run("status").out


def test_a_wallet_that_is_behind_is_told(project):
    project.run("plan")
    from passflow.installation import Installation
    from passflow.sync.apply import apply_plan

    plan_id = project.run("show", "club", "--json").json["plan_id"]
    with Installation.open() as installation:
        apply_plan(installation.program("club"), installation.store, plan_id, holder="test")
    assert "apple: 20 behind" in project.run("status").out


def test_refused_rows_and_withheld_operations_of_the_newest_plan(project):
    project.applied()
    project.members([MEMBERS[0].replace("2035-12-31", "never")])
    project.run("plan")
    text = project.run("status").out
    assert "ready, 1 row refused" in text
    assert "withheld: 19 delete(s), deletes.share" in text
    (club,) = project.run("status", "--json").json["programs"]
    assert club["plan"]["withheld"] == [{"kind": "delete", "count": 19, "rule": "deletes.share"}]


def test_an_unknown_program_lists_the_known_ones(project):
    ended = project.run("status", "clubs")
    assert ended.status == 1
    assert "Name one of: club." in ended.err


def test_a_store_of_no_version_points_to_init(bare_project):
    ended = bare_project.run("status")
    assert ended.status == 1
    assert "passflow init" in ended.err


@pytest.mark.parametrize("folder", [".", "programs", "programs/club"])
def test_from_every_folder_of_the_project_it_is_the_same_store(project, folder):
    project.applied()
    ended = run_process("status", cwd=project.folder / folder)
    assert ended.status == 0, ended.err
    assert "20 live passes" in ended.out


def test_pipes_get_whole_lines_without_colours(project):
    project.applied()
    ended = run_process("status", cwd=project.folder, env={"COLUMNS": "20"})
    assert "\x1b" not in ended.out
    assert "club: 20 live passes (20 active), 0 phones" in ended.out.splitlines()


def test_two_applying_at_once_do_not_issue_twice(project):
    import subprocess
    import sys

    from passflow_tests.cli.runs import PACKAGE_ROOT, START

    project.run("plan")
    import os

    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    command = [sys.executable, "-c", START, "apply", "club"]
    both = [
        subprocess.Popen(
            command, cwd=project.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ended = [(*process.communicate(timeout=60), process.returncode) for process in both]
    for _, err, status in ended:
        assert status == 0 or "error[lease.held]" in err, err
    assert any(status == 0 for *_, status in ended)
    assert "20 live passes" in project.run("status").out
    document = project.run("pass", "show", "M0001", "--json").json
    assert document["revision"] == 1
