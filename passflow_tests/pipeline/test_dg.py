"""The commands of `dg` on a project: the same folder and files as the command line of passflow."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dagster_dg_cli.cli import create_dg_cli

from passflow.cli.init import prepare_project
from passflow.project import load_programs, program_root
from passflow_tests.pipeline.club import Project, members

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def dg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Dg":
    monkeypatch.setenv("DAGSTER_DG_UPDATE_CHECK_ENABLED", "0")
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    return Dg()


class Dg:
    """Runs `dg` in this process."""

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(create_dg_cli(), [*words], catch_exceptions=False)


def test_check_yaml_accepts_what_loads(project: Project, dg: Dg) -> None:
    project.add("club", rows=members(1))
    result = dg("check", "yaml")
    assert "All component YAML validated successfully" in result.output
    assert result.exit_code == 0


def test_check_yaml_names_the_line_of_a_mistake(project: Project, dg: Dg) -> None:
    folder = project.add("club")
    path = folder / "defs.yaml"
    text = path.read_text().replace("style: storeCard", "style: postcard")
    path.write_text(text)
    result = dg("check", "yaml")
    assert result.exit_code != 0
    line = 1 + text[: text.index("style: postcard")].count("\n")
    assert f"defs.yaml:{line}" in result.output
    assert "postcard" in result.output


def test_scaffolding_gives_a_program_that_checks_and_loads(project: Project, dg: Dg) -> None:
    scaffolded = dg("scaffold", "defs", "passflow.pipeline.PassProgram", "gift-card")
    assert scaffolded.exit_code == 0, scaffolded.output
    assert dg("check", "yaml").exit_code == 0
    assert list(load_programs(program_root())) == ["gift_card"]
    assert project.definitions().resolve_job_def("gift_card_plan")


def test_list_defs_shows_what_the_command_line_reads(project: Project, dg: Dg) -> None:
    project.add("club")
    result = dg("list", "defs", "--json")
    assert result.exit_code == 0, result.output
    listed = json.loads(result.output[result.output.index("{") :])
    assert names(listed, "assets") == {
        "club/source",
        "club/members",
        "club/pass_plan",
        "club/passes",
        "club/apple_wallet",
    }
    assert names(listed, "jobs") == {"club_plan", "club_apply", "club_approve"}
    assert names(listed, "schedules") == {"club_nightly"}
    assert names(listed, "sensors") == {"club_start_apply", "club_watch"}


def names(listed: dict[str, list[dict[str, str]]], kind: str) -> set[str]:
    return {item.get("asset_key") or item["name"] for item in listed[kind]}


def test_the_component_is_listed(project: Project, dg: Dg) -> None:
    result = dg("list", "components", "--json")
    assert "passflow.pipeline.PassProgram" in result.output


def test_a_project_of_passflow_init_is_one_of_dg(dg: Dg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, _ = prepare_project(tmp_path / "shop", "members")
    monkeypatch.setenv("PASSFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PASSFLOW_PROJECT", raising=False)
    monkeypatch.chdir(root)
    assert dg("check", "yaml").exit_code == 0
    listed = dg("list", "defs", "--json")
    assert "members/apple_wallet" in listed.output
    assert dg("scaffold", "defs", "passflow.pipeline.PassProgram", "gift").exit_code == 0
    assert sorted(load_programs(program_root())) == ["gift", "members"]


def test_the_demo_checks(dg: Dg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not (REPOSITORY / "data").is_dir():
        pytest.skip("the demo's files are not beside the tests")
    monkeypatch.setenv("PASSFLOW_HOME", str(tmp_path))
    monkeypatch.chdir(REPOSITORY)
    result = dg("check", "yaml")
    assert "All component YAML validated successfully" in result.output
