"""Text for people, JSON for machines, progress for whoever waits."""

import json
from datetime import datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.cli import output as module
from passflow.cli.output import Output, show_progress, to_json
from passflow.cli.times import iso_time, show_count, show_time
from passflow.model import Kind


def test_people_get_text_and_machines_get_one_document(capsys):
    Output().say("[bold]2[/] passes")
    assert capsys.readouterr().out == "2 passes\n"
    machine = Output(as_json=True)
    machine.say("chatter")
    machine.emit("thing", {"a": 1})
    assert json.loads(capsys.readouterr().out) == {"schema": "passflow.thing/1", "a": 1}
    Output().emit("thing", {"a": 1})
    assert capsys.readouterr().out == ""


def test_long_lines_are_not_broken_in_pipes(capsys):
    Output().say("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_json_holds_bytes_sets_and_enums():
    document = {"id": b"\x00\xff", "kinds": (Kind.CREATE,), "map": MappingProxyType({"a": frozenset({1})}), "ü": "ü"}
    assert json.loads(to_json(document)) == {"id": "00ff", "kinds": ["create"], "map": {"a": [1]}, "ü": "ü"}
    assert "ü" in to_json(document)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module.time, "monotonic", made)
    return made


def test_without_a_terminal_a_stage_speaks_every_five_seconds_and_at_its_end(clock, capsys):
    with show_progress() as progress:
        for second in range(12):
            clock.now = 100.0 + second
            progress("read", second * 1000, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["read: 0", "read: 5,000", "read: 10,000", "read: 11,000"]


def test_each_stage_speaks_at_once_and_says_of_how_many(clock, capsys):
    with show_progress() as progress:
        progress("read", 10, None)
        progress("compare", 1, 64)
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["read: 10", "compare: 1 of 64"]
    assert captured.out == ""


def test_on_a_terminal_there_are_bars(monkeypatch, capsys):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with show_progress() as progress:
        progress("sign", 10, 20)
        progress("sign", 20, 20)
    assert "sign" in capsys.readouterr().err


@given(st.integers(0, 4_000_000_000_000_000))
def test_times_are_utc_and_keep_their_microseconds_for_machines(microseconds):
    text = iso_time(microseconds)
    read = datetime.fromisoformat(text)
    assert round((read - datetime.fromisoformat("1970-01-01T00:00:00Z")).total_seconds() * 1_000_000) == pytest.approx(
        microseconds, abs=1
    )
    assert show_time(microseconds) == read.strftime("%Y-%m-%d %H:%M UTC")


def test_no_time_is_a_dash_or_null():
    assert show_time(None) == "–"
    assert iso_time(None) is None


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (1, ("row",), "1 row"),
        (0, ("row",), "0 rows"),
        (2480, ("pass", "passes"), "2,480 passes"),
        (1, ("pass", "passes"), "1 pass"),
    ],
)
def test_numbers_agree_with_their_nouns(number, words, text):
    assert show_count(number, *words) == text
