"""A club after its first night, once per database, copied for every test; phones, an APNs, and a nursery of processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from passflow.security.keyring import Keyring
from passflow.store.devices import register
from passflow.store.engine import Store
from passflow.store.keys import store_key
from passflow.store.passes import read_rows
from passflow.sync.fingerprint import id_hash
from passflow.testing import postgres
from passflow.testing.apns import FakeApns
from passflow.testing.authority import TestAuthority
from passflow.testing.crash import Nursery
from passflow_tests.crash import night

PHONES = {f"phone-{number}": (f"M-{number:05d}", f"M-{number + 20:05d}") for number in range(20)}
"""Device to the members whose passes it holds."""


@dataclass
class Scene:
    """A store as the first night left it, and what the second one is given."""

    given: dict[str, Any]
    ids: list[str]
    old_serials: dict[str, str] = field(default_factory=dict)

    def at(self, **changes: Any) -> dict[str, Any]:
        return {**self.given, **changes}

    def portrait(self) -> dict[str, Any]:
        """What the store says of everybody; everything that must hold anyway is asserted on the way."""
        now = night.serials(self.given)
        assert len(set(now.values())) == len(now)
        assert self.old_serials.items() <= now.items(), "a pass changed its serial number"
        return night.portrait(self.given, self.ids)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery(["passflow_tests.crash.night"]) as opened:
        yield opened


@pytest.fixture(scope="session")
def authority() -> TestAuthority:
    return TestAuthority()


@pytest.fixture(scope="session")
def apns(authority: TestAuthority) -> Iterator[FakeApns]:
    server = authority.issue_server_certificate()
    with FakeApns(server.chain_pem, server.key_pem, client_roots=authority.root_pem) as fake:
        yield fake


@pytest.fixture(scope="session")
def wallet(authority: TestAuthority, apns: FakeApns, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    paths = authority.write(tmp_path_factory.mktemp("certificates"), night.PASS_TYPE, night.TEAM)
    return {
        "pass_type": night.PASS_TYPE,
        "team": night.TEAM,
        "apns_host": "127.0.0.1",
        "apns_port": apns.port,
        "apns_authority": f"file:{paths['root']}",
        **{role: f"file:{paths[role]}" for role in ("certificate", "key", "intermediate")},
    }


@pytest.fixture(scope="session")
def first_night(
    nursery: Nursery, keyring: Keyring, wallet: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, str]]:
    """Plays the first night in a store, installs some passes and tells their phones; returns the serial numbers."""
    folder = tmp_path_factory.mktemp("first")

    def play(url: str) -> dict[str, str]:
        given = night.arguments(url, keyring, folder, wallet, night.first_members())
        ended = nursery.run("passflow_tests.crash.night:play", given)
        assert ended.error is None, ended.trace
        store = Store.open(url, keyring=keyring)
        with store.begin() as conn:
            for device, members in PHONES.items():
                for member in members:
                    key = id_hash(member, store_key(store, "hash"), "gold")
                    serial = read_rows(conn, "gold", [key])[key].serial
                    pushing = {"device_id": device, "push_token": f"{device}-token", "pass_type": night.PASS_TYPE}
                    register(store, conn, **pushing, serial=serial, subscribers=lambda *_: ["told"])
        store.dispose()
        ended = nursery.run("passflow_tests.crash.night:play", given)
        assert ended.result == {"applied": 0, "brought": 0, "told": len(PHONES)}, ended.trace
        return night.serials(given)

    return play


@pytest.fixture(scope="session")
def sqlite_evening(first_night, sqlite_template, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    path = tmp_path_factory.mktemp("evening") / "store.db"
    shutil.copyfile(sqlite_template, path)
    return path, first_night(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def postgres_evening(first_night, postgres_server, postgres_template) -> Iterator[tuple[str, dict[str, str]]]:
    with postgres.database(postgres_server, template=postgres_template) as url:
        yield str(make_url(url).database), first_night(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def evening(request: pytest.FixtureRequest) -> str:
    """Which database the test uses."""
    return str(request.param)


@pytest.fixture
def scene(evening, request, keyring, wallet, tmp_path) -> Iterator[Scene]:
    with ExitStack() as stack:
        if evening == "sqlite":
            source, serials = request.getfixturevalue("sqlite_evening")
            shutil.copyfile(source, tmp_path / "store.db")
            url = f"sqlite:///{tmp_path / 'store.db'}"
        else:
            template, serials = request.getfixturevalue("postgres_evening")
            server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(postgres.database(server, template=template))
        rows = night.second_members()
        given = night.arguments(url, keyring, tmp_path, wallet, rows)
        ids = sorted({str(row["id"]) for row in [*rows, *night.first_members()]})
        yield Scene(given, ids, serials)


@pytest.fixture(scope="session")
def undisturbed(nursery, sqlite_evening, keyring, wallet, tmp_path_factory) -> dict[str, Any]:
    """The portrait after a second night that nothing disturbed; the same on every database."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copyfile(sqlite_evening[0], folder / "store.db")
    rows = night.second_members()
    given = night.arguments(f"sqlite:///{folder / 'store.db'}", keyring, folder, wallet, rows)
    ended = nursery.run("passflow_tests.crash.night:play", given)
    assert ended.error is None, ended.trace
    ids = sorted({str(row["id"]) for row in [*rows, *night.first_members()]})
    return Scene(given, ids, sqlite_evening[1]).portrait()
