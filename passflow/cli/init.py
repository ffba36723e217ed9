"""``passflow init``: a project to start from, with its keys and its store; and upgrades of an older store."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from passflow.cli.environment import find_project, prepare_environment
from passflow.cli.options import AsJson
from passflow.cli.output import Output
from passflow.errors import ConfigError

PROGRAMS: Final = "programs"

PYPROJECT: Final = Template("""\
[project]
name = "$name"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["passflow"]

# The command line and Dagster read the same folder of program files.
[tool.passflow]
programs = "$programs"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "$programs"
defs_module = "$programs"
code_location_target_module = "passflow.definitions"
code_location_name = "$name"

[tool.dagster]
module_name = "passflow.definitions"
code_location_name = "$name"
""")

WORKSPACE: Final = Template("""\
load_from:
  - python_module:
      module_name: passflow.definitions
      attribute: defs
      location_name: $name
      working_directory: .
""")

IGNORED: Final = """\
# state, keys and secrets stay on this machine
.passflow/
.env
certificates/
.venv/
"""


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("init")(initialise)


def initialise(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Folder of a new project; left out inside of a project.")
    ] = None,
    program: Annotated[str, typer.Option("--program", help="Name of the first program of a new project.")] = "members",
    as_json: AsJson = False,
) -> None:
    """Starts a project, or makes what an existing one lacks: master keys, store, migrations.

    A new project is a folder with `pyproject.toml`, `workspace.yaml` and one program file with two invented members.
    Nothing that is there is overwritten; running it again upgrades the store of an older passflow.
    """
    output = Output(as_json=as_json)
    root, created = prepare_project(folder or Path.cwd(), program)
    for path in created:
        output.say(f"  wrote {path.relative_to(root)}", markup=False)
    home = prepare_store(root)
    output.say(f"  keys and store are in {home}", markup=False)
    output.say("\nNext:")
    if root != Path.cwd():
        output.say(f"  [bold]cd {folder}[/]")
    if created:
        output.say("  [bold]passflow dev-certs[/]      certificates to develop with, until you have Apple's")
    output.say("  [bold]passflow doctor[/]         what is still missing")
    output.say("  [bold]passflow plan[/]           what the first run would do")
    output.emit("init", {"folder": str(root), "created": [str(path) for path in created], "home": str(home)})


def prepare_project(folder: Path, program: str) -> tuple[Path, list[Path]]:
    """The project that a folder belongs to, made where there is none; and the files that were written.

    Raises:
        ConfigError: the folder holds a Python project of something else, or the program's name cannot be one.
    """
    existing = find_project(folder)
    if existing is not None:
        return existing, []
    if (folder / "pyproject.toml").exists():
        raise ConfigError(
            f"{folder / 'pyproject.toml'} belongs to another project.",
            fix=f'Name a new folder, or add `[tool.passflow]` with `programs = "{PROGRAMS}"` to that file.',
            code="config.project",
        )
    from passflow.pipeline.component import PassProgram
    from passflow.pipeline.scaffold import program_name, write_program

    name = program_name(program)
    root = folder.resolve()
    values = {"name": program_name(root.name).replace("_", "-"), "programs": PROGRAMS}
    files = {
        root / "pyproject.toml": PYPROJECT.substitute(values),
        root / "workspace.yaml": WORKSPACE.substitute(values),
        root / ".gitignore": IGNORED,
    }
    root.mkdir(parents=True, exist_ok=True)
    written = [path for path in files if not path.exists()]
    for path in written:
        path.write_text(files[path], encoding="utf-8")
    type_name = f"passflow.pipeline.{PassProgram.__name__}"
    written.append(write_program(root / PROGRAMS / name, type_name=type_name))
    return root, written


def prepare_store(root: Path) -> Path:
    """Makes the home folder, master keys and store of a project, or upgrades the store; returns the home folder.

    Raises:
        StoreError: the store is of a newer passflow, or out of reach.
    """
    from passflow.settings import open_store, prepare_home, read_settings
    from passflow.store.migrate import upgrade

    prepare_environment(root)
    settings = prepare_home(read_settings(), create_keys=True)
    store = open_store(settings)
    try:
        upgrade(store)
    finally:
        store.dispose()
    return settings.home
