"""Finding, rendering and validating program files, without Dagster.

A program file is a Dagster ``defs.yaml``: one or more YAML documents with ``type: passflow.pipeline.PassProgram`` and
``attributes:``. Its ``{{ … }}`` leaves are rendered as text, so that ``"3388000000022000000"`` stays a string; an unset
variable is an error, never an empty string.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from passflow.errors import PassflowError, ProgramError
from passflow.images import check_images
from passflow.program import Program, program_model

COMPONENT_TYPE = "passflow.pipeline.PassProgram"
FILE_NAME = "defs.yaml"


def program_root(start: Path | None = None) -> Path:
    """The folder below which program files are looked for.

    ``PASSFLOW_PROJECT`` names it, else ``[tool.passflow] programs`` of the nearest ``pyproject.toml`` upwards, else the
    folder itself.

    Raises:
        ProgramError: the setting names a folder that does not exist.
    """
    named = os.environ.get("PASSFLOW_PROJECT")
    if named:
        return _existing(Path(named), "PASSFLOW_PROJECT")
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            settings = tomllib.loads(file.read_text()).get("tool", {}).get("passflow", {})
            if "programs" in settings:
                return _existing(folder / settings["programs"], f"[tool.passflow] programs in {file}")
    return here


def _existing(folder: Path, origin: str) -> Path:
    if not folder.is_dir():
        raise ProgramError(f"{origin} names {folder}, which is not a folder.", fix="Create it, or name another one.")
    return folder.resolve()


def load_programs(root: Path) -> dict[str, Program]:
    """Every program below a folder, by name.

    Raises:
        ProgramError: a file cannot be read, is not valid, or two files name the same program.
    """
    found: dict[str, Program] = {}
    origins: dict[str, Path] = {}
    for path in sorted(root.rglob(FILE_NAME)):
        for program in read_program_file(path):
            if program.program in found:
                raise ProgramError(
                    f"Program {program.program!r} is defined in {origins[program.program]} and in {path}.",
                    fix="Rename one of them: a program's name is unique in the installation.",
                    code="program.repeated",
                )
            found[program.program] = program
            origins[program.program] = path
    return found


def read_program_file(path: Path) -> list[Program]:
    """The programs of one file, in order; documents of other component types are skipped.

    Raises:
        ProgramError: with the file, the line, the path and the fix.
    """
    try:
        nodes = list(yaml.compose_all(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:  # ValueError: a date such as 2026-02-30
        raise ProgramError(f"{path} is not valid YAML: {_first_line(error)}", code="program.yaml") from None
    programs = []
    for document, node in zip(documents, nodes, strict=True):
        if not isinstance(document, dict) or document.get("type") != COMPONENT_TYPE:
            continue
        try:
            programs.append(parse_program(document.get("attributes") or {}, path.parent))
        except ProgramError as error:
            raise _located(error, path, node) from None
    return programs


def parse_program(attributes: Mapping[str, Any], base_dir: Path) -> Program:
    """A program from the ``attributes`` of its document.

    Raises:
        ProgramError: every problem found, each with its path.
        TemplateError: the template breaks a rule of a wallet.
    """
    rendered = render_leaves(attributes)
    try:
        program = program_model().model_validate(rendered, context={"folder": base_dir.resolve()})
    except ValidationError as error:
        problems = [_problem(item) for item in error.errors(include_url=False, include_input=False)]
        name = rendered.get("program", "?")
        raise InvalidProgram(f"Program {name!r} has {len(problems)} problem(s)", problems) from None
    program.at(base_dir)
    check_images(program)
    return program


class InvalidProgram(ProgramError):
    """A program file with its problems, each as (path, message)."""

    def __init__(self, head: str, problems: list[tuple[tuple[str | int, ...], str]], where: str = "") -> None:
        self.problems = problems
        lines = "\n  ".join(f"{dotted(path) or '(whole)'}: {message}" for path, message in problems)
        super().__init__(f"{head}{where}:\n  {lines}")


def _problem(item: Any) -> tuple[tuple[str | int, ...], str]:
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        message = "There is no such setting; see docs/program-file.md for the ones there are"
    if item["type"] == "string_type":
        message += "; put it in quotes"
    return tuple(item["loc"]), message


def dotted(path: tuple[str | int, ...]) -> str:
    """``("wallets", 0, "apple", "team")`` as ``wallets[0].team``: list indexes in brackets."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _located(error: ProgramError, path: Path, node: Any) -> ProgramError:
    if not isinstance(error, InvalidProgram):
        return ProgramError(f"{path}: {error.message}", fix=error.fix, code=error.error_code)
    problems = []
    for where, message in error.problems:
        line = _line_of(node, ("attributes", *where))
        problems.append((where, f"{message} (line {line})"))
    return InvalidProgram(f"{path} has {len(problems)} problem(s)", problems)


def _line_of(node: Any, path: tuple[str | int, ...]) -> int:
    """Line of the deepest node of a path that the document has; parts that name a vendor's ``type`` are passed over."""
    line = node.start_mark.line + 1
    for part in path:
        child = _child(node, part)
        if child is not None:
            node, line = child
    return int(line)


def _child(node: Any, part: str | int) -> tuple[Any, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    plain = str(error) if type(error) is ValueError else type(error).__name__
    return where + str(getattr(error, "problem", None) or plain)


_ASKED_BY_JINJA = frozenset({"unsafe_callable", "alters_data", "jinja_pass_arg", "contextfunction"})
"""What Jinja's sandbox looks for on every object it calls."""


class _Environment(Mapping[str, str]):
    """``env.NAME``, ``env['NAME']`` and ``env('NAME')``; a variable that is not set is an error everywhere."""

    def __getitem__(self, name: str) -> str:
        value = os.environ.get(name)
        if value is None:
            raise ProgramError(
                f"The program file uses {{{{ env.{name} }}}}, but the variable is not set.",
                fix=f"Set {name} in the environment, or in the `.env` file beside pyproject.toml.",
                code="program.variable",
            )
        return value

    def __getattr__(self, name: str) -> str:
        if name.startswith("__") or name in _ASKED_BY_JINJA:
            raise AttributeError(name)
        return self[name]

    def __call__(self, name: str, default: str | None = None) -> str:
        return self[name] if default is None else os.environ.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def render_leaves(value: Any, path: str = "") -> Any:
    """The same structure with every text that holds ``{{`` rendered as text.

    Raises:
        ProgramError: an expression cannot be rendered, or a variable is not set.
    """
    if isinstance(value, Mapping):
        return {key: render_leaves(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [render_leaves(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, str) and "{{" in value:
        return _render(value, path.lstrip("."))
    return value


def _render(text: str, path: str) -> str:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    try:
        return environment.from_string(text).render(env=_Environment())
    except PassflowError as error:
        raise ProgramError(f"{path}: {error.message}", fix=error.fix, code=error.error_code) from None
    except TemplateError as error:
        raise ProgramError(f"{path}: the expression cannot be rendered: {error.message}.") from None
