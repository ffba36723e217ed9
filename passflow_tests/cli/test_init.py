"""Starting a project, certificates for development, and what surrounds a verb."""

import os
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from passflow.cli.environment import find_project, prepare_environment
from passflow.cli.programs import choose_program, choose_programs
from passflow.errors import ConfigError
from passflow_tests.cli.runs import run_here, run_process


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_project_goes_from_nothing_to_signed_passes(tmp_path):
    began = run_process("init", "shop", "--program", "Gold Club", cwd=tmp_path)
    assert began.status == 0, began.err
    folder = tmp_path / "shop"
    assert "cd shop" in began.out
    settings = tomllib.loads((folder / "pyproject.toml").read_text())
    assert settings["tool"]["passflow"]["programs"] == settings["tool"]["dg"]["project"]["defs_module"] == "programs"
    assert yaml.safe_load((folder / "workspace.yaml").read_text())["load_from"][0]["python_module"]["module_name"] == (
        "passflow.definitions"
    )
    assert ".passflow/" in (folder / ".gitignore").read_text().split()
    document = yaml.safe_load((folder / "programs" / "gold_club" / "defs.yaml").read_text())
    assert document["type"] == "passflow.pipeline.PassProgram"
    assert document["attributes"]["program"] == "gold_club"
    assert mode(folder / ".passflow") == 0o700
    for role in ("members", "packages"):
        assert mode(folder / ".passflow" / "keys" / f"{role}.key") == 0o600
    plan = run_process("plan", cwd=folder)
    assert plan.status == 3, "the first load waits for a person unless the file allows it: " + plan.err
    assert "creates.first_load" in plan.out
    assert run_process("dev-certs", cwd=folder).status == 0
    checked = run_process("doctor", cwd=folder)
    assert checked.status == 0, checked.out
    assert run_process("approve", "gold_club", "create", "2", cwd=folder).status == 0
    applied = run_process("apply", cwd=folder)
    assert applied.status == 0, applied.err
    exported = run_process("pass", "export", "000417", "--out", "zoe.pkpass", cwd=folder)
    assert exported.status == 0, exported.err
    root = next(folder.rglob("root.pem"))
    assert run_process("verify", "zoe.pkpass", "--root", str(root), cwd=folder).status == 0


def test_init_again_keeps_everything(project):
    kept = {path: path.read_bytes() for path in (project.home / "keys").iterdir()}
    program = (project.folder / "programs" / "club" / "defs.yaml").read_bytes()
    assert project.run("init").status == 0
    assert {path: path.read_bytes() for path in (project.home / "keys").iterdir()} == kept
    assert (project.folder / "programs" / "club" / "defs.yaml").read_bytes() == program
    assert project.run("init", "--json").json["created"] == []


def test_init_upgrades_from_any_folder_of_the_project(project, monkeypatch):
    monkeypatch.delenv("PASSFLOW_HOME")
    monkeypatch.chdir(project.folder / "programs" / "club")
    assert project.run("init").status == 0
    assert not (project.folder / "programs" / "club" / ".passflow").exists()


def test_init_leaves_a_foreign_project_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'theirs'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PASSFLOW_HOME", raising=False)
    ended = run_here(capsys, "init")
    assert ended.status == 1
    assert ended.err.startswith("error[config.project]")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml"]


class TestCertificates:
    def test_they_fit_the_program_and_are_private(self, bare_project):
        ended = bare_project.run("dev-certs")
        assert ended.status == 0
        folder = bare_project.home / "certificates"
        assert sorted(path.name for path in folder.iterdir()) == [
            "certificate.pem",
            "intermediate.pem",
            "key.pem",
            "root.pem",
        ]
        assert all(mode(path) == 0o600 for path in folder.iterdir())
        from passflow.wallets.apple.identity import load_identity

        load_identity(
            (folder / "certificate.pem").read_bytes(),
            (folder / "key.pem").read_bytes(),
            pass_type_identifier="pass.example.club",
            team_identifier="ABCDE12345",
            now=datetime.now(UTC),
            intermediate=(folder / "intermediate.pem").read_bytes(),
        )

    def test_what_is_there_stays_unless_forced(self, project):
        path = project.home / "certificates" / "certificate.pem"
        before = path.read_bytes()
        assert "Nothing to do" in project.run("dev-certs").out
        assert path.read_bytes() == before
        assert len(project.run("dev-certs", "--force", "--json").json["written"]) == 4
        assert path.read_bytes() != before

    def test_other_references_are_left_alone(self, bare_project):
        path = bare_project.folder / "programs" / "club" / "defs.yaml"
        path.write_text(
            path.read_text().replace("\"file:{{ env('PASSFLOW_HOME') }}/certificates/key.pem\"", "env:CLUB_KEY")
        )
        assert bare_project.run("dev-certs", "--json").json["written"] == []


