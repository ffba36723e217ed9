"""One night of a small club, as a process of its own may play it: planned, applied, signed and pushed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars  # noqa: F401 - loaded before the nursery forks
import pyarrow  # noqa: F401 - loaded before the nursery forks
from sqlalchemy import select

import passflow.sync.apply as applying
import passflow.sync.converge as converging
import passflow.sync.plan as planning
import passflow.wallets.apple.package  # noqa: F401 - loaded before the nursery forks
import passflow.wallets.apple.ring as ringing
from passflow.ports import CrmSettings
from passflow.program import Program
from passflow.security.keyring import Keyring, MasterKey
from passflow.store.engine import Store
from passflow.store.keys import load_keys
from passflow.store.plans import latest_plan
from passflow.store.records import open_record
from passflow.store.tables import deliveries, events, leases, pass_records, passes, registrations, wallet_states
from passflow.sync.fingerprint import id_hash
from passflow.sync.push import push
from passflow.testing.programs import make_program, member
from passflow.wallets.apple.wallet import AppleWallet

BATCH = 8
MEMBERS = 60
PASS_TYPE, TEAM = "pass.example.club", "ABCDE12345"

Rows = list[dict[str, str | None]]


class ToldCrm(CrmSettings):
    """A CRM that is told of everything; nothing delivers to it here."""

    name: ClassVar[str] = "told"
    type: Literal["told"] = "told"

    def wants(self, event: str) -> bool:
        return True


def first_members() -> Rows:
    return [dict(member(number)) for number in range(MEMBERS)]


def second_members() -> Rows:
    """The next evening: changed, new, gone, voided, cancelled, and one whose change no pass shows."""
    rows = first_members()
    for number in range(0, 24):
        rows[number]["points"] = str(1000 + number)
    for number in range(24, 28):
        rows[number]["state"] = "V"
    for number in range(28, 30):
        rows[number]["state"] = "D"
    rows[30]["tier"] = "platinum"
    del rows[31:35]
    return rows + [dict(member(number)) for number in range(MEMBERS, MEMBERS + 12)]


def arguments(store_url: str, keyring: Keyring, folder: Path, wallet: dict[str, Any], rows: Rows) -> dict[str, Any]:
    """What :func:`play` needs, as JSON values."""
    keys = [keyring.members[0].text, keyring.packages[0].text]
    return {"store": store_url, "keys": keys, "folder": str(folder), "wallet": wallet, "rows": rows, "ahead": 0}


def open_night(given: dict[str, Any]) -> tuple[Program, Store]:
    members, packages = (MasterKey(base64.b64decode(text)) for text in given["keys"])
    store = Store.open(
        given["store"], keyring=Keyring((members,), (packages,)), clock=lambda: given["ahead"], busy_timeout=10
    )
    wallets = [AppleWallet(**given["wallet"])]
    return make_program(Path(given["folder"]), given["rows"], wallets=wallets, crms=[ToldCrm()]), store


def use_small_batches() -> None:
    """Makes a few members fill several batches."""
    applying.BATCH = converging.BATCH = ringing.PAGE = BATCH  # type: ignore[misc]  # small batches, so that sixty members make several
    planning.PART_ROWS = BATCH  # type: ignore[misc]  # likewise


def play(given: dict[str, Any]) -> dict[str, int]:
    """Plays the night from where ``given["resume"]`` says: from a new plan, or from the plan there is."""
    use_small_batches()
    program, store = open_night(given)
    try:
        if given.get("resume"):
            with store.read() as conn:
                plan = latest_plan(conn, program.program)
            assert plan is not None
        else:
            plan = planning.make_plan(program, store)
        applied = applying.apply_plan(program, store, plan.plan_id, holder="child")
        done = converging.converge(program, store, program.wallets[0], base_url="https://passes.example")
        told = push(program, store, program.wallets[0])
        return {"applied": sum(applied.outcomes.values()), "brought": done.brought, "told": told.told}
    finally:
        store.dispose()


def portrait(given: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    """What the store says of every member, and what must be true of it whatever happened before."""
    program, store = open_night(given)
    name = program.program
    try:
        from passflow.store.keys import store_key

        with store.read() as conn:
            rows = {row.id_hash: row for row in conn.execute(select(passes))}
            sealed = {row.id_hash: row.record_sealed for row in conn.execute(select(pass_records))}
            keys = load_keys(store, conn, name, sorted(rows))
            states = {row.serial: row for row in conn.execute(select(wallet_states))}
            told = list(conn.execute(select(events).order_by(events.c.serial, events.c.number)))
            due = {row.event_id for row in conn.execute(select(deliveries))}
            phones = list(conn.execute(select(registrations)))
            assert conn.execute(select(leases)).first() is None, "a lease was left behind"
        assert len(states) == len(rows) == len({row.serial for row in rows.values()})
        assert {event.event_id for event in told} == due, "an event without its delivery, or the other way round"
        for phone in phones:
            assert phone.pushed >= states[phone.serial].published, "a phone was not told"
        found = {}
        for external_id in ids:
            key = id_hash(external_id, store_key(store, "hash"), name)
            row = rows.pop(key, None)
            if row is None:
                found[external_id] = None
                continue
            state = states[row.serial]
            assert (state.target_revision, state.revision, state.behind) == (row.revision, row.revision, False)
            assert state.signature is not None
            kinds = [(event.number, event.kind) for event in told if event.serial == row.serial]
            assert [number for number, _ in kinds] == list(range(1, row.event_number + 1))
            record = open_record(name, key, keys[key], sealed[key])
            shown = {field: record[field] for field in ("display_name", "points", "tier")}
            found[external_id] = (row.status, row.revision, row.adopted, [kind for _, kind in kinds], shown)
        assert not rows, "a pass of nobody"
        return found
    finally:
        store.dispose()


def serials(given: dict[str, Any]) -> dict[str, str]:
    """Serial number by id hash, in hex."""
    _, store = open_night(given)
    try:
        with store.read() as conn:
            return {row.id_hash.hex(): row.serial for row in conn.execute(select(passes.c.id_hash, passes.c.serial))}
    finally:
        store.dispose()
