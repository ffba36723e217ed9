"""Migrations: bringing a store to the tables that this passflow works with.

Each upgrade is one transaction on both databases. There is no way down: going back means restoring a backup.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, inspect, text

from passflow.errors import StoreVersionError
from passflow.store.engine import Store
from passflow.store.keys import create_store_keys
from passflow.store.migrations import OPTIONS, VERSION_TABLE, revisions
from passflow.store.views import create_views, drop_views

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK: Final = 0x70617373  # "pass": PostgreSQL's advisory lock for upgrades
_BACK: Final = "Install the newest passflow, or restore the backup made before it was upgraded."


def upgrade(store: Store) -> tuple[str, ...]:
    """Creates or upgrades the tables and views, and the store keys of the roles this process holds.

    Safe to run at once from several processes: one does the work, the others find it done.

    Returns:
        The revisions that were applied, oldest first; empty when there was nothing to do.

    Raises:
        StoreVersionError: the store was written by a newer passflow; it is left as it is.
        StoreBusy: locked, full or out of reach; it is left as it was.
    """
    with store.begin() as conn:
        if store.dialect == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        present = _current(conn)
        _refuse_newer(present)
        missing = revisions()[revisions().index(present) + 1 :] if present else revisions()
        drop_views(conn)  # PostgreSQL does not let a table change under a view
        if missing:
            from alembic import command

            command.upgrade(_config(conn), "head")
        create_views(conn)
    create_store_keys(store)
    return missing


def check(store: Store) -> None:
    """Makes sure that the store has exactly the tables of this passflow.

    Raises:
        StoreVersionError: migrations are missing, or the store was written by a newer passflow.
        StoreBusy: it is out of reach.
    """
    with store.read() as conn:
        present = _current(conn)
    _refuse_newer(present)
    missing = revisions()[revisions().index(present) + 1 :] if present else revisions()
    if present is None:
        raise StoreVersionError("The store has no tables yet.", fix="Run `passflow init`.")
    if missing:
        raise StoreVersionError(
            f"The store is at migration {present}; {', '.join(missing)} still to run.",
            fix="Make a backup, then run `passflow init`, which upgrades an existing store.",
        )


def differences(store: Store) -> list[Any]:
    """What the tables in the database lack compared with ``passflow.store.tables``, as Alembic names it."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from passflow.store.tables import metadata

    with store.read() as conn:
        context = MigrationContext.configure(conn, opts=OPTIONS)
        return list(compare_metadata(context, metadata))


def draft(store: Store, revision: str, message: str) -> Path:
    """Writes the next migration from what ``passflow.store.tables`` has and the database lacks; read it before you commit.

    Args:
        store: an upgraded store.
        revision: four digits, one more than the newest.
        message: what the migration is for.
    """
    from alembic import command

    with store.begin() as conn:
        drop_views(conn)
        made = command.revision(_config(conn), message=message, autogenerate=True, rev_id=revision)
        create_views(conn)
    if made is None or isinstance(made, list):
        raise AssertionError("one revision makes one file")
    return Path(made.path)


def _current(conn: Connection) -> str | None:
    if not inspect(conn).has_table(VERSION_TABLE):
        return None
    return conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant


def _refuse_newer(present: str | None) -> None:
    if present is not None and present not in revisions():
        raise StoreVersionError(
            f"The store is at migration {present}, which this passflow does not know: a newer one wrote it.", fix=_BACK
        )


def _config(conn: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "passflow.store:migrations")
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = conn
    return config
