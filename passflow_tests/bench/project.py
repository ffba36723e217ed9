"""A Dagster project of the club's programs, as a user has it: one folder with a `defs.yaml` per program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from passflow.testing.authority import CLUB_TYPE, TEAM, TestAuthority
from passflow.testing.programs import ICON
from passflow_tests.bench.club import MEMBERS, TEMPLATE

PROGRAMS: Final = tuple(f"club_{number}" for number in range(10))

_PYPROJECT: Final = """\
[project]
name = "clubs"
version = "0.1.0"
[tool.passflow]
programs = "programs"
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "programs"
defs_module = "programs"
code_location_target_module = "passflow.definitions"
code_location_name = "clubs"
"""


def environment(root: Path) -> dict[str, str]:
    """Environment of a process that works on the project: a home of its own, a store in it, nothing calls home."""
    cleared = dict.fromkeys(("PASSFLOW_STORE_URL", "PASSFLOW_BASE_URL", "DAGSTER_HOME", "PASSFLOW_PROJECT"), "")
    return {**cleared, "PASSFLOW_HOME": str(root / "home"), "DAGSTER_DISABLE_TELEMETRY": "yes", "DO_NOT_TRACK": "1"}


def make_project(root: Path, names: Sequence[str], *, members: str = "members.parquet") -> None:
    """Writes a project with certificates of a test authority.

    Args:
        root: its folder, made here.
        names: of the programs.
        members: file of the members beside each program file; not written here.
    """
    authority = TestAuthority()
    issued = authority.issue_pass_certificate()
    (root / "programs").mkdir(parents=True)
    (root / "pyproject.toml").write_text(_PYPROJECT)
    for name in names:
        folder = root / "programs" / name
        folder.mkdir()
        (folder / "icon.png").write_bytes(ICON)
        (folder / "certificate.pem").write_bytes(issued.certificate_pem)
        (folder / "key.pem").write_bytes(issued.key_pem)
        (folder / "key.pem").chmod(0o600)
        (folder / "intermediate.pem").write_bytes(authority.intermediate_pem)
        document = {"type": "passflow.pipeline.PassProgram", "attributes": _attributes(name, members)}
        (folder / "defs.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


def _attributes(name: str, members: str) -> dict[str, Any]:
    wallet = {"type": "apple", "pass_type": CLUB_TYPE, "team": TEAM, "certificate": "file:certificate.pem"}
    return {
        "program": name,
        "source": {"type": "files", "path": members},
        "members": MEMBERS,
        "lifecycle": {"statuses": {"active": ["A"], "voided": ["B"], "deleted": ["X"]}, "time_zone": "Europe/Berlin"},
        "template": TEMPLATE,
        "wallets": [{**wallet, "key": "file:key.pem", "intermediate": "file:intermediate.pem"}],
        "guard": {"first_load": True},
    }
