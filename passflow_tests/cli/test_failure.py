"""Every failure: code, cause and next step on standard error, status 1, no traceback, nobody's data."""

import json
import sys

import click
import pytest
import typer

from passflow.cli import app as application
from passflow.cli.failure import describe, report_failure
from passflow.errors import PassflowError, PlanError, StoreBusy, TemplateError
from passflow_tests.cli.runs import run_here

SECRET = "zoe.adler@example.com"


def failing(error):
    """An application with one verb that fails."""
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.callback()
    def start() -> None: ...

    @app.command("fail")
    def fail(as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    return app


@pytest.fixture
def fail_with(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def go(error, *arguments):
        monkeypatch.setattr(application, "build_app", lambda: failing(error))
        return run_here(capsys, "fail", *arguments)

    return go


def test_our_errors_say_code_cause_and_next_step(fail_with):
    ended = fail_with(PlanError("Plan 7 is stale.", fix="Make a new one.", code="plan.stale"))
    assert ended.status == 1
    assert ended.err == "error[plan.stale]: Plan 7 is stale.\n  next: Make a new one.\n"
    assert ended.out == ""


def test_every_error_class_has_something_to_say():
    def family(root):
        yield root
        for child in root.__subclasses__():
            yield from family(child)

    for kind in family(PassflowError):
        if kind.__module__ != "passflow.errors":
            continue
        error = TemplateError([("template", "x", "y")]) if kind is TemplateError else kind("Something.")
        code, cause, fix = describe(error)
        assert "." in code
        assert cause
        assert fix.endswith(".")


def test_json_gets_the_error_as_a_document_too(fail_with):
    ended = fail_with(StoreBusy("The store is locked."), "--json")
    assert ended.status == 1
    document = json.loads(ended.out)
    assert document["schema"] == "passflow.error/1"
    assert document["code"] == "store.busy"
    assert document["cause"] == "The store is locked."
    assert document["next"]
    assert ended.err.startswith("error[store.busy]")


def test_strangers_errors_show_type_and_place_but_not_their_text(fail_with):
    ended = fail_with(KeyError(SECRET))
    assert ended.status == 1
    assert ended.err.startswith("error[internal.error]: KeyError")
    assert SECRET not in ended.err
    assert "Traceback" not in ended.err


def test_the_place_is_the_innermost_line_of_passflow():
    try:
        from passflow.cli.times import show_time

        show_time("not a number")
    except TypeError as error:
        assert " at passflow/cli/times.py:" in describe(error)[1]


@pytest.mark.parametrize("position", [0, 1])
def test_debug_shows_a_traceback_wherever_it_stands(position, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(application, "build_app", lambda: failing(PlanError("No.")))
    arguments = ["fail"]
    arguments.insert(position, "--debug")
    ended = run_here(capsys, *arguments)
    assert "Traceback (most recent call last)" in ended.err
    assert ended.err.rstrip().splitlines()[-2].startswith("error[plan.invalid]")


def test_debug_by_environment(fail_with, monkeypatch):
    monkeypatch.setenv("PASSFLOW_DEBUG", "1")
    assert "Traceback" in fail_with(PlanError("No.")).err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interrupting_ends_with_130_and_says_that_it_may_go_on(error, fail_with):
    ended = fail_with(error)
    assert ended.status == 130
    assert "continues where it stopped" in ended.err


def test_a_closed_pipe_is_no_mystery(fail_with):
    assert fail_with(BrokenPipeError()).err.startswith("error[output.closed]")


def test_colours_only_on_a_terminal(capsys, monkeypatch):
    report_failure(PlanError("No."), debug=False, as_json=False)
    assert "\x1b" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    report_failure(PlanError("No."), debug=False, as_json=False)
    assert "\x1b[1;31merror[plan.invalid]\x1b[0m" in capsys.readouterr().err
