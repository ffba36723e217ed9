"""``docs/commands.md``: every command with its arguments and options, from the application itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
import typer

from passflow.cli.app import build_app
from passflow.docs.markdown import GENERATED, code, plain, table

INTRODUCTION = """# Commands

Every command takes `--json`, which prints one JSON document on standard output (its `schema` names kind and version),
and `--debug`, which prints a traceback when something fails. Progress and errors go to standard error: bars on a
terminal, a line every few seconds elsewhere. A command that fails prints a [code](errors.md), the cause and the next
step, and ends with status 1; 130 after Ctrl-C. Members' data is masked unless `--show-values` is given.
"""


def commands_page() -> str:
    """The page as Markdown."""
    root = typer.main.get_command(build_app())
    context = click.Context(root, info_name="passflow")
    found = list(walk(root, context))
    overview = table(("command", "what it does"), ((_link(path), _short(command)) for path, command, _ in found))
    sections = "\n".join(_section(path, command, inner) for path, command, inner in found)
    return f"{GENERATED}\n{INTRODUCTION}\n{overview}\n{sections}"


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command that does something, with its full name, in the order of the help."""
    if not isinstance(command, click.Group):
        yield context.command_path, command, context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from walk(inner, click.Context(inner, info_name=name, parent=context))


def _link(path: str) -> str:
    return f"[`{path}`](#{path.replace(' ', '-')})"


def _short(command: click.Command) -> str:
    return plain(command.help or "").split("\n\n")[0]


def _section(path: str, command: click.Command, context: click.Context) -> str:
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    rows = [
        (_names(parameter, context), getattr(parameter, "help", "") or "", _default(parameter, context))
        for parameter in command.get_params(context)
        if parameter.name != "help"
    ]
    parameters = table(("argument or option", "meaning", "default"), rows)
    return f"## {path}\n\n{plain(command.help or '')}\n\n```console\n$ {usage}\n```\n\n{parameters}"


def _names(parameter: click.Parameter, context: click.Context) -> str:
    if isinstance(parameter, click.Argument):
        return code(parameter.make_metavar(context))
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if getattr(parameter, "is_flag", False) else f" {parameter.make_metavar(context)}"
    return code(names + value)


def _default(parameter: click.Parameter, context: click.Context) -> str:
    value = parameter.get_default(context)
    return "" if value is None or isinstance(value, bool) or callable(value) or value == () else code(value)
