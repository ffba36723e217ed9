"""Which references are generated, and from what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from passflow.docs.commands import commands_page
from passflow.docs.errors import errors_page
from passflow.docs.program_file import program_file_page
from passflow.docs.views import views_page

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands.md": commands_page,
    "errors.md": errors_page,
    "program-file.md": program_file_page,
    "views.md": views_page,
}


def pages() -> dict[str, str]:
    """Every generated page: file name to Markdown."""
    return {name: make() for name, make in PAGES.items()}


def write_pages(folder: Path) -> list[Path]:
    """Writes every generated page into a folder, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
