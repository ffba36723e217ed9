"""Program files: found, rendered as text, validated, and every mistake named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from passflow.errors import PassflowError, ProgramError, TemplateError
from passflow.project import dotted, load_programs, program_root, read_program_file, render_leaves
from passflow.testing.programs import ICON

GOOD = """\
type: passflow.pipeline.PassProgram
attributes:
  program: gold
  source: {type: files, path: members.csv}
  members:
    external_id: member_no
    points: {column: points, type: integer}
  template:
    style: storeCard
    organization: Club
    description: Card
    header: [{key: points, label: Points, value: "{points:,}"}]
    images: {icon: icon.png}
  wallets:
    - type: apple
      pass_type: pass.example.club
      team: ABCDE12345
      certificate: env:CERTIFICATE
      key: env:KEY
"""


@pytest.fixture
def write(tmp_path: Path):
    (tmp_path / "icon.png").write_bytes(ICON)

    def write_file(text: str, name: str = "defs.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


def test_a_good_file_is_read(write, tmp_path):
    (program,) = read_program_file(write(GOOD))
    assert program.program == "gold"
    assert program.base_dir == tmp_path
    assert program.wallets[0].name == "apple"
    assert program.design.revision


def test_several_documents_and_foreign_ones_share_a_file(write):
    other = "type: dagster.DefsFolderComponent\n"
    second = GOOD.replace("program: gold", "program: silver")
    programs = read_program_file(write(f"{GOOD}---\n{other}---\n{second}"))
    assert [program.program for program in programs] == ["gold", "silver"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("program: gold", "program: Gold Club", 3, "program"),
        ("type: files", "type: fax", 4, "source"),
        ("{type: files, path: members.csv}", "{type: files, path: members.csv, colour: red}", 4, "no such setting"),
        ("team: ABCDE12345", "team: short", 17, "team"),
        ("  wallets:", "  shards: 6\n  wallets:", 3, "power of two"),
        ("      key: env:KEY", "      key: env:KEY\n      sky: blue", 20, "no such setting"),
        ("program: gold", "program: 12", 3, "put it in quotes"),
    ],
)
def test_a_mistake_is_named_with_line_path_and_fix(write, old, new, line, words):
    with pytest.raises(ProgramError) as caught:
        read_program_file(write(GOOD.replace(old, new)))
    message = str(caught.value)
    assert words in message
    assert f"line {line})" in message or words == "power of two"
    assert "→" in message


def test_a_literal_secret_is_refused_and_not_repeated(write):
    literal = "-----BEGIN-PRIVATE-KEY-hunter2"
    with pytest.raises(ProgramError) as caught:
        read_program_file(write(GOOD.replace("env:KEY", literal)))
    assert "hunter2" not in str(caught.value) + repr(caught.value)
    assert "env:NAME" in str(caught.value)


def test_an_unknown_field_of_the_template_is_named_with_the_nearest_one(write):
    with pytest.raises((TemplateError, ProgramError)) as caught:
        read_program_file(write(GOOD.replace('"{points:,}"', '"{point:,}"')))
    assert "header[0].value" in str(caught.value)
    assert "points" in str(caught.value)


def test_a_missing_image_is_named(write):
    with pytest.raises(ProgramError, match=r"template\.images\.icon: .*nowhere\.png"):
        read_program_file(write(GOOD.replace("icon: icon.png", "icon: nowhere.png")))


def test_two_files_with_one_name_are_refused(write, tmp_path):
    write(GOOD, "a/defs.yaml")
    write(GOOD, "b/defs.yaml")
    for folder in "ab":
        (tmp_path / folder / "icon.png").write_bytes(ICON)
    with pytest.raises(ProgramError, match="defined in"):
        load_programs(tmp_path)


@pytest.mark.parametrize("text", ["a: [", "\tx: 1", "a: 2026-02-30", "a: b: c", "- &x\n- *y"])
def test_broken_yaml_is_an_error_with_its_file(write, text):
    with pytest.raises(ProgramError) as caught:
        read_program_file(write(text))
    assert "defs.yaml" in str(caught.value)


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    (tmp_path / "defs.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ProgramError, match="not valid YAML"):
        read_program_file(tmp_path / "defs.yaml")


def test_leaves_are_rendered_as_text(monkeypatch):
    monkeypatch.setenv("ISSUER", "3388000000022000000")
    for written in ("{{ env.ISSUER }}", "{{ env('ISSUER') }}", "{{ env['ISSUER'] }}"):
        assert render_leaves({"a": [written]}) == {"a": ["3388000000022000000"]}
    assert render_leaves("{{ env('UNSET_NAME', 'x') }}y") == "xy"
    assert render_leaves("{points:,}") == "{points:,}"
    assert render_leaves({"flag": True, "number": 3, "none": None}) == {"flag": True, "number": 3, "none": None}


@pytest.mark.parametrize("written", ["{{ env.UNSET_NAME }}", "x{{ env('UNSET_NAME') }}y", "{{ nothing }}", "{{ 1 +"])
def test_what_cannot_be_rendered_is_an_error(written, monkeypatch):
    monkeypatch.delenv("UNSET_NAME", raising=False)
    with pytest.raises(ProgramError):
        render_leaves({"source": {"path": written}})


@pytest.mark.parametrize(
    "attack", ["{{ ''.__class__.__mro__ }}", "{{ env.__class__ }}", "{{ env.__init__.__globals__ }}"]
)
def test_expressions_cannot_leave_their_box(attack):
    with pytest.raises(PassflowError):
        render_leaves(attack)


def test_the_root_is_found_upwards_and_by_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("PASSFLOW_PROJECT", raising=False)
    (tmp_path / "pyproject.toml").write_text('[tool.passflow]\nprograms = "programs"\n')
    (tmp_path / "programs" / "deep").mkdir(parents=True)
    assert program_root(tmp_path / "programs" / "deep") == tmp_path / "programs"
    monkeypatch.setenv("PASSFLOW_PROJECT", str(tmp_path))
    assert program_root() == tmp_path
    monkeypatch.setenv("PASSFLOW_PROJECT", str(tmp_path / "nowhere"))
    with pytest.raises(ProgramError, match="PASSFLOW_PROJECT"):
        program_root()


def test_paths_are_written_as_people_write_them():
    assert dotted(("wallets", 0, "apple", "team")) == "wallets[0].apple.team"
    assert yaml.safe_load(GOOD)["attributes"]["program"] == "gold"
