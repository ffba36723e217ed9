"""``passflow image``: the image library, whose names templates use as ``library:NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passflow.cli.installed import actor, open_installation
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.cli.times import iso_time, show_time


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    group = typer.Typer(help="The image library of templates.", no_args_is_help=True)
    group.command("add")(add_image)
    group.command("list")(list_images)
    app.add_typer(group, name="image")


def add_image(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name in the library: small letters, digits, `.`, `_`, `-`.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A PNG, JPEG, GIF, WebP, BMP or TIFF.")],
    as_json: AsJson = False,
) -> None:
    """Puts an image into the library, or gives a name a new image.

    A template names it as `library:NAME`. Passes show a new image after the next plan.
    """
    from passflow.store.assets import add_name
    from passflow.store.audit import add_entry
    from passflow.template.decode import decode_image, image_error
    from passflow.template.images import media_type

    try:
        content = file.read_bytes()
    except OSError as error:
        raise image_error(
            file.name, f"cannot be read ({type(error).__name__})", "Name an image file.", "unreadable"
        ) from None
    width, height = decode_image(content, file.name).size
    with open_installation() as installation, installation.store.begin() as conn:
        store = installation.store
        digest = add_name(conn, name, content, media_type(content) or "", now=store.now(conn))
        add_entry(store, conn, actor=actor(), action="image.add", subject=name[:128], details={"hash": digest})
    output = Output(as_json=as_json)
    output.say(f"library:{name} is now {file.name}, {width} × {height}, {digest[:12]}.", markup=False)
    output.emit("image", {"name": name, "hash": digest, "width": width, "height": height})


def list_images(as_json: AsJson = False) -> None:
    """Lists the library."""
    from passflow.store.assets import list_names

    with open_installation() as installation, installation.store.read() as conn:
        found = list_names(conn)
    output = Output(as_json=as_json)
    if not found:
        output.say("The library is empty; `passflow image add NAME FILE` puts an image into it.")
    for each in found:
        output.say(
            f"{each.name:32} {each.media_type:12} {each.size:>10,} bytes  {show_time(each.updated_at)}  {each.hash[:12]}"
        )
    images = [
        {"name": each.name, "hash": each.hash, "media_type": each.media_type, "size": each.size,
         "updated_at": iso_time(each.updated_at)}
        for each in found
    ]  # fmt: skip
    output.emit("images", {"images": images})
