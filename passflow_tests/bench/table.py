"""What a row of the table is, how it is printed and how it is saved."""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPARE = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: what was measured and what it must reach.

    Args:
        name: stable name, of small letters, digits and underscores.
        value: the median of the rounds.
        unit: of the value; ``×`` for a ratio.
        must: ``>= 0.85`` or ``<= 1.4``; None where the value is only reported.
        beside: the floor or rival it is measured against, or what else the number says.
    """

    name: str
    value: float
    unit: str
    must: str | None
    beside: str

    @property
    def holds(self) -> bool:
        """Whether the value is what it must be; nothing is asked of a reported one."""
        if self.must is None:
            return True
        sign, limit = self.must.split()
        return bool(_COMPARE[sign](self.value, float(limit)))


def show(rows: Sequence[Measure]) -> None:
    """Prints the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "value", "must", "holds", "against")
    for row in rows:
        holds = "-" if row.must is None else "[green]yes[/]" if row.holds else "[bold red]NO[/]"
        table.add_row(row.name, f"{row.value:,.2f} {row.unit}", row.must or "reported", holds, row.beside)
    Console(width=None if Console().is_terminal else 170).print(table)


def save(rows: Sequence[Measure], path: Path) -> None:
    """Writes the rows as JSON; those of an earlier run that were not measured now are not kept."""
    fields = ("name", "value", "unit", "must", "holds")
    document = [{field: getattr(row, field) for field in fields} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
