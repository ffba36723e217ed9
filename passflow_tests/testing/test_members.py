import csv
import io
import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from passflow.testing.members import (
    FESTIVAL_TICKETS,
    GOLD_COLUMNS,
    GOLD_MEMBERS,
    demo_files,
    festival_tickets,
    gold_night,
    main,
    to_csv,
)
from passflow.testing.names import PEOPLE

DATA = Path(__file__).parents[2] / "data"


def by_number(night):
    return {row["member_no"]: row for row in gold_night(night)}


def luhn_holds(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B, from the right: every second digit doubled, digit sums added, a multiple of ten."""
    doubled = "".join(digit if place % 2 == 0 else str(int(digit) * 2) for place, digit in enumerate(digits[::-1]))
    return sum(map(int, doubled)) % 10 == 0


@pytest.mark.parametrize("name", sorted(demo_files()))
def test_committed_files_are_what_the_generator_writes(name):
    if not DATA.is_dir():
        pytest.skip("the demo data is not part of this installation")
    assert (DATA / name).read_bytes() == demo_files()[name]


def test_generation_does_not_depend_on_the_process(tmp_path):
    command = [sys.executable, "-m", "passflow.testing.members", str(tmp_path)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path), "PATH": ""})
    for name, content in demo_files().items():
        assert (tmp_path / name).read_bytes() == content


def test_main_makes_missing_folders(tmp_path):
    main(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "gold" / "members-night-1.csv").stat().st_size > 200_000


def test_first_night_holds_every_member_and_three_bad_rows():
    rows = gold_night(1)
    assert len(rows) == GOLD_MEMBERS + 3
    assert sum(not row["member_no"] for row in rows) == 1
    assert [row["valid_to"] for row in rows if row["valid_to"] == "31.02.2031"] == ["31.02.2031"]
    assert sum(len(row["last_name"]) > 500 for row in rows) == 1
    numbers = [row["member_no"] for row in rows if row["member_no"]]
    assert len(set(numbers)) == len(numbers)


def test_second_night_changes_stay_within_the_guards_defaults():
    before, after = by_number(1), by_number(2)
    gone = before.keys() - after.keys()
    cancelled = [number for number, row in after.items() if row["state"] == "X"]
    good_before = [number for number in before if number and len(before[number]["last_name"]) < 500]
    assert 0 < len(gone) + len(cancelled) <= len(good_before) / 10
    assert len(after.keys() - before.keys()) == 37
    changed = [number for number in before.keys() & after.keys() if before[number] != after[number]]
    assert 200 < len(changed) < 400


def test_second_night_has_a_member_twice_a_new_tier_and_an_unreadable_date():
    rows = gold_night(2)
    numbers = [row["member_no"] for row in rows]
    twice = {number for number in numbers if numbers.count(number) > 1}
    assert len(twice) == 1
    first, second = (row for row in rows if row["member_no"] in twice)
    assert first["points"] != second["points"]
    assert {row["tier"] for row in rows} - {row["tier"] for row in gold_night(1)} == {"D"}
    assert [row["valid_to"] for row in rows if not re.fullmatch(r"[0-9.-]+", row["valid_to"])] == ["soon"]
    assert all(row["member_no"] for row in rows), "a row without an id would withhold every delete of the night"


def test_third_night_is_a_header_and_nothing_else():
    assert demo_files()["gold/members-night-3.csv"] == (",".join(GOLD_COLUMNS) + "\n").encode()
    assert demo_files()["gold/members-night-3.csv.count"] == b"0\n"


def test_there_is_no_fourth_night():
    with pytest.raises(ValueError, match="nights 1 to 3, not 4"):
        gold_night(4)


def test_control_files_count_the_rows_that_an_independent_reader_sees():
    files = demo_files()
    for night in (1, 2, 3):
        name = f"gold/members-night-{night}.csv"
        rows = list(csv.DictReader(io.StringIO(files[name].decode())))
        assert int(files[f"{name}.count"]) == len(rows)
        assert rows == gold_night(night)
    assert int(files["festival/tickets.jsonl.count"]) == files["festival/tickets.jsonl"].count(b"\n")


def test_member_numbers_are_text_with_leading_zeros_and_a_luhn_digit():
    for row in gold_night(2):
        assert re.fullmatch(r"0049\d{12}", row["member_no"])
        assert luhn_holds(row["member_no"])


def test_rows_look_like_a_real_export():
    rows = [row for row in gold_night(1) if len(row["last_name"]) < 500]
    missing = sum(not row["email"] for row in rows) / len(rows)
    assert 0.05 < missing < 0.2
    assert sum(not row["mobile"] for row in rows) > 500
    assert {row["language"] for row in rows} == {people.locale for people in PEOPLE}
    assert sum(not row["first_name"].isascii() for row in rows) > 500
    assert {row["state"] for row in rows} == {"A", "B"}
    assert {row["tier"] for row in rows} == {"S", "G", "P"}
    assert any("." in row["valid_to"] for row in rows)
    assert any("-" in row["valid_to"] for row in rows)
    for row in rows:
        datetime.fromisoformat(row["joined"])


def test_nobody_real_can_be_written_to():
    for row in [*gold_night(1), *gold_night(2)]:
        assert not row["email"] or re.fullmatch(r"[a-z0-9.-]+@example\.(com|net|org)", row["email"])
        assert not row["mobile"] or re.match(
            r"\+44 7700 900\d{3}$|\+1 212 555 01\d{2}$|\+33 6 39 98 \d{4}$|\+46 70 174 06 \d{2}$", row["mobile"]
        )


def test_festival_tickets_keep_numbers_and_nulls():
    tickets = [json.loads(line) for line in demo_files()["festival/tickets.jsonl"].splitlines()]
    assert tickets == festival_tickets()
    assert len({ticket["ticket"] for ticket in tickets}) == FESTIVAL_TICKETS
    assert {ticket["kind"] for ticket in tickets} == {"DAY", "WEEKEND", "VIP", "CREW"}
    assert all((ticket["camp"] is None) == (ticket["kind"] == "DAY") for ticket in tickets)
    assert all(isinstance(ticket["price_cents"], int) for ticket in tickets)


def test_csv_quotes_what_must_be_quoted():
    content = to_csv(("a", "b"), [{"a": 'x "y"', "b": "1,2"}, {"a": "Käthe", "b": ""}])
    assert content.decode() == 'a,b\n"x ""y""","1,2"\nKäthe,\n'
