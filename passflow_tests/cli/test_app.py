"""The application as a whole: fast to start, light to import, helpful in every verb."""

import subprocess
import sys
import time

import click
import pytest
import typer

from passflow.cli.app import VERBS, build_app
from passflow.docs.commands import walk
from passflow_tests.cli.runs import PACKAGE_ROOT, run_here, run_process

HEAVY = ("dagster", "polars", "pyarrow", "pandas", "sqlalchemy", "pydantic", "PIL", "cryptography", "babel", "jinja2")


def commands():
    root = typer.main.get_command(build_app())
    return list(walk(root, click.Context(root, info_name="passflow")))


def test_importing_and_building_the_command_line_imports_nothing_heavy():
    code = f"from passflow.cli.app import build_app; build_app(); import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(PACKAGE_ROOT)}
    )
    assert done.stdout.strip() == "[]"


def test_help_lists_every_verb_and_is_fast(tmp_path):
    began = time.monotonic()
    ended = run_process("--help", cwd=tmp_path)
    assert ended.status == 0
    assert time.monotonic() - began < 5, "0.3 s on an idle machine"
    for verb in (
        "init",
        "demo",
        "doctor",
        "plan",
        "apply",
        "approve",
        "status",
        "pass",
        "verify",
        "one",
        "erase",
        "image",
    ):
        assert verb in ended.out
    assert "keys" in ended.out
    assert "dev-certs" in ended.out


@pytest.mark.parametrize("path", [path for path, _, _ in commands()])
def test_every_command_explains_itself_and_its_parameters(path, capsys):
    ended = run_here(capsys, *path.split()[1:], "--help")
    assert ended.status == 0
    found = {name: (command, context) for name, command, context in commands()}
    command, context = found[path]
    assert command.help
    assert command.help.strip().splitlines()[0].endswith((".", ":", ";")) or "\n" in command.help
    for parameter in command.get_params(context):
        assert parameter.help, f"{path}: {parameter.name} has no help"


@pytest.mark.parametrize("path", [path for path, _, _ in commands()])
def test_every_command_speaks_json(path):
    command = {name: command for name, command, _ in commands()}[path]
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


def test_every_module_of_a_verb_is_registered_once():
    assert len(set(VERBS)) == len(VERBS)
    names = [path for path, _, _ in commands()]
    assert len(set(names)) == len(names)


def test_version(capsys):
    from importlib.metadata import PackageNotFoundError, version

    try:
        expected = version("passflow")
    except PackageNotFoundError:
        pytest.skip("passflow is not installed, only on the path")
    assert run_here(capsys, "--version").out == f"passflow {expected}\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["approve", "x"], ["plan", "--limit", "many"], ["approve", "x", "eat", "1"]]
)
def test_wrong_usage_ends_with_1_because_2_means_changes(arguments, capsys):
    ended = run_here(capsys, *arguments)
    assert ended.status == 1
    assert ended.err.startswith("error[command.usage]: ")
    assert "next: Run `passflow" in ended.err
    assert ended.out == ""


def test_no_arguments_show_the_help(tmp_path):
    ended = run_process(cwd=tmp_path)
    assert "Usage: passflow" in ended.out + ended.err
