"""Erasing a member on the command line."""

import pytest

from passflow_tests.cli.conftest import MEMBERS


def test_erasing_ends_the_pass_and_keeps_the_member_away(project):
    project.applied()
    ended = project.run("erase", "M0004", "--yes")
    assert ended.status == 0
    assert "Receipt erasure-" in ended.out
    assert "M0004" not in ended.out
    assert project.run("pass", "show", "M0004").status == 1
    planned = project.run("plan")
    assert "1 member.erased" in planned.out
    assert "19 live passes" in project.run("status").out


def test_the_receipt_as_json_is_complete_once_the_blank_pass_is_published(project):
    project.applied()
    document = project.run("erase", "M0004", "--yes", "--json").json
    assert document["schema"] == "passflow.erasure/1"
    assert document["completed_at"]
    assert all(document["steps"].values())
    assert project.run("erasures").out.strip() == "Every erasure is complete."


def test_without_a_terminal_it_asks_for_yes(project):
    ended = project.applied().run("erase", "M0004")
    assert ended.status == 1
    assert ended.err.startswith("error[command.confirm]")
    assert project.run("pass", "show", "M0004").status == 0


@pytest.mark.parametrize(("typed", "status"), [("erase\n", 0), ("yes\n", 1), ("", 1)])
def test_a_person_types_the_word(project, monkeypatch, typed, status):
    import io

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    project.applied()
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert project.run("erase", "M0004").status == status
    assert project.run("pass", "show", "M0004").status == 1 - status


def test_erasing_somebody_who_never_had_a_pass_leaves_a_tombstone(project):
    assert project.run("erase", "M0004", "--yes").status == 0
    assert "19 to create" in project.run("plan").out


def test_readmitting(project):
    project.applied()
    assert "nothing to do" in project.run("readmit", "M0004").out
    project.run("erase", "M0004", "--yes")
    assert "may come back" in project.run("readmit", "M0004").out
    project.members(MEMBERS)
    assert "1 to create" in project.run("plan").out
