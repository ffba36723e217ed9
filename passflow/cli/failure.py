"""How a verb fails: code, cause and next step on standard error, exit status 1, no traceback."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import click

from passflow.cli.output import to_json
from passflow.errors import PassflowError

FAILED = 1
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


def report_failure(error: BaseException, *, debug: bool, as_json: bool) -> int:
    """Writes what went wrong and what to do next; returns the exit status.

    The text of an error that is not passflow's own is not shown: it may quote a member's data.

    Args:
        error: what the verb raised.
        debug: print the traceback as well.
        as_json: print the same as a JSON document on standard output.
    """
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        sys.stderr.write("\nStopped. Run the same command again: it continues where it stopped.\n")
        return INTERRUPTED
    code, cause, fix = describe(error)
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    sys.stderr.write(_colour(f"error[{code}]", "1;31") + f": {cause}\n  " + _colour("next", "1") + f": {fix}\n")
    if as_json:
        sys.stdout.write(to_json({"schema": "passflow.error/1", "code": code, "cause": cause, "next": fix}) + "\n")
    return FAILED


def describe(error: BaseException) -> tuple[str, str, str]:
    """Code, cause and next step of any error."""
    if isinstance(error, PassflowError):
        return error.error_code, error.message, error.fix
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "passflow"
        return "command.usage", error.format_message(), f"Run `{path} --help`."
    if isinstance(error, BrokenPipeError):
        return "output.closed", "The reader of the output went away.", "Read the output to its end."
    return (
        "internal.error",
        f"{type(error).__name__}{_place(error)}: a mistake in passflow or in its surroundings.",
        "Run `passflow doctor`; if all is well, run this again with --debug and report what it prints.",
    )


def _place(error: BaseException) -> str:
    """The innermost line of passflow's own code on the way to the error."""
    package = Path(__file__).parents[1]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parents]
    if not frames:
        return ""
    return f" at {Path(frames[-1].filename).relative_to(package.parent)}:{frames[-1].lineno}"


def _colour(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if sys.stderr.isatty() else text
