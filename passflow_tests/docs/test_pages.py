"""The generated references are those of this code, complete, and name nothing that does not exist."""

import re
from pathlib import Path

import click
import pytest
import typer

import passflow
import passflow.errors
from passflow.cli.app import build_app
from passflow.docs import pages, write_pages
from passflow.docs.commands import walk
from passflow.docs.errors import family, raised_codes
from passflow.docs.markdown import code, plain, table
from passflow.docs.program_file import render
from passflow.program import program_model
from passflow.sync.codes import ROW_CODES

ROOT = Path(__file__).parents[2]
PACKAGE = Path(passflow.__file__).parent
COMMAND = re.compile(r"`passflow ([^`]+)`")


@pytest.fixture(scope="module")
def made():
    return pages()


@pytest.mark.parametrize("name", ["commands.md", "errors.md", "program-file.md"])
def test_the_committed_page_is_what_the_code_says(name, made):
    committed = ROOT / "docs" / name
    if not committed.is_file():
        pytest.skip("the documentation is not part of this installation")
    assert committed.read_text(encoding="utf-8") == made[name], "run `make docs`"


def test_pages_are_the_same_on_every_run(made):
    assert pages() == made


def test_writing_makes_the_folder(tmp_path, made):
    written = write_pages(tmp_path / "new" / "docs")
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == made


@pytest.mark.parametrize("name", ["commands.md", "errors.md", "program-file.md"])
def test_every_link_inside_a_page_has_its_heading(name, made):
    text = made[name]
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)}
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in headings, anchor
    for page in re.findall(r"\]\(([a-z-]+\.md)\)", text):
        assert page in made


@pytest.mark.parametrize("name", ["commands.md", "errors.md", "program-file.md"])
def test_every_table_row_has_as_many_cells_as_its_head(name, made):
    width = None
    for line in made[name].splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width, line


def commands():
    root = typer.main.get_command(build_app())
    return {
        path.removeprefix("passflow "): command
        for path, command, _ in walk(root, click.Context(root, info_name="passflow"))
    }


def test_every_command_and_every_option_is_documented(made):
    for path, command in commands().items():
        section = made["commands.md"].split(f"\n## passflow {path}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert option in section, (path, option)


def test_every_error_is_drawn_and_listed(made):
    text = made["errors.md"]
    for kind in family():
        assert f"{kind.__name__} " in text
        assert f"| `{kind.__name__}` | `{kind.code}` |" in text
    for name, entry in ROW_CODES.items():
        assert f"| `{name}` | {entry.cause}" in text


def test_precise_codes_are_found_in_the_source(tmp_path):
    (tmp_path / "module.py").write_text(
        "raise StoreError(f'Row {n} of {t} is odd.', fix='Mend it.', code='store.odd')\n"
        "raise StoreBusy('Locked.', code='store.locked')\n"
        "raise ValueError('no', code='not.ours')\n"
        "raise StoreError('General.')\n"
    )
    found = {each.code: each for each in raised_codes(tmp_path)}
    assert set(found) == {"store.odd", "store.locked"}
    assert found["store.odd"].message == "Row … of … is odd."
    assert found["store.odd"].fix == "Mend it."
    assert found["store.locked"].fix == passflow.errors.StoreBusy.default_fix


def test_every_setting_of_a_program_file_is_explained(made):
    schema = program_model().model_json_schema()
    for name in schema["properties"]:
        assert f"`{name}`" in made["program-file.md"]
    empty = re.findall(r"^\| \S+ \| .* \|  \|$", made["program-file.md"], re.M)
    assert not empty, f"settings without a meaning: {empty}"


def test_rendering_a_schema_written_by_hand():
    schema = {
        "properties": {
            "a": {"type": "integer", "minimum": 1, "default": 3, "description": "How many."},
            "b": {"$ref": "#/$defs/Inner"},
            "c": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "x | y"},
            "d": {"type": "array", "items": {"enum": ["p", "q"]}, "description": "Some."},
        },
        "required": ["a"],
        "$defs": {"Inner": {"description": "The inner one.\n\nMore.", "properties": {}, "type": "object"}},
    }
    text = render(schema)
    assert "| **`a`** | whole number ≥ 1 | `3` | How many. |" in text
    assert "| `b` | [Inner](#inner) |  | The inner one. |" in text
    assert "| `c` | text |  | x \\| y |" in text
    assert "| `d` | list of `p`, `q` |  | Some. |" in text
    assert "## Inner\n\nThe inner one.\n" in text


def test_small_pieces():
    assert table(("a",), []) == ""
    assert code("") == code(None) == ""
    assert code(0) == "`0`"
    assert plain("One ``two``\n    three.\n\n  Four.") == "One `two` three.\n\nFour."


def mentioned():
    """Every `passflow …` that a message, a docstring or a page tells somebody to type."""
    sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml")]
    if (ROOT / "docs").is_dir():
        sources += [*(ROOT / "docs").glob("*.md"), *(path for path in [ROOT / "README.md"] if path.is_file())]
        sources += [*(ROOT / "data").rglob("*.yaml")]
    for path in sources:
        for found in COMMAND.finditer(path.read_text(encoding="utf-8")):
            yield path.name, found[1]


def fault(text, known):
    """What is wrong with a command that somebody is told to type, or None."""
    words = text.split()
    tops = {path.partition(" ")[0] for path in known}
    path = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    if path not in known:
        return None if words[0] in tops and len(words) == 1 else "there is no such command"
    rest = words[len(path.split()) :]
    if rest and rest[0] in tops:
        return f"{rest[0]!r} is a command of its own"
    options = {option for parameter in known[path].params for option in parameter.opts} | {"--debug", "--help"}
    missing = [word for word in rest if word.startswith("--") and word not in options]
    return f"it has no {missing[0]}" if missing else None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("plan gold", False), ("image", False), ("image add NAME FILE", False), ("verify --root", False), ("plan show x", True),
     ("converge", True), ("image remove x", True), ("erase --open", True), ("--help", True)],
)  # fmt: skip
def test_the_check_itself(text, wrong):
    assert bool(fault(text, commands())) == wrong


def test_nobody_is_told_to_type_a_command_that_does_not_exist():
    known = commands()
    asked = {(place, text) for place, text in mentioned() if text[0].isalpha()}
    wrong = sorted(f"{place}: `passflow {text}`: {why}" for place, text in asked if (why := fault(text, known)))
    assert len(asked) > 20
    assert not wrong, "\n".join(wrong)
