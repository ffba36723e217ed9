"""``passflow verify``: what is wrong with a pass file, ours or a stranger's."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.errors import CertificateError, PackageError

if TYPE_CHECKING:
    from passflow.wallets.apple.findings import Report

STYLES: Final = {"error": "bold red", "warning": "yellow", "info": "dim"}


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("verify")(verify_files)


def verify_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files ending in .pkpass or .pkpasses.")],
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="PEM", help="Certificate to trust instead of Apple's; may be repeated."),
    ] = None,
    untrusted: Annotated[bool, typer.Option("--untrusted", help="Check the signature, but trust any signer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Checks archive, manifest, signature, pass.json, images and translations of passes.

    The readers share no code with what writes passes. Ends with 0 when no pass has an error, else with 1.
    """
    from passflow.wallets.apple.verify import verify

    output = Output(as_json=as_json)
    roots = [] if untrusted else [read_root(path) for path in root] if root else None
    reports = {path: verify(_read(path), roots=roots, now=datetime.now(UTC)) for path in files}
    for path, report in reports.items():
        _write(output, path, report)
    documents = [
        {"file": str(path), "ok": report.ok, "findings": [asdict(each) for each in report.findings]}
        for path, report in reports.items()
    ]
    ok = all(report.ok for report in reports.values())
    output.emit("verify", {"ok": ok, "files": documents})
    if not ok:
        raise typer.Exit(1)


def _write(output: Output, path: Path, report: Report) -> None:
    from rich.markup import escape

    for finding in report.findings:
        style = STYLES[finding.level]
        where = f"[{style}]{finding.level:7}[/] {escape(finding.where)}"
        output.say(f"{where}: {escape(finding.message)} [dim]({finding.code})[/]")
        output.say(f"        → {escape(finding.fix)}")
    counted: Counter[str] = Counter(finding.level for finding in report.findings)
    verdict = "[bold green]good[/]" if report.ok else "[bold red]not good[/]"
    sums = ", ".join(
        f"{counted[level]} {word}(s)" for level, word in (("error", "error"), ("warning", "warning"), ("info", "note"))
    )
    output.say(f"{escape(path.name)}: {verdict}; {sums}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(
            f"{path} cannot be read ({type(error).__name__}).", fix="Name a pass file.", code="package.unreadable"
        ) from None


def read_root(path: Path) -> bytes:
    """DER of a certificate in a PEM file.

    Raises:
        CertificateError: the file is not one.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError):
        raise CertificateError(
            f"{path} is not a certificate in PEM.", fix="Name a file that begins with BEGIN CERTIFICATE."
        ) from None
