"""The application: which verbs there are, and how the whole of it starts and fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

from passflow.cli.environment import prepare_environment
from passflow.cli.failure import INTERRUPTED, report_failure

VERBS: Final = (
    "init", "demo", "doctor", "plan", "apply", "approve", "status", "single", "passes", "verify", "erase", "images", "keys", "dev",
    "certificates",
)  # fmt: skip
"""Modules of this package that bring verbs, in the order of the help."""


def build_app() -> typer.Typer:
    """The application with every verb; a module adds its own in ``register(app)``."""
    app = typer.Typer(
        name="passflow",
        help="Keeps Apple and Google Wallet passes true to a master system.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    app.callback()(_start)
    for verb in VERBS:
        import_module(f"passflow.cli.{verb}").register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"passflow {version('passflow')}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print a traceback when something fails; may stand anywhere.")
    ] = False,
) -> None:
    """Keeps Apple and Google Wallet passes true to a master system."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one verb and ends the process with its exit status."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs one verb and returns its exit status: 0, or what the verb documents; 1 for every failure."""
    debug = "--debug" in arguments or bool(os.environ.get("PASSFLOW_DEBUG"))
    rest = [argument for argument in arguments if argument != "--debug"]
    try:
        prepare_environment()
        status = build_app()(rest, prog_name="passflow", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # the one place where every failure becomes an exit status
        if isinstance(error, SystemExit):
            raise
        return report_failure(error, debug=debug, as_json="--json" in rest)
    if status == INTERRUPTED:  # typer's own way of passing Ctrl-C on
        return report_failure(KeyboardInterrupt(), debug=debug, as_json=False)
    return status if isinstance(status, int) else 0
