"""Planning, approving and applying on the command line: what is shown, what ends how."""

import json
import re

import pytest

from passflow_tests.cli.conftest import MEMBERS

PERSONAL = ("Zoë", "Adler-Nyström", "M0001", "M0020")


def changed(rows, number, old, new):
    return [row.replace(old, new) if index == number else row for index, row in enumerate(rows)]


def test_a_first_night_from_plan_to_passes(project):
    planned = project.run("plan", "club")
    assert planned.status == 2, "there are changes"
    assert "Plan: 20 to create, 0 to update, 0 to delete; 0 unchanged, 0 refused, 0 withheld." in planned.out
    assert "20 passes become billable." in planned.out
    assert "proved complete" in planned.out
    assert "+ create" in planned.out
    assert "~ update" not in planned.out, "the legend names the signs that occur"
    assert "… and 15 more creates" in planned.out
    assert "passflow apply club" in planned.out
    applied = project.run("apply", "club")
    assert applied.status == 0
    assert "20 applied" in applied.out
    assert "20 passes signed, 0 behind" in applied.out
    again = project.run("plan")
    assert again.status == 0
    assert "Nothing to do." in again.out


def test_nothing_of_a_person_is_shown_unless_asked_for_at_a_terminal(project):
    project.applied()
    project.members(changed(MEMBERS, 3, "4000", "4321"))
    for arguments in (("plan",), ("show", "club"), ("plan", "--json"), ("show", "club", "--json"), ("status",)):
        ended = project.run(*arguments)
        for text in (*PERSONAL, "4,321", "4321"):
            assert text not in ended.out + ended.err, arguments
    refused = project.run("plan", "--show-values")
    assert refused.status == 1
    assert "error[command.values]" in refused.err
    assert not any(text in refused.out + refused.err for text in PERSONAL)


def test_values_are_shown_on_a_terminal_and_the_look_is_audited(project, monkeypatch):
    project.applied()
    project.members(changed(MEMBERS, 3, "4000", "4321"))
    project.run("plan")
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    shown = project.run("show", "club", "--show-values")
    assert "M0004" in shown.out
    assert '"4,000" → "4,321"' in re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
    from passflow.installation import Installation
    from passflow.store.audit import read_entries

    with Installation.open() as installation, installation.store.read() as conn:
        assert next(entry.action for entry in read_entries(conn)) == "plan.show_values"


def test_an_update_shows_the_field_what_rings_and_what_stays_unseen(project):
    project.applied()
    rows = changed(changed(MEMBERS, 3, "4000", "4321"), 5, "2035", "2036")
    project.members(rows)
    planned = project.run("plan", "--limit", "10")
    assert planned.status == 2
    assert re.search(r"~ member …  pass [0-9a-f]{12}\n      points: \"…\" → \"…\"  rings\n", planned.out)
    assert "not on the pass: expires_at" in planned.out
    assert "0 to create, 2 to update" in planned.out


def test_refused_rows_are_listed_with_code_and_field(project):
    project.applied()
    project.members(changed(MEMBERS, 2, "2035-12-31", "never"))
    planned = project.run("plan")
    assert planned.status == 0, "a refused row changes nothing"
    assert re.search(r"x row 3  member .* expires_at.*: date.unreadable", planned.out)
    assert "A refused row never deletes its member's pass." in planned.out


def test_the_guard_holds_an_empty_export_until_somebody_types_the_number(project):
    project.applied()
    project.members([])
    planned = project.run("plan")
    assert planned.status == 3
    assert "Guard: 20 deletes withheld" in planned.out
    assert "! delete member" in planned.out
    assert "Nothing is applied before it is approved." in planned.out
    plan_id, kind, count = re.search(r"passflow approve (\w+) (\w+) (\d+)", planned.out).groups()
    assert (kind, count) == ("delete", "20")
    assert "withheld" in project.run("status").out
    held = project.run("apply")
    assert held.status == 0
    assert "Withheld by the guard: 20 operations" in held.out
    assert "20 live passes" in project.run("status").out
    wrong = project.run("approve", plan_id, "delete", "19")
    assert wrong.status == 1
    assert "error[plan.approval_count]" in wrong.err
    assert project.run("approve", plan_id, "delete", "20").status == 0
    assert "20 applied" in project.run("apply", plan_id).out
    assert "0 live passes" in project.run("status").out
    assert project.run("approve", plan_id, "delete", "20").status == 1, "an approval is used once"


