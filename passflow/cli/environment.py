"""What surrounds a verb: the project's ``.env`` file, and the folder of its state."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Final

HOME: Final = "PASSFLOW_HOME"


def prepare_environment(start: Path | None = None) -> Path | None:
    """Loads ``.env`` beside the project's ``pyproject.toml`` and settles ``PASSFLOW_HOME`` there, as ``dg`` and Dagster do.

    What the environment says already wins. So a verb finds the same store from every folder of a project.

    Args:
        start: folder to look upwards from; the working directory by default.

    Returns:
        The project's folder, or None outside of one.
    """
    folder = find_project(start or Path.cwd())
    if folder is None:
        return None
    if (folder / ".env").is_file():
        from dotenv import load_dotenv

        load_dotenv(folder / ".env", override=False)
    # absolute, because program files resolve what they are given against their own folder
    os.environ[HOME] = str(Path(os.environ.get(HOME) or folder / ".passflow").absolute())
    return folder


def find_project(start: Path) -> Path | None:
    """The nearest folder upwards whose ``pyproject.toml`` has ``[tool.passflow]``; None where there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                settings = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError):
                continue  # the verb that needs the file says what is wrong with it
            if "passflow" in settings.get("tool", {}):
                return folder
    return None
