"""Six writers sign and commit out of order while phones ask what is new: no phone ever misses a change."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

import pytest
from sqlalchemy import select

from passflow.errors import LeaseHeld
from passflow.store.devices import register, updatable
from passflow.store.tables import wallet_states
from passflow.sync import points
from passflow.sync.apply import apply_plan
from passflow.sync.converge import converge
from passflow.sync.plan import make_plan
from passflow.sync.single import apply_one
from passflow.testing.authority import TestAuthority
from passflow.testing.programs import MemorySource, make_program, member
from passflow.wallets.apple.wallet import AppleWallet

PASS_TYPE, TEAM = "pass.example.club", "ABCDE12345"
MEMBERS, ROUNDS = 48, 3
RANGES = [(0, 43), (43, 86), (86, 129), (129, 172), (172, 215), (215, 256)]


class Phone:
    """A device that remembers, as Apple's do, only its tag and the bytes it fetched."""

    def __init__(self, store, name: str) -> None:
        self.store, self.name = store, name
        self.tag: str | None = None
        self.holds: dict[str, int] = {}
        self.polls = 0
        self.wrong: list[str] = []

    def poll(self) -> None:
        self.polls += 1
        with self.store.read() as conn:
            news = updatable(self.store, conn, device_id=self.name, pass_type=PASS_TYPE, since=self.tag)
        if self.tag is not None and int(news.tag) < int(self.tag):
            self.wrong.append("the tag went back")
        for serial in news.serials:
            with self.store.read() as conn:
                query = select(wallet_states.c.revision).where(wallet_states.c.serial == serial)
                revision = conn.execute(query).scalar_one()
            if revision < self.holds.get(serial, 0):
                self.wrong.append("an older revision came back")
            self.holds[serial] = revision
        self.tag = news.tag


@pytest.fixture
def program(tmp_path):
    paths = TestAuthority().write(tmp_path / "certificates", PASS_TYPE, TEAM)
    files = {role: f"file:{paths[role]}" for role in ("certificate", "key", "intermediate")}
    wallet = AppleWallet(pass_type=PASS_TYPE, team=TEAM, **files)
    rows = [dict(member(n)) for n in range(MEMBERS)]
    return make_program(tmp_path, rows, source=MemorySource(rows=rows), wallets=[wallet])


def test_no_phone_misses_what_six_writers_publish(program, store, monkeypatch):
    rows = program.source.rows
    plan = make_plan(program, store)
    apply_plan(program, store, plan.plan_id, holder="test")
    converge(program, store, program.wallets[0])
    with store.read() as conn:
        serials = list(conn.execute(select(wallet_states.c.serial)).scalars())
    phones = [Phone(store, f"phone-{number}") for number in range(3)]
    for phone in phones:
        with store.begin() as conn:
            for serial in serials:
                device = {"device_id": phone.name, "push_token": f"{phone.name}-token", "pass_type": PASS_TYPE}
                register(store, conn, **device, serial=serial)
        phone.poll()
    dice = random.Random(7)
    monkeypatch.setattr("passflow.sync.converge.BATCH", 3)
    monkeypatch.setattr(
        points, "hook", lambda point: time.sleep(dice.random() / 60) if point == "converge.brought" else None
    )
    failures: list[BaseException] = []
    done = threading.Event()

    def write(low: int, high: int) -> None:
        try:
            while not done.is_set():
                with suppress(LeaseHeld):  # the bulk apply has the range
                    converge(program, store, program.wallets[0], low=low, high=high)
                time.sleep(0.005)
        except BaseException as error:
            failures.append(error)

    def poll(phone: Phone) -> None:
        while not done.is_set():
            phone.poll()

    threads = [threading.Thread(target=write, args=each) for each in RANGES]
    threads += [threading.Thread(target=poll, args=[phone]) for phone in phones]
    for thread in threads:
        thread.start()
    try:
        for turn in range(ROUNDS):
            for number in range(MEMBERS):
                rows[number]["points"] = str(1000 * (turn + 1) + number)
            for number in dice.sample(range(MEMBERS), 8):
                apply_one(program, store, f"M-{number:05d}", dry=False)
            plan = make_plan(program, store)
            _apply_beside(program, store, plan.plan_id)
        _wait_until_nothing_is_behind(store, failures)
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert not failures, failures
    for phone in phones:
        phone.poll()
        assert not phone.wrong
        assert phone.polls > 5
    with store.read() as conn:
        rows_now = conn.execute(select(wallet_states)).all()
    final = {row.serial: row.revision for row in rows_now}
    assert set(final.values()) == {1 + ROUNDS}
    for phone in phones:
        missed = {serial for serial, revision in final.items() if phone.holds[serial] != revision}
        assert not missed, f"{phone.name} asked {phone.polls} times and missed {len(missed)} passes"
    modified = {row.serial: row.last_modified for row in rows_now}
    assert all(value is not None for value in modified.values())


def _apply_beside(program, store, plan_id: str) -> None:
    """Bulk applies and convergence exclude each other by their lease, so each range waits for its turn."""
    for low, high in RANGES:
        for _ in range(500):
            try:
                apply_plan(program, store, plan_id, low=low, high=high, holder="apply")
                break
            except LeaseHeld:
                time.sleep(0.002)
        else:
            pytest.fail("the range never came free")


def _wait_until_nothing_is_behind(store, failures) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not failures:
        with store.read() as conn:
            if conn.execute(select(wallet_states.c.serial).where(wallet_states.c.behind)).first() is None:
                return
        time.sleep(0.02)
    pytest.fail(f"passes stayed behind: {failures}")
