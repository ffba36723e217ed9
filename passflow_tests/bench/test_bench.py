"""The table works: every row has a measure, and its file has the shape that others read. Time is no criterion here."""

import json

import pytest

from passflow_tests.bench import __main__ as bench
from passflow_tests.bench import fresh
from passflow_tests.bench.table import Measure, save


def test_every_row_has_one_name_and_one_file():
    names = [name for each in bench.row_files() for name in each.ROWS]
    assert len(set(names)) == len(names)
    for each in bench.row_files():
        assert bench.row_files(each.ROWS[0]) == [each]


def test_an_unknown_row_names_those_there_are():
    with pytest.raises(SystemExit, match="bulk_apply_postgresql"):
        bench.row_files("nothing")


@pytest.mark.parametrize(
    ("value", "must", "holds"),
    [
        (0.85, ">= 0.85", True),
        (0.84, ">= 0.85", False),
        (1.4, "<= 1.4", True),
        (1.41, "<= 1.4", False),
        (9, None, True),
    ],
)
def test_a_row_holds_what_it_must(value, must, holds):
    assert Measure("row", value, "×", must, "a floor").holds is holds


def test_the_file_has_exactly_the_documented_fields(tmp_path):
    save([Measure("row", 2.0, "×", ">= 3", "a floor")], tmp_path / "home" / "bench.json")
    (row,) = json.loads((tmp_path / "home" / "bench.json").read_text())
    assert row == {"name": "row", "value": 2.0, "unit": "×", "must": ">= 3", "holds": False}


def test_a_fresh_process_returns_its_result_and_peak():
    ran = fresh.run_fresh("os.path:join", a="left")
    assert ran.result == "left"
    assert 1 < ran.peak


def test_a_failed_process_says_why():
    with pytest.raises(RuntimeError, match="FileNotFoundError"):
        fresh.run_fresh("os:listdir", path="/nowhere/at/all")


@pytest.mark.parametrize("only", ["pushes", "members_compared"])
def test_quick_rows_are_measured_printed_and_saved(only, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PASSFLOW_HOME", str(tmp_path))
    (each,) = bench.row_files(only)
    rows = bench.main(["--only", only, "--quick"])
    assert {row.name for row in rows} == set(each.ROWS)
    saved = json.loads((tmp_path / "bench.json").read_text())
    assert {row["name"] for row in saved} == set(each.ROWS)
    assert all(row["value"] > 0 and isinstance(row["holds"], bool) for row in saved)
    assert rows[0].name in capsys.readouterr().out


@pytest.mark.slow
def test_every_row_can_be_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSFLOW_HOME", str(tmp_path))
    rows = bench.main(["--quick"])
    assert {row.name for row in rows} == {name for each in bench.row_files() for name in each.ROWS}
