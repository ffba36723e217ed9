"""The store's migrations: one file per step in ``versions``, named after its revision."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

VERSION_TABLE: Final = "passflow_migrations"
"""Not Alembic's default name: Dagster may live in the same database, and uses that one."""


def revisions() -> tuple[str, ...]:
    """Every revision this passflow knows, oldest first, without importing Alembic."""
    names = (entry.name for entry in (files(__name__) / "versions").iterdir())
    return tuple(sorted(name.partition("_")[0] for name in names if name[:4].isdigit() and name.endswith(".py")))


def same_default(*compared: Any) -> bool | None:
    """Alembic's hook for server defaults: SQLite quotes an empty string, which Alembic takes for another default."""
    _, _, _, inspected, _, rendered = compared
    return False if rendered == "" and inspected in {"('')", "''"} else None


OPTIONS: Final[dict[str, Any]] = {"version_table": VERSION_TABLE, "compare_server_default": same_default}
"""How Alembic compares and records; the same wherever it is asked."""
