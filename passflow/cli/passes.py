"""``passflow pass``: one pass, found by its member's external id: what it is, its file, its picture."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson, ExternalId, ProgramOption
from passflow.cli.output import Output
from passflow.cli.private import write_private
from passflow.cli.programs import choose_program
from passflow.cli.times import iso_time, show_time
from passflow.errors import PlanError

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.store.passes import PassRow

Target = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; by default SERIAL and the suffix.")
]
SHORT: Final = 12


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    group = typer.Typer(help="One pass: what it is, its file, its picture.", no_args_is_help=True)
    group.command("show")(show_pass)
    group.command("export")(export_pass)
    group.command("preview")(preview_pass)
    app.add_typer(group, name="pass")


def show_pass(member: ExternalId, program: ProgramOption = None, as_json: AsJson = False) -> None:
    """Shows status, revision, wallets and last operations of a pass; nothing that the member typed."""
    output = Output(as_json=as_json)
    with open_installation() as installation:
        name, row = find_pass(installation, program, member)
        document = describe(installation, name, row)
    output.say(f"[bold]{document['serial']}[/] of {name}: {document['status']}, revision {document['revision']}")
    output.say(f"  issued {document['created']}, changed {document['updated']}, from {document['origin']}")
    for wallet in document["wallets"]:
        shown = "up to date" if not wallet["behind"] else f"behind (shows revision {wallet['revision']})"
        output.say(f"  {wallet['wallet']}: {shown}, {wallet['installation']}, {wallet['devices']} device(s)")
    for operation in document["operations"]:
        code = f" ({operation['code']})" if operation["code"] else ""
        output.say(
            f"  {operation['ended']}  {operation['kind']}: {operation['outcome']}{code}, plan {operation['plan_id']}"
        )
    output.emit("pass", document)


def export_pass(member: ExternalId, program: ProgramOption = None, out: Target = None, as_json: AsJson = False) -> None:
    """Writes the signed .pkpass as phones get it. The file holds the member's data; the export is audited."""
    from passflow.store.audit import add_entry

    with open_installation() as installation:
        name, row = find_pass(installation, program, member)
        data = read_archive(installation, row.serial)
        with installation.store.begin() as conn:
            add_entry(installation.store, conn, actor=actor(), action="pass.export", program=name, subject=row.serial)
    path = write_private(out or Path(f"{row.serial[:SHORT]}.pkpass"), data)
    output = Output(as_json=as_json)
    output.say(f"wrote {path} ({len(data):,} bytes)", markup=False)
    output.emit("pass-export", {"serial": row.serial, "file": str(path), "bytes": len(data)})


def preview_pass(
    member: ExternalId,
    program: ProgramOption = None,
    out: Target = None,
    side: Annotated[Literal["front", "back"], typer.Option("--side", help="Which side to draw.")] = "front",
    language: Annotated[str | None, typer.Option("--language", help="Language tag, such as de.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draws the pass as a PNG, as a phone shows it. The picture holds the member's data; it is audited like an export."""
    from passflow.store.audit import add_entry

    with open_installation() as installation:
        name, row = find_pass(installation, program, member)
        picture = draw(read_archive(installation, row.serial), side=side, language=language)
        with installation.store.begin() as conn:
            add_entry(installation.store, conn, actor=actor(), action="pass.preview", program=name, subject=row.serial)
    path = write_private(out or Path(f"{row.serial[:SHORT]}.png"), picture)
    output = Output(as_json=as_json)
    output.say(f"wrote {path}", markup=False)
    output.emit("pass-preview", {"serial": row.serial, "file": str(path)})


def find_pass(installation: Installation, program: str | None, external_id: str) -> tuple[str, PassRow]:
    """Program and pass of a member.

    Raises:
        PlanError: the member has no pass in the program.
    """
    from passflow.store.keys import store_key
    from passflow.store.passes import read_rows
    from passflow.sync.fingerprint import id_hash

    name = choose_program(installation.programs, program).program
    wanted = id_hash(external_id, store_key(installation.store, "hash"), name)
    with installation.store.read() as conn:
        row = read_rows(conn, name, [wanted]).get(wanted)
    if row is None:
        raise PlanError(
            f"The member has no pass in program {name!r}.",
            fix=f"Check the id's spelling and case, or issue the pass with `passflow one {name} ID --apply`.",
            code="pass.unknown",
        )
    return name, row


def describe(installation: Installation, program: str, row: PassRow) -> dict[str, Any]:
    """A pass as a document, without anything personal."""
    from sqlalchemy import func, select

    from passflow.store.tables import operations, passes, registrations, wallet_states

    states = select(wallet_states).where(wallet_states.c.serial == row.serial).order_by(wallet_states.c.wallet)
    held = select(func.count()).where(registrations.c.serial == row.serial)
    done = (
        select(operations)
        .where(operations.c.program == program, operations.c.id_hash == row.id_hash)
        .order_by(operations.c.ended_at.desc())
        .limit(5)
    )
    times = select(passes.c.created_at, passes.c.updated_at).where(passes.c.serial == row.serial)
    with installation.store.read() as conn:
        created, updated = conn.execute(times).one()
        devices = int(conn.execute(held).scalar_one())
        wallets = [
            {"wallet": each.wallet, "revision": each.revision, "behind": bool(each.behind),
             "installation": each.installation, "devices": devices, "error": each.error_code}
            for each in conn.execute(states)
        ]  # fmt: skip
        history = [
            {"plan_id": each.plan_id, "kind": each.kind, "outcome": each.outcome, "code": each.code,
             "ended_at": iso_time(each.ended_at), "ended": show_time(each.ended_at)}
            for each in conn.execute(done)
        ]  # fmt: skip
    return {
        "program": program, "serial": row.serial, "status": row.status.value, "revision": row.revision,
        "origin": row.origin.value, "created_at": iso_time(created), "updated_at": iso_time(updated),
        "created": show_time(created), "updated": show_time(updated), "wallets": wallets, "operations": history,
    }  # fmt: skip


def read_archive(installation: Installation, serial: str) -> bytes:
    """The signed archive of a pass.

    Raises:
        PackageError: it is not signed yet.
    """
    from passflow.wallets.apple.stored import read_package

    with installation.store.read() as conn:
        return read_package(conn, installation.store.keyring, serial)


def draw(archive: bytes, *, side: Literal["front", "back"] = "front", language: str | None = None) -> bytes:
    """The picture of a signed pass, PNG.

    Args:
        archive: a ``.pkpass``.
        side: front or back.
        language: tag of the language to draw in; the pass's own otherwise.
    """
    import orjson

    from passflow.template.preview import preview_png

    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        images = {name: files.read(name) for name in files.namelist() if name.endswith(".png")}
        document: Mapping[str, Any] = orjson.loads(files.read("pass.json"))
        strings = _strings(files, language)
    return preview_png(document, images, side=side, language=language, strings=strings)


def _strings(files: zipfile.ZipFile, language: str | None) -> dict[str, str] | None:
    from passflow.wallets.apple.localisation import parse_strings

    name = f"{language}.lproj/pass.strings"
    if language is None or name not in files.namelist():
        return None
    return dict(parse_strings(files.read(name).decode("utf-16")) or ())
