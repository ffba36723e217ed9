"""A club that reads real files and signs real passes, after a good night; and dumps of everything its store holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from passflow.errors import PassflowError
from passflow.model import Plan
from passflow.program import Program
from passflow.sources.files import FilesSource
from passflow.store.engine import Store
from passflow.store.tables import metadata
from passflow.sync.apply import apply_plan
from passflow.sync.converge import converge
from passflow.sync.plan import make_plan
from passflow.testing.authority import TestAuthority
from passflow.testing.programs import make_program
from passflow.wallets.apple.wallet import AppleWallet

PASS_TYPE, TEAM = "pass.example.club", "ABCDE12345"
HEADER = "id,name,points,tier,state,until"
ROWS = [f"M-{number:05d},Member {number},{number},gold,A," for number in range(6)]

Dump = Mapping[str, list[str]]


@dataclass
class House:
    """One program whose members are in ``members.csv`` and whose certificate is in ``certificates/``."""

    folder: Path
    store: Store
    authority: TestAuthority
    source: dict[str, Any] = field(default_factory=dict)
    wallet: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=dict)

    @property
    def members(self) -> Path:
        return self.folder / "members.csv"

    def write(self, content: bytes | str | list[str]) -> None:
        """The night's export; a list of lines gets the header above it and its row count beside it."""
        if isinstance(content, list):
            (self.folder / "rows.txt").write_text(f"{len(content)}\n")
            content = "\n".join([HEADER, *content]) + "\n"
        self.members.write_bytes(content if isinstance(content, bytes) else content.encode())

    def program(self) -> Program:
        secrets = {
            role: f"file:{self.folder}/certificates/{role}.pem" for role in ("certificate", "key", "intermediate")
        }
        wallet = AppleWallet(**{"pass_type": PASS_TYPE, "team": TEAM, **secrets, **self.wallet})
        source = FilesSource(
            **{"type": "files", "path": "members.csv", "control": {"rows_file": "rows.txt"}, **self.source}
        )
        return make_program(self.folder, [], source=source, wallets=[wallet], **self.blocks)

    def plan(self) -> Plan:
        return make_plan(self.program(), self.store)

    def night(self) -> Plan:
        plan = self.plan()
        apply_plan(self.program(), self.store, plan.plan_id, holder="test")
        self.converge()
        return plan

    def converge(self):
        program = self.program()
        return converge(program, self.store, program.wallets[0])

    def dump(self, *, passes_only: bool = False) -> Dump:
        """Every row of every table, in its bytes; the lease counter alone may move with every attempt."""
        apart = {"plans", "operations", "rejected_members", "programs", "counters"} if passes_only else set()
        with self.store.read() as conn:
            found = {
                table.name: sorted(map(repr, conn.execute(select(table)).all()))
                for table in metadata.sorted_tables
                if table.name not in apart
            }
        if "counters" in found:
            found["counters"] = [row for row in found["counters"] if "'lease'" not in row]
        return found


@pytest.fixture(scope="session")
def authority() -> TestAuthority:
    return TestAuthority()


@pytest.fixture
def house(store: Store, tmp_path: Path, authority: TestAuthority) -> House:
    """After a first good night of six members."""
    authority.write(tmp_path / "certificates", PASS_TYPE, TEAM)
    made = House(tmp_path, store, authority)
    made.write(ROWS)
    made.night()
    return made


def refused(act: Callable[[], object], code: str) -> PassflowError:
    """The error of an act: it must be one of ours, with the code, a fix, and nothing of anybody in it."""
    with pytest.raises(PassflowError) as caught:
        act()
    error = caught.value
    assert error.error_code == code, error
    assert error.fix and len(error.message) > 20
    assert "Member" not in str(error) and "M-000" not in str(error), "names somebody"
    return error
