"""A long, random life of a club, step by step beside a ledger of plain dicts that says what must be true."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

import passflow.sync.apply as applying
from passflow.errors import LeaseLost, PlanError
from passflow.model import Kind
from passflow.store.engine import Store
from passflow.store.keys import load_keys, store_key
from passflow.store.leases import acquire, release
from passflow.store.plans import latest_plan
from passflow.store.records import open_record
from passflow.store.tables import counters, events, pass_records, passes, wallet_states
from passflow.sync import points
from passflow.sync.approve import approve
from passflow.sync.converge import converge
from passflow.sync.fingerprint import id_hash
from passflow.sync.plan import make_plan
from passflow.sync.single import apply_one
from passflow.testing.programs import MemorySource, MemoryWallet, make_program
from passflow.testing.programs import Row as SourceRow
from passflow_tests.model.ledger import DELETE_AFTER, LIMITS, Ledger, Row

NOON = datetime(2090, 6, 1, 12, tzinfo=UTC)
DAY = 86_400_000_000
PEOPLE = [f"M-{number}" for number in range(10)]
BATCH = 3
numbers = itertools.count()

who = st.sampled_from(PEOPLE)


class Club(RuleBasedStateMachine):
    """Every step is done to the store and to the ledger; then both are compared."""

    store: Store
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.name = f"club{next(numbers)}"
        self.wallet = MemoryWallet(held={}, refuses=set())
        self.serials: dict[str, str] = {}
        self.published = 0
        self.plan_id: str | None = None
        self.old_plans: list[str] = []
        self.ledger = Ledger(first_load=True)
        self.store._clock = None
        with self.store.read() as conn:
            self.ahead = int(NOON.timestamp() * 1e6) - self.store.now(conn)
        self.store._clock = lambda: self.ahead

    # what the master system does

    @initialize(first_load=st.booleans(), size=st.integers(0, 10))
    def open_club(self, first_load: bool, size: int) -> None:
        self.ledger.first_load = first_load
        for number in range(size):
            self.ledger.rows[PEOPLE[number]] = Row(PEOPLE[number], number)
        if size > 2:
            self.make_plan()
            if not first_load:
                self.approve(wrong=False)
            self.apply_plan()

    @rule(one=who, points=st.integers(0, 3), state=st.sampled_from("AAAVR"))
    def join_or_change(self, one: str, points: int, state: str) -> None:
        self.ledger.rows[one] = Row(one, points, state=state)

    @rule(one=who, days=st.integers(-1, 4))
    def expire_soon(self, one: str, days: int) -> None:
        self.ledger.rows[one] = Row(one, 1, until=self.ledger.day + days)

    @rule(one=who)
    def change_what_no_pass_shows(self, one: str) -> None:
        row = self.ledger.rows.get(one, Row(one, 0))
        self.ledger.rows[one] = Row(one, row.points, tier="silver" if row.tier == "gold" else "gold")

    @rule(one=who)
    def cancel(self, one: str) -> None:
        self.ledger.rows[one] = Row(one, 0, state="D")

    @rule(some=st.lists(who, min_size=1, max_size=7))
    def leave(self, some: list[str]) -> None:
        for one in some:
            self.ledger.rows.pop(one, None)

    @rule(one=who, twice=st.booleans())
    def break_row(self, one: str, twice: bool) -> None:
        self.ledger.rows[one] = Row(one, 2, twice=twice, bad=not twice)

    @rule(nameless=st.booleans(), proved=st.sampled_from([True, True, False]))
    def read_otherwise(self, nameless: bool, proved: bool) -> None:
        self.ledger.nameless, self.ledger.proved = nameless, proved

    @rule(days=st.integers(1, DELETE_AFTER + 1))
    def let_days_pass(self, days: int) -> None:
        self.ahead += days * DAY
        self.ledger.day += days

    @rule()
    def change_template(self) -> None:
        self.ledger.look += 1

    # what passflow does

    @rule()
    def make_plan(self) -> None:
        plan = make_plan(self.program(), self.store)
        if self.plan_id:
            self.old_plans.append(self.plan_id)
        self.plan_id = plan.plan_id
        changed = self.ledger.planned_look not in (None, self.ledger.look)
        told = self.ledger.forecast()
        counts = plan.counts
        assert {kind: getattr(counts, f"{kind}s") for kind in ("create", "update", "delete")} == {
            kind: told.count(kind) for kind in ("create", "update", "delete")
        }
        assert (counts.unchanged, counts.ignored) == (told.unchanged, told.ignored)
        assert dict(plan.refusals) == dict(told.refused)
        assert {item.kind.value: item.rule for item in plan.withheld} == told.held
        assert all(item.count == told.count(item.kind.value) for item in plan.withheld)
        assert plan.template_changed == changed

    @precondition(lambda self: self.plan_id)
    @rule()
    def apply_plan(self) -> None:
        applied = applying.apply_plan(self.program(), self.store, self.plan_id, holder="machine")
        told = self.ledger.apply(self.in_order())
        assert {(kind.value, ended.value): n for (kind, ended), n in applied.outcomes.items()} == told

    @precondition(lambda self: self.plan_id)
    @rule()
    def lose_the_lease(self) -> None:
        """After the first batch a minute passes, and somebody else takes the range."""

        def look(point: str) -> None:
            if point == "apply.batch_committed":
                points.hook = None
                self.ahead += 61_000_000
                self.ledger.second += 61
                release(self.store, acquire(self.store, self.name, holder="another"))

        points.hook = look
        try:
            pending = self.in_order()
            with pytest.raises(LeaseLost) if pending else suppress():
                applying.apply_plan(self.program(), self.store, self.plan_id, holder="machine")
        finally:
            points.hook = None
        self.ledger.apply(pending[:BATCH])

    @precondition(lambda self: self.old_plans)
    @rule(data=st.data())
    def apply_an_old_plan(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.old_plans))
        with pytest.raises(PlanError) as refused:
            applying.apply_plan(self.program(), self.store, old, holder="machine")
        assert refused.value.error_code == "plan.stale"

    @precondition(lambda self: self.ledger.plan and self.ledger.plan.held)
    @rule(wrong=st.booleans())
    def approve(self, wrong: bool) -> None:
        plan = self.ledger.plan
        assert plan is not None and self.plan_id is not None
        kind = sorted(plan.held)[0]
        if wrong:
            with pytest.raises(PlanError):
                approve(self.store, self.plan_id, Kind(kind), plan.count(kind) + 1, actor="ops")
            return
        approve(self.store, self.plan_id, Kind(kind), plan.count(kind), actor="ops")
        del plan.held[kind]

    @rule(one=who)
    def apply_one(self, one: str) -> None:
        try:
            ended = apply_one(self.program(), self.store, one, dry=False).outcome.value
        except PlanError as error:
            ended = error.error_code
        assert ended == self.ledger.one(one)

    @rule(refused=st.sets(who, max_size=2))
    def converge(self, refused: set[str]) -> None:
        self.wallet.refuses.clear()
        self.wallet.refuses.update(self.serials[one] for one in refused if one in self.serials)
        program = self.program()
        done = converge(program, self.store, program.wallets[0])
        brought = failed = 0
        for one, card in list(self.ledger.cards.items()):
            if not card.behind or card.retry > self.ledger.now:
                continue
            (self.ledger.fail if one in refused else self.ledger.bring)(one)
            brought += one not in refused
            failed += one in refused
        assert (done.brought, sum(done.failed.values())) == (brought, failed)
        assert done.behind == sum(card.behind for card in self.ledger.cards.values())

    @rule(
        one=who,
        points=st.integers(0, 9),
        other=st.booleans(),
        tier=st.sampled_from(["gold", "silver"]),
        gone=st.booleans(),
    )
    def apply_one_between_plan_and_apply(self, one: str, points: int, other: bool, tier: str, gone: bool) -> None:
        """The nightly read saw another row, the same one, or one that differs only in what no pass shows."""
        self.ledger.rows[one] = Row(one, points + other)
        self.make_plan()
        if gone:
            del self.ledger.rows[one]
        else:
            self.ledger.rows[one] = Row(one, points, tier=tier)
        self.apply_one(one)
        self.apply_plan()

    @rule(some=st.lists(who, min_size=1, max_size=3), nameless=st.booleans(), proved=st.booleans())
    def doubtful_night(self, some: list[str], nameless: bool, proved: bool) -> None:
        """Members are missing from a read that cannot be trusted."""
        kept = dict(self.ledger.rows)
        self.leave(some)
        self.read_otherwise(nameless, proved)
        self.make_plan()
        self.apply_plan()
        self.read_otherwise(nameless=False, proved=True)
        self.ledger.rows = kept

    @rule()
    def night_after_which_nothing_is_left(self) -> None:
        """Equal fingerprints mean no operations: after a night with nothing withheld or refused, a plan is empty."""
        self.make_plan()
        plan = self.ledger.plan
        assert plan is not None
        calm = not plan.held and not plan.refused
        self.apply_plan()
        self.make_plan()
        assert not calm or not self.ledger.plan.ops

    # what must hold

    @invariant()
    def the_store_says_what_the_ledger_says(self) -> None:
        with self.store.read() as conn:
            mine = {row.id_hash: row for row in conn.execute(select(passes).where(passes.c.program == self.name))}
            query = select(wallet_states).where(wallet_states.c.program == self.name)
            states = {row.id_hash: row for row in conn.execute(query)}
            query = select(events).where(events.c.program == self.name).order_by(events.c.number)
            told = [(row.id_hash, row.number, row.kind) for row in conn.execute(query)]
            query = select(pass_records).where(pass_records.c.program == self.name)
            sealed = {row.id_hash: row.record_sealed for row in conn.execute(query)}
            keys = load_keys(self.store, conn, self.name, sorted(mine))
        known = {one: self.key(one) for one in self.ledger.cards}
        assert set(known.values()) == set(mine) == set(states)
        for one, card in self.ledger.cards.items():
            key = known[one]
            row, state = mine[key], states[key]
            assert self.serials.setdefault(one, row.serial) == row.serial == state.serial
            assert (row.status, row.revision) == (card.status, card.revision), one
            assert (state.target_revision, state.behind) == (card.revision, card.behind), one
            assert state.revision == card.brought <= row.revision
            mine_told = [(number, kind) for whose, number, kind in told if whose == key]
            assert mine_told == list(enumerate(card.events, 1))
            record = open_record(self.name, key, keys[key], sealed[key])
            assert (record["points"], record["tier"]) == (str(card.record.points), card.record.tier)
            if not card.behind:
                revision, status, values = self.wallet.held[row.serial]
                assert (revision, status.value, values["points"]) == (card.revision, card.status, card.record.points)
        assert len(set(self.serials.values())) == len(self.serials)

    @invariant()
    def published_numbers_only_rise(self) -> None:
        with self.store.read() as conn:
            query = select(wallet_states.c.published).where(wallet_states.c.program == self.name)
            seen = [number for (number,) in conn.execute(query) if number is not None]
            top = conn.execute(select(counters.c.value).where(counters.c.name == "published")).scalar() or 0
        assert max(seen, default=0) <= top
        assert top >= self.published
        self.published = top

    @invariant()
    def the_newest_plan_is_the_last_one(self) -> None:
        with self.store.read() as conn:
            newest = latest_plan(conn, self.name)
        assert (newest.plan_id if newest else None) == self.plan_id

    # help

    def key(self, one: str) -> bytes:
        return id_hash(one, store_key(self.store, "hash"), self.name)

    def in_order(self) -> list[Any]:
        """The operations that may be applied now, as the store orders them."""
        assert self.ledger.plan is not None
        return sorted(self.ledger.plan.pending(), key=lambda op: self.key(op.who))

    def program(self) -> Any:
        ledger = self.ledger
        rows: list[SourceRow] = []
        for one, row in ledger.rows.items():
            until = None if row.until is None else str(date(2090, 6, 1) + timedelta(days=row.until))
            shown = {
                "id": one, "name": row.name, "points": str(row.points), "tier": row.tier, "state": row.state,
                "until": "soon" if row.bad else until,
            }  # fmt: skip
            rows += [shown, {**shown, "points": "99"}] if row.twice else [shown]
        if ledger.nameless:
            rows.append({"id": " ", "name": "?", "points": "1", "tier": "gold", "state": "A", "until": None})
        limits = {name: {"count": LIMITS[name][0], "percent": LIMITS[name][1]} for name in ("deletes", "creates")}
        singles = {"count": LIMITS["singles"][0], "percent": LIMITS["singles"][1]}
        template = {
            "style": "storeCard", "organization": "Club", "description": "Card", "logo_text": f"Look {ledger.look}",
            "header": [{"key": "points", "label": "Points", "value": "{points:,}"}],
            "secondary": [{"key": "name", "label": "Name", "value": "{display_name}"}],
            "images": {"icon": "icon.png"},
        }  # fmt: skip
        return make_program(
            self.folder, rows, program=self.name, template=template, wallets=[self.wallet],
            source=MemorySource(rows=rows, complete=ledger.proved),
            lifecycle={
                "statuses": {"active": ["A"], "voided": ["V"], "redeemed": ["R"], "deleted": ["D"]},
                "delete_after": f"P{DELETE_AFTER}D",
            },
            guard={"first_load": ledger.first_load, "single_deletes": singles, **limits},
        )  # fmt: skip


def live(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, *, lives: int, steps: int) -> None:
    monkeypatch.setattr(applying, "BATCH", BATCH)
    machine = type("OneClub", (Club,), {"store": store, "folder": folder})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
            print_blob=True, database=None,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_lives_of_a_club_on_sqlite(store, tmp_path, monkeypatch):
    live(store, tmp_path, monkeypatch, lives=40, steps=30)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_lives_of_a_club_on_postgresql(store, tmp_path, monkeypatch):
    live(store, tmp_path, monkeypatch, lives=8, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_long_lives_of_a_club(store, tmp_path, monkeypatch):
    live(store, tmp_path, monkeypatch, lives=150, steps=50)