def test_one_leaving_within_the_limits_is_deleted_without_asking(project):
    project.applied()
    project.members(MEMBERS[:-1])
    planned = project.run("plan")
    assert planned.status == 2
    assert re.search(r"- member …  pass [0-9a-f]{12}  active → deleted", planned.out)
    assert project.run("apply").status == 0
    assert "19 live passes (19 active, 1 deleted)" in project.run("status").out


def test_an_unproved_read_says_so_and_deletes_nothing(project):
    project.applied()
    project.members(MEMBERS[:-1], count=20)
    planned = project.run("plan")
    assert planned.status == 3
    assert "not proved complete" in planned.out
    assert "deletes.unproved" in planned.out


def test_a_plan_as_json_is_complete_and_says_how_it_ends(project):
    project.applied()
    project.members([*changed(MEMBERS, 3, "4000", "4321"), "M0001,again,again,1,2035-12-31,A"])
    ended = project.run("plan", "--json", "--limit", "1")
    document = ended.json
    assert document["schema"] == "passflow.plan/1"
    assert document["exit_status"] == ended.status == 2
    assert document["counts"]["updates"] == 1
    assert document["proof"]["complete"] is True
    assert document["refusals"] == {"id.duplicate": 2}
    assert len(document["refused_rows"]) == 1
    assert document["refused_rows_cut"] == 1
    (operation,) = document["operations"]
    assert (operation["kind"], operation["rings"], operation["billable"]) == ("update", True, False)
    assert operation["changes"][0]["key"] == "points"
    assert document["observed_at"].endswith("Z")


def test_apply_as_json(project):
    project.run("plan")
    document = project.run("apply", "--json").json
    assert document["schema"] == "passflow.apply/1"
    assert document["outcomes"] == {"applied": 20}
    assert document["kinds"] == {"create.applied": 20}
    assert document["wallets"][0] == {"wallet": "apple", "brought": 20, "failed": {}, "notices": {}, "behind": 0}
    assert project.run("apply", "--json").json["outcomes"] == {}, "applying twice changes nothing"


def test_a_wallet_that_fails_ends_with_1_and_names_the_code(project):
    project.run("plan")
    key = project.home / "certificates" / "key.pem"
    kept = key.read_bytes()
    key.write_text("no key")
    failed = project.run("apply")
    assert failed.status == 1
    assert "error[certificate." in failed.err
    key.write_bytes(kept)
    assert "20 passes signed, 0 behind" in project.run("apply").out, "what was committed waits for the next try"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("plan", "clubb"), "program.unknown"),
        (("show", "0123456789abcdef"), "plan.unknown"),
        (("apply", "club"), "plan.missing"),
        (("approve", "club", "delete", "1"), "plan.missing"),
    ],
)
def test_what_is_not_there_is_named_with_the_next_step(project, arguments, code):
    ended = project.run(*arguments)
    assert ended.status == 1
    assert ended.err.startswith(f"error[{code}]"), ended.err
    assert "next: " in ended.err


def test_a_stale_plan_is_refused(project):
    project.run("plan")
    first = project.run("show", "club", "--json").json["plan_id"]
    project.run("plan")
    ended = project.run("apply", first)
    assert ended.status == 1
    assert "error[plan.stale]" in ended.err


def test_a_failing_source_makes_no_plan(project):
    project.applied()
    (project.folder / "programs" / "club" / "members.csv").unlink()
    ended = project.run("plan", "--json")
    assert ended.status == 1
    assert json.loads(ended.out)["code"].startswith("source.")
    assert "20 live passes" in project.run("status").out


def test_with_a_gateway_passes_name_it_and_phones_are_told(project, monkeypatch):
    monkeypatch.setenv("PASSFLOW_BASE_URL", "https://passes.example.com")
    project.run("plan")
    applied = project.run("apply", "--json")
    assert applied.status == 0
    assert applied.json["wallets"][0]["pushed"]["told"] == 0, "no phone holds a pass yet"
    import zipfile

    assert project.run("pass", "export", "M0001", "--out", "one.pkpass").status == 0
    with zipfile.ZipFile(project.folder / "one.pkpass") as archive:
        document = json.loads(archive.read("pass.json"))
    assert document["webServiceURL"] == "https://passes.example.com/apple"
    assert len(document["authenticationToken"]) >= 16
    project.run("plan")
    assert "pushed" not in project.run("apply", "--no-push", "--json").json["wallets"][0]
