"""``passflow keys``: which master keys the store needs, and replacing one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.cli.times import show_count

RoleOption = Annotated[
    Literal["members", "packages"] | None, typer.Option("--role", help="Only the keys of this role.")
]


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    group = typer.Typer(help="Master keys: which ones the store needs, and replacing one.", no_args_is_help=True)
    group.command("status")(status)
    group.command("rotate")(rotate)
    app.add_typer(group, name="keys")


def status(as_json: AsJson = False) -> None:
    """Shows how many rows each master key wraps; ends with 1 when a key that is needed is not held."""
    from passflow.security.keyring import ROLES, SETTING
    from passflow.store.rotation import read_uses

    output = Output(as_json=as_json)
    with open_installation() as installation:
        uses = read_uses(installation.store)
        held = {role: list(installation.store.keyring.ids(role)) for role in ROLES}
    for role in ROLES:
        output.say(f"[bold]{role}[/] ({SETTING[role]}): {', '.join(held[role]) or '[red]no key[/]'}")
        for use in (each for each in uses if each.role == role):
            state = (
                "newest"
                if use.newest
                else "old, `passflow keys rotate` replaces it"
                if use.held
                else "[red]not held[/]"
            )
            output.say(f"  {use.master_id}  {show_count(use.rows, 'row'):>14} of {use.table:14} {state}")
    output.emit("keys", {"held": held, "uses": [asdict(use) for use in uses]})
    if any(not use.held for use in uses):
        raise typer.Exit(1)


def rotate(role: RoleOption = None, as_json: AsJson = False) -> None:
    """Wraps every key under the newest master key of its role. Stopped midway, it goes on when run again.

    First put a new key before the old one (`openssl rand -base64 32`), in the variable or the key file. Afterwards remove
    the old one, when `passflow keys status` shows no row that needs it.
    """
    from passflow.security.keyring import ROLES
    from passflow.store import rotation

    output = Output(as_json=as_json)
    done: dict[str, int] = {}
    with open_installation() as installation, output.progress() as progress:
        roles = (role,) if role else ROLES
        for each in roles:
            if installation.store.keyring.holds(each):
                done[each] = rotation.rotate(installation.store, each, actor=actor(), progress=progress)
    for name, count in done.items():
        output.say(f"{name}: {show_count(count, 'key')} wrapped anew")
    output.emit("keys-rotate", {"wrapped": done})
