"""``passflow doctor``: everything that must be right before a night runs, checked one by one, each with its fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol, runtime_checkable

import typer

from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.errors import PassflowError

if TYPE_CHECKING:
    from passflow.program import Program
    from passflow.wallets.apple.certificates import Identity

Level = Literal["good", "warning", "error"]
SIGNS: Final = {"good": "[green]✓[/]", "warning": "[yellow]![/]", "error": "[bold red]✗[/]"}
SOON_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at.

    Args:
        group: what it belongs to: project, store, or a program's name.
        level: good, warning or error.
        text: what was found.
        fix: the next step; empty where all is well.
        code: the error's code, where one was raised.
    """

    group: str
    level: Level
    text: str
    fix: str = ""
    code: str = ""


@runtime_checkable
class SignsItself(Protocol):
    """A wallet whose passes are signed here, with a certificate that ends."""

    label: str
    pass_type: str

    def identity(self) -> Identity:
        """The certificate and key, checked."""
        ...


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("doctor")(examine)


def examine(
    migrate: Annotated[bool, typer.Option("--migrate", help="Bring an older store up to this version first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Checks program files, images, secrets, certificates, sources, keys and the store; ends with 1 when one is wrong.

    Nothing is changed, but for the store's version where `--migrate` is given.
    """
    output = Output(as_json=as_json)
    found: list[Checked] = []
    group = ""
    for checked in check_all(migrate=migrate):
        found.append(checked)
        if checked.group != group:
            group = checked.group
            output.say(f"\n[bold]{group}[/]")
        _write(output, checked)
    counted = Counter(checked.level for checked in found)
    output.say(f"\n{counted['good']} good, {counted['warning']} warning(s), {counted['error']} error(s)")
    output.emit("doctor", {"ok": not counted["error"], "checks": [asdict(checked) for checked in found]})
    if counted["error"]:
        raise typer.Exit(1)


def _write(output: Output, checked: Checked) -> None:
    from rich.markup import escape

    output.say(f"  {SIGNS[checked.level]} {escape(checked.text)}")
    if checked.fix:
        output.say(f"      → {escape(checked.fix)}")


def check_all(*, migrate: bool = False) -> Iterator[Checked]:
    """Every check, in an order in which the first error explains those after it."""
    from passflow.cli.doctor_store import check_store

    programs: dict[str, Program] = {}
    yield from _guarded("project", partial(_check_project, programs))
    yield from _guarded("store", partial(check_store, migrate=migrate))
    for program in programs.values():
        yield from _guarded(program.program, partial(_check_images, program))
        yield from _guarded(program.program, partial(_check_source, program))
        for wallet in program.wallets:
            yield from _guarded(program.program, partial(_check_wallet, program, wallet))


def _guarded(group: str, check: Callable[[], Iterator[Checked]]) -> Iterator[Checked]:
    """A check whose own failure is a finding; the next check still runs."""
    try:
        yield from check()
    except PassflowError as error:
        yield Checked(group, "error", error.message, error.fix, error.error_code)


def _check_project(programs: dict[str, Program]) -> Iterator[Checked]:
    from passflow import vendors
    from passflow.cli.programs import load_project
    from passflow.project import program_root

    broken = [*vendors.problems("sources"), *vendors.problems("wallets"), *vendors.problems("crms")]
    for problem in broken:
        yield Checked("project", "warning", problem.message, problem.fix, problem.error_code)
    programs.update(load_project())
    yield Checked("project", "good", f"{len(programs)} program(s) below {program_root()}: {', '.join(programs)}")


def _check_images(program: Program) -> Iterator[Checked]:
    from passflow.images import check_images

    check_images(program)
    yield Checked(program.program, "good", "the template is sound and its images are there")


def _check_source(program: Program) -> Iterator[Checked]:
    from passflow.ports import NeedsUpstream
    from passflow.sync.plan import source_context

    name = program.program
    if isinstance(program.source, NeedsUpstream):
        key = "/".join(program.source.upstream_key())
        yield Checked(
            name, "good", f"members come from the Dagster asset {key}; its columns are checked when it is read"
        )
        return
    columns = program.source.check(source_context(program))
    missing = [column for column in program.members.columns if column not in columns]
    if missing:
        what = f"the source lacks {', '.join(repr(column) for column in missing)}"
        fix = f"Correct `members:`; the source has: {', '.join(columns)}."
        yield Checked(name, "error", what, fix, "source.column_missing")
    else:
        yield Checked(name, "good", f"the source has all {len(program.members.columns)} columns that are mapped")


def _check_wallet(program: Program, wallet: Any) -> Iterator[Checked]:
    """Secrets of any wallet, and the certificate of one that signs itself."""
    from datetime import UTC, datetime

    from passflow.security.secrets import SecretRef

    name = program.program
    for _, value in wallet:
        if isinstance(value, SecretRef):
            value.reveal()
            for warning in value.warnings():
                what, _, fix = warning.partition(": ")
                yield Checked(name, "warning", what, fix)
    if isinstance(wallet, SignsItself):
        certificate = wallet.identity().certificates.certificate
        days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
        level: Level = "good" if days > SOON_DAYS else "warning"
        fix = "" if level == "good" else "Renew it at developer.apple.com; passes are signed again without a push."
        text = f"{wallet.label}: the certificate of {wallet.pass_type} is valid for {days} days"
        yield Checked(name, level, text, fix)
