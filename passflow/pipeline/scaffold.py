"""``dg scaffold defs passflow.pipeline.PassProgram NAME``: a program file that checks, loads and teaches."""

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from dagster.components import Scaffolder, ScaffoldRequest

from passflow.errors import ConfigError

FILE_NAME = "defs.yaml"
_PACKAGE = "passflow.pipeline"
_LONGEST_NAME = 40


class PassProgramScaffolder(Scaffolder):
    """Writes the program file, two invented members to read, and an icon."""

    def scaffold(self, request: ScaffoldRequest) -> None:
        """Writes a program named after its folder.

        Raises:
            ConfigError: a Python file was asked for, or the folder's name cannot name a program.
        """
        if request.scaffold_format != "yaml":
            raise ConfigError(
                "A program is a YAML file, which the command line reads too.", fix="Leave out `--format python`."
            )
        write_program(request.target_path, type_name=request.type_name, append=request.append)


def write_program(folder: Path, *, type_name: str, append: bool = False) -> Path:
    """Writes a program file with its sample data into a folder, which is created; returns the file.

    Args:
        folder: its name becomes the program's.
        type_name: component type of the document.
        append: add a document to the file that is there.

    Raises:
        ConfigError: the folder's name cannot name a program.
    """
    text = program_text(program_name(folder.name), type_name)
    source = files(_PACKAGE).joinpath("scaffold_files")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "images" / "icon.png").write_bytes(source.joinpath("icon.png").read_bytes())
    members = folder / "members.csv"
    if not members.exists():
        members.write_bytes(source.joinpath("members.csv").read_bytes())
    path = folder / FILE_NAME
    if append and path.exists():
        path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n---\n{text}", encoding="utf-8")
    else:
        path.write_text(text, encoding="utf-8")
    return path


def program_text(program: str, type_name: str) -> str:
    """The program file that is written, as text."""
    text = files(_PACKAGE).joinpath("scaffold_files", FILE_NAME).read_text(encoding="utf-8")
    return Template(text).substitute(type=type_name, program=program, label=program.replace("_", ""))


def example_attributes(program: str) -> dict[str, Any]:
    """The attributes of the program file that is written."""
    import yaml

    attributes: dict[str, Any] = yaml.safe_load(program_text(program, ""))["attributes"]
    return attributes


def program_name(folder: str) -> str:
    """A program name made of a folder's name: small letters, digits, underscores.

    Raises:
        ConfigError: nothing of the name is left, or it is too long.
    """
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")
    if not re.match(r"[a-z]", name) or len(name) > _LONGEST_NAME:
        raise ConfigError(
            f"The folder {folder!r} cannot name a program.",
            fix=f"Choose a name of at most {_LONGEST_NAME} small letters, digits and underscores, a letter first.",
            code="config.program_name",
        )
    return name
