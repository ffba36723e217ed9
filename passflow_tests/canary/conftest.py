"""A marked club on each database, a temporary folder of its own, and a log that catches everything."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from passflow.testing.apns import FakeApns
from passflow.testing.authority import TestAuthority
from passflow_tests.canary.club import MarkedClub, new_member


@pytest.fixture(scope="session")
def authority() -> TestAuthority:
    return TestAuthority()


@pytest.fixture
def apns(authority: TestAuthority) -> Iterator[FakeApns]:
    server = authority.issue_server_certificate()
    with FakeApns(server.chain_pem, server.key_pem, client_roots=authority.root_pem) as fake:
        yield fake


@pytest.fixture
def club(tmp_path, store, keyring, authority, apns, monkeypatch, caplog) -> MarkedClub:
    """Twelve marked members; every logger speaks, SQLAlchemy's included, and temporary files stay in the test's folder."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "alembic", "httpx", "h2", "hpack"):
        caplog.set_level(logging.DEBUG, logger=name)
    made = MarkedClub(tmp_path, store, keyring, authority, members=[new_member() for _ in range(12)])
    made.prepare(apns_port=apns.port)
    made.write()
    return made


def folder_of_server(url: str) -> Path | None:
    """Data folder of the tests' own PostgreSQL, where it is one of ours."""
    from sqlalchemy.engine import make_url

    host = make_url(url).query.get("host")
    folder = Path(str(host)) if host else None
    return folder if folder and (folder / "data").is_dir() else None
