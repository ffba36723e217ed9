"""A small project with certificates of a test authority, and the members of a club."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from passflow.installation import Installation
from passflow.testing.authority import CLUB_TYPE, TEAM, TestAuthority

PROGRAM = """\
type: passflow.pipeline.PassProgram
attributes:
  program: {name}
  description: Loyalty card of a test.
  owners: ["team:loyalty"]
  tags: {{domain: loyalty}}
  shards: {shards}
  source:
    type: files
    path: members.csv
    control: {{rows_file: members.csv.count}}
  members:
    external_id: member_no
    given_name: first_name
    points: {{column: points, type: integer}}
    status: state
  lifecycle:
    statuses: {{active: [active], voided: [blocked]}}
    on_missing: delete
  template:
    style: storeCard
    organization: Test Club
    description: Loyalty card
    colors: {{background: "#1b1f3b", foreground: "#ffffff", label: "#c9ccd6"}}
    images: {{icon: icon.png}}
    primary:
      - {{key: points, label: Points, value: "{{points:,}}", change_message: "You now have %@ points"}}
    secondary:
      - {{key: member, label: Member, value: "{{given_name}}"}}
    barcodes:
      - {{format: qr, message: "{{external_id}}"}}
  wallets:
    - type: apple
      pass_type: {pass_type}
      team: {team}
      certificate: file:certificate.pem
      key: file:key.pem
      intermediate: file:intermediate.pem
  guard: {{first_load: {first_load}}}
"""
PYPROJECT = """\
[project]
name = "club"
version = "0.1.0"
[tool.passflow]
programs = "programs"
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "programs"
defs_module = "programs"
code_location_target_module = "passflow.definitions"
code_location_name = "club"
"""
WORKSPACE = """\
load_from:
  - python_module:
      {module_name: passflow.definitions, attribute: defs, location_name: club, working_directory: .}
"""
Member = tuple[str, str, int, str]
Run = Callable[..., dg.ExecuteInProcessResult]


def members(count: int, *, points: int = 100, names: str = "Member") -> list[Member]:
    """Members with ids of a fixed width."""
    return [(f"{number:06}", f"{names}{number}", points, "active") for number in range(1, count + 1)]


@dataclass(frozen=True)
class Project:
    """A project folder with its settings in the environment."""

    root: Path

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    def add(self, name: str, *, shards: int = 1, first_load: bool = True, rows: Sequence[Member] = ()) -> Path:
        """A program with its certificates, icon and members."""
        folder = self.programs / name
        folder.mkdir(parents=True)
        text = PROGRAM.format(
            name=name, shards=shards, pass_type=CLUB_TYPE, team=TEAM, first_load=str(first_load).lower()
        )
        (folder / "defs.yaml").write_text(text)
        (folder / "icon.png").write_bytes(icon())
        authority = TestAuthority()
        issued = authority.issue_pass_certificate()
        (folder / "certificate.pem").write_bytes(issued.certificate_pem)
        (folder / "key.pem").write_bytes(issued.key_pem)
        (folder / "key.pem").chmod(0o600)
        (folder / "intermediate.pem").write_bytes(authority.intermediate_pem)
        self.write_members(name, rows)
        return folder

    def write_members(self, name: str, rows: Sequence[Member]) -> None:
        """The night's export, with its control file."""
        lines = ["member_no,first_name,points,state", *(",".join(map(str, row)) for row in rows)]
        (self.programs / name / "members.csv").write_text("\n".join(lines) + "\n")
        (self.programs / name / "members.csv.count").write_text(f"{len(rows)}\n")

    def definitions(self) -> dg.Definitions:
        """What the code location holds now."""
        from passflow.definitions import defs

        return defs()

    def open(self) -> Installation:
        """The installation, as the command line opens it."""
        return Installation.open()


def icon() -> bytes:
    from importlib.resources import files

    return files("passflow.pipeline").joinpath("scaffold_files", "icon.png").read_bytes()
