"""One member at once on the command line, from a master system that can be asked for one."""

import sqlite3

import pytest

from passflow_tests.cli.conftest import MEMBERS

vendor = pytest.importorskip("passflow.sources.sql")


@pytest.fixture
def shop(project):
    """The same project on a database of its own."""
    path = project.folder / "crm.db"
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE members (number TEXT PRIMARY KEY, first TEXT, last TEXT, points INT, until TEXT, state TEXT)"
    )
    database.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?)", [row.split(",") for row in MEMBERS])
    database.commit()
    program = project.folder / "programs" / "club" / "defs.yaml"
    text = program.read_text()
    start = text.index("  source:")
    end = text.index("  members:")
    program.write_text(f"{text[:start]}  source: {{type: sql, url: 'sqlite:///{path}', table: members}}\n{text[end:]}")
    project.database = database
    yield project
    database.close()


def test_one_member_is_shown_then_issued(shop):
    dry = shop.run("one", "M0007")
    assert dry.status == 2
    assert "create a new pass → active: pending" in dry.out.replace("[bold]", "")
    assert "0 live passes" in shop.run("status").out
    done = shop.run("one", "M0007", "--apply")
    assert done.status == 0
    assert "apple: 1 signed, 0 behind" in done.out
    assert shop.run("pass", "export", "M0007").status == 0
    again = shop.run("one", "M0007")
    assert again.status == 0
    assert "Nothing to do" in again.out


def test_a_change_names_its_fields_but_no_values(shop):
    shop.run("one", "M0007", "--apply")
    shop.database.execute("UPDATE members SET points = 77777 WHERE number = 'M0007'")
    shop.database.commit()
    ended = shop.run("one", "M0007", "--json")
    assert ended.status == 2
    assert ended.json["operation"] == {"kind": "update", "status": "active", "changed": ["points"], "rings": ["points"]}
    assert "77777" not in ended.out
    assert "M0007" not in ended.out


def test_a_refused_row_ends_with_1_and_leaves_the_pass(shop):
    shop.run("one", "M0007", "--apply")
    shop.database.execute("UPDATE members SET until = 'never' WHERE number = 'M0007'")
    shop.database.commit()
    ended = shop.run("one", "M0007", "--apply")
    assert ended.status == 1
    assert "refused: date.unreadable" in ended.out
    assert "1 live pass " in shop.run("status").out


def test_somebody_unknown(shop):
    ended = shop.run("one", "M9999")
    assert ended.status == 0
    assert "does not know this member" in ended.out


def test_a_source_that_reads_everything_or_nothing(project):
    ended = project.run("one", "M0001")
    assert ended.status == 1
    assert "error[source.no_single]" in ended.err
