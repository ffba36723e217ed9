"""What verification says about a pass."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

Level = Literal["error", "warning", "info"]
MAX_FINDINGS = 500  # a hostile archive may break the same rule a million times
_PLAIN = re.compile(r"[\w.@/+ -]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing, about a pass.

    Attributes:
        level: error = Wallet refuses the pass or breaks a rule of Apple's; warning = shows or does something else than
            meant; info = worth knowing.
        code: stable, such as ``manifest.hash``.
        where: file, or path inside pass.json.
        message: what is wrong, without values of the pass, which may be personal.
        fix: the next step.
    """

    level: Level
    code: str
    where: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.message} → {self.fix}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one file, errors first."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Report:
        """Sort findings by level and keep the first 500 of them."""
        found = list(islice(findings, MAX_FINDINGS + 1))
        if len(found) > MAX_FINDINGS:
            found[MAX_FINDINGS:] = [info("report.cut", "report", "There are more findings.", "Mend these first.")]
        order = {"error": 0, "warning": 1, "info": 2}
        return cls(tuple(sorted(found, key=lambda finding: order[finding.level])))

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings of level error."""
        return tuple(each for each in self.findings if each.level == "error")

    @property
    def codes(self) -> frozenset[str]:
        """The codes that occur."""
        return frozenset(each.code for each in self.findings)


def error(code: str, where: str, message: str, fix: str) -> Finding:
    """Make a finding of level error."""
    return Finding("error", code, where, message, fix)


def warning(code: str, where: str, message: str, fix: str) -> Finding:
    """Make a finding of level warning."""
    return Finding("warning", code, where, message, fix)


def info(code: str, where: str, message: str, fix: str) -> Finding:
    """Make a finding of level info."""
    return Finding("info", code, where, message, fix)


def inside(place: str, findings: Iterable[Finding]) -> Iterable[Finding]:
    """Put a place before where each finding is."""
    for each in findings:
        yield replace(each, where=f"{place}: {each.where}" if each.where else place)


def shown(name: str) -> str:
    """Make a name of a stranger's file safe to print: ASCII, short, no control characters."""
    return name if _PLAIN.fullmatch(name) else ascii(name[:60])