class TestEnvironment:
    @pytest.fixture
    def place(self, tmp_path, monkeypatch):
        for name in ("PASSFLOW_HOME", "PASSFLOW_DEMO_COLOUR"):
            monkeypatch.setenv(name, "")  # so that what the verb sets is undone
            monkeypatch.delenv(name)
        (tmp_path / "deep" / "deeper").mkdir(parents=True)
        return tmp_path

    def test_the_home_folder_is_the_projects_from_everywhere(self, place):
        (place / "pyproject.toml").write_text("[tool.passflow]\nprograms = 'deep'\n")
        assert prepare_environment(place / "deep" / "deeper") == place
        assert os.environ["PASSFLOW_HOME"] == str(place / ".passflow")

    def test_what_is_set_wins(self, place, monkeypatch):
        monkeypatch.setenv("PASSFLOW_HOME", "/elsewhere")
        (place / "pyproject.toml").write_text("[tool.passflow]\n")
        (place / ".env").write_text("PASSFLOW_HOME=/third\nPASSFLOW_DEMO_COLOUR=green\n")
        prepare_environment(place)
        assert os.environ["PASSFLOW_HOME"] == "/elsewhere"
        assert os.environ["PASSFLOW_DEMO_COLOUR"] == "green"

    def test_a_relative_home_folder_means_from_here(self, place, monkeypatch):
        monkeypatch.setenv("PASSFLOW_HOME", "state")
        monkeypatch.chdir(place / "deep")
        (place / "pyproject.toml").write_text("[tool.passflow]\n")
        prepare_environment()
        assert os.environ["PASSFLOW_HOME"] == str(place / "deep" / "state")

    def test_outside_of_a_project_nothing_is_settled(self, place):
        assert prepare_environment(place / "deep") is None
        assert "PASSFLOW_HOME" not in os.environ

    @pytest.mark.parametrize("content", [b"not toml [", b"\xff\xfe\x00", b"[tool.black]\n", b""])
    def test_files_of_others_are_passed_over(self, place, content):
        (place / "pyproject.toml").write_text("[tool.passflow]\n")
        (place / "deep" / "pyproject.toml").write_bytes(content)
        assert find_project(place / "deep" / "deeper") == place


class TestPrograms:
    def test_the_only_one_need_not_be_named(self):
        assert choose_program({"gold": "G"}, None) == "G"
        assert list(choose_programs({"gold": "G", "gift": "H"}, None)) == ["G", "H"]
        assert list(choose_programs({"gold": "G", "gift": "H"}, "gift")) == ["H"]

    @pytest.mark.parametrize("name", [None, "silver"])
    def test_otherwise_the_choice_is_listed(self, name):
        with pytest.raises(ConfigError) as caught:
            choose_program({"gold": "G", "gift": "H"}, name)
        assert caught.value.error_code == "program.unknown"
        assert "gold, gift" in caught.value.fix

    def test_a_project_without_programs_points_to_init(self, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[tool.passflow]\nprograms = '.'\n")
        ended = run_process("plan", cwd=tmp_path)
        assert ended.status == 1
        assert "passflow init" in ended.err


def test_a_missing_programs_folder_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.passflow]\nprograms = 'gone'\n")
    ended = run_process("plan", cwd=tmp_path)
    assert ended.status == 1
    assert "gone" in ended.err
    assert Path(tmp_path / "gone").exists() is False
