from pathlib import Path

import pytest
import yaml
from PIL import Image

from passflow.errors import ConfigError
from passflow.pipeline.scaffold import program_name, write_program
from passflow.project import load_programs

TYPE = "passflow.pipeline.PassProgram"


@pytest.mark.parametrize(
    ("folder", "program"),
    [("gold", "gold"), ("Gold Club", "gold_club"), ("gift-card", "gift_card"), ("a.b", "a_b"), ("x" * 40, "x" * 40)],
)
def test_a_folder_names_its_program(folder: str, program: str) -> None:
    assert program_name(folder) == program


@pytest.mark.parametrize("folder", ["", "2026", "日本", "x" * 41, "-", "../"])
def test_a_name_that_cannot_be_says_the_fix(folder: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a program") as caught:
        program_name(folder)
    assert "small letters" in caught.value.fix


def test_the_file_loads_and_reads_its_sample(tmp_path: Path) -> None:
    path = write_program(tmp_path / "gift-card", type_name=TYPE)
    program = load_programs(tmp_path)["gift_card"]
    assert path == tmp_path / "gift-card" / "defs.yaml"
    assert program.base_dir == path.parent
    columns = set((path.parent / "members.csv").read_text().splitlines()[0].split(","))
    assert columns == set(program.members.columns)


def test_the_icon_is_large_enough_for_every_phone(tmp_path: Path) -> None:
    folder = write_program(tmp_path / "gold", type_name=TYPE).parent
    with Image.open(folder / "images" / "icon.png") as icon:
        assert icon.size == (87, 87)  # 29 points at three times


def test_secrets_are_references(tmp_path: Path) -> None:
    document = yaml.safe_load(write_program(tmp_path / "gold", type_name=TYPE).read_text())
    wallet = document["attributes"]["wallets"][0]
    assert wallet["key"].startswith("file:")
    assert wallet["certificate"].startswith("file:")


def test_appending_keeps_what_is_there(tmp_path: Path) -> None:
    path = write_program(tmp_path / "gold", type_name=TYPE)
    (tmp_path / "gold" / "members.csv").write_text("own\n")
    write_program(tmp_path / "gold", type_name="other.Component", append=True)
    assert [document["type"] for document in yaml.safe_load_all(path.read_text())] == [TYPE, "other.Component"]
    assert (tmp_path / "gold" / "members.csv").read_text() == "own\n"
