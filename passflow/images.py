"""Images that a program file names by path: found and told apart without a store, when a program is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from passflow.errors import ProgramError
from passflow.security.media import media_type

if TYPE_CHECKING:
    from passflow.program import Program

LIBRARY: Final = "library:"
IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def check_images(program: Program) -> None:
    """Checks that every image a template names by path exists, without a store.

    Raises:
        ProgramError: one does not, or is no image.
    """
    from passflow.template import shared_images

    for name, reference in shared_images(program.design).items():
        if not reference.startswith((LIBRARY, "https:")):
            read_beside(program, reference, f"template.images.{name}")


def read_beside(program: Program, reference: str, where: str) -> bytes:
    """The content of an image beside the program file.

    Args:
        program: its folder is where the path starts.
        reference: the path as written.
        where: its place in the program file, for the error.

    Raises:
        ProgramError: it cannot be read, or is no image.
    """
    path = program.base_dir / reference
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProgramError(
            f"{where}: {reference} cannot be read ({error.strerror}).",
            fix=f"Put the image there; the path is taken from {program.base_dir}.",
            code="program.image",
        ) from None
    if media_type(content) not in IMAGE_TYPES:
        raise ProgramError(f"{where}: {reference} is not a PNG, JPEG, GIF or WebP.", code="program.image")
    return content
