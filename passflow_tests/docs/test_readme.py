"""What the README shows must be true: its program file loads, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from passflow.project import parse_program
from passflow.testing.programs import ICON

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_program_file_of_the_readme_loads(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.S)
    (tmp_path / "images").mkdir()
    for name in ("icon", "logo"):
        (tmp_path / "images" / f"{name}.png").write_bytes(ICON)
    program = parse_program(yaml.safe_load(block)["attributes"], tmp_path)
    assert program.program == "gold"
    assert program.design.revision


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_to_a_file(target):
    assert target.startswith("https://") or (ROOT / target).is_file()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_every_make_target_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)
