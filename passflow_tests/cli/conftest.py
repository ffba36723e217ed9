"""A small project on disk, with everything but members' passes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from passflow.cli.app import run
from passflow_tests.cli.runs import run_here

PROGRAM = """\
type: passflow.pipeline.PassProgram
attributes:
  program: club
  source: {type: files, path: members.csv, control: {rows_file: members.count}}
  members:
    external_id: number
    given_name: first
    family_name: last
    points: {column: points, type: integer}
    expires_at: until
    status: state
  lifecycle: {statuses: {active: [A], voided: [B], deleted: [X]}}
  template:
    style: storeCard
    organization: Club
    description: Club card
    locale: en
    images: {icon: icon.png}
    header:
      - {key: points, label: {en: Points, de: Punkte}, value: "{points:,}", change_message: "Now %@"}
    secondary:
      - {key: name, label: Name, value: "{given_name} {family_name}"}
    barcodes: [{format: qr, message: "{external_id}"}]
  wallets:
    - type: apple
      pass_type: pass.example.club
      team: ABCDE12345
      certificate: "file:{{ env('PASSFLOW_HOME') }}/certificates/certificate.pem"
      key: "file:{{ env('PASSFLOW_HOME') }}/certificates/key.pem"
      intermediate: "file:{{ env('PASSFLOW_HOME') }}/certificates/intermediate.pem"
  guard: {first_load: true}
"""

HEADER = "number,first,last,points,until,state"
MEMBERS = [f"M{number:04d},Zoë{number},Adler-Nyström,{number * 1000},2035-12-31,A" for number in range(1, 21)]


@dataclass
class Project:
    """A project of one program with twenty members, and its command line."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    played: Path

    @property
    def home(self) -> Path:
        return self.folder / ".passflow"

    def members(self, rows, count=None) -> None:
        """Writes the master system's export and its control file."""
        write_members(self.folder, rows, count)

    def run(self, *arguments):
        """Runs passflow in the project's folder."""
        return run_here(self.capsys, *arguments)

    def applied(self) -> Project:
        """The project after its first night."""
        shutil.copytree(self.played, self.home, dirs_exist_ok=True)
        return self


def write_members(folder, rows, count=None) -> None:
    (folder / "programs" / "club" / "members.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    (folder / "programs" / "club" / "members.count").write_text(f"{len(rows) if count is None else count}\n")


def enter(folder, monkeypatch) -> None:
    """Lays out a project and goes there, as a shell without any of our variables would."""
    for name in [name for name in os.environ if name.startswith(("PASSFLOW_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    (folder / "programs" / "club").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[tool.passflow]\nprograms = "programs"\n')
    (folder / "programs" / "club" / "defs.yaml").write_text(PROGRAM, encoding="utf-8")
    (folder / "programs" / "club" / "icon.png").write_bytes(icon())
    write_members(folder, MEMBERS)
    monkeypatch.setenv("PASSFLOW_HOME", str(folder / ".passflow"))
    monkeypatch.chdir(folder)


@pytest.fixture(scope="session")
def homes(tmp_path_factory) -> tuple[Path, Path]:
    """The home folder of a project that is ready for its first plan, and after its first night; to copy."""
    folder = tmp_path_factory.mktemp("homes")
    with pytest.MonkeyPatch.context() as monkeypatch:
        enter(folder / "shop", monkeypatch)
        assert [run(["init"]), run(["dev-certs"])] == [0, 0]
        shutil.copytree(folder / "shop" / ".passflow", folder / "ready")
        assert [run(["plan"]), run(["apply"])] == [2, 0]
    return folder / "ready", folder / "shop" / ".passflow"


@pytest.fixture
def bare_project(tmp_path, monkeypatch, capsys, homes) -> Project:
    """Program file and members; no keys, no store, no certificates."""
    enter(tmp_path / "shop", monkeypatch)
    return Project(tmp_path / "shop", capsys, homes[1])


@pytest.fixture
def project(bare_project, homes) -> Project:
    """Ready for its first plan."""
    shutil.copytree(homes[0], bare_project.home)
    return bare_project


def icon() -> bytes:
    """A picture of 114 x 114 pixels."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (114, 114), (20, 60, 90)).save(buffer, "PNG")
    return buffer.getvalue()
