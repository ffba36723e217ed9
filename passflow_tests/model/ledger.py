"""What should be true, kept in plain dicts: a second, much simpler reading of the design, to hold the store against.

Time is days since the start; the master system is a dict of rows. Nothing here knows SQL, keys, hashes or templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

LIMITS = {"deletes": (2, 20), "creates": (4, 50), "singles": (1, 10)}
"""(count, percent) of the guard: small, so that a club of ten reaches them."""

DELETE_AFTER = 5
"""Days after its end that a pass is deleted."""

STATES = {"A": "active", "V": "voided", "R": "redeemed", "D": "deleted"}


@dataclass(frozen=True)
class Row:
    """One member at the master system; ``until`` is the day whose end is the end, ``bad`` a broken date."""

    name: str
    points: int
    tier: str = "gold"
    state: str = "A"
    until: int | None = None
    bad: bool = False
    twice: bool = False


@dataclass(frozen=True)
class Card:
    """One pass. ``known`` is (row, look) of the last record, None when the member vanished."""

    status: str
    revision: int
    known: tuple[Row, int] | None
    record: Row
    look: int
    due: int | None
    seen_at: int
    last_op: tuple[object, ...]
    events: tuple[str, ...]
    brought: int = 0
    behind: bool = True
    attempts: int = 0
    retry: int = 0


@dataclass(frozen=True)
class Op:
    """One operation that a plan should hold."""

    who: str
    kind: str
    base: int
    row: Row | None
    known: tuple[Row, int] | None
    status: str
    due: int | None
    look: int

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.kind, self.base, self.known, self.status, self.due)


@dataclass
class Forecast:
    """What a plan should say."""

    number: int
    at: int
    ops: dict[str, Op]
    unchanged: int = 0
    ignored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    held: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        return sum(op.kind == kind for op in self.ops.values())

    def pending(self) -> list[Op]:
        return [op for who, op in self.ops.items() if who not in self.ended and op.kind not in self.held]


def exceeded(limit: str, number: int, base: int) -> bool:
    count, percent = LIMITS[limit]
    return number > count and number * 100 > percent * base


def judged(row: Row, day: int) -> tuple[str, int | None]:
    """Status on a day, and the day on which it changes next."""
    told = STATES[row.state]
    if told == "deleted" or row.until is None:
        return told, None
    end, gone = row.until + 1, row.until + 1 + DELETE_AFTER  # a date lasts until its last moment
    if day >= gone:
        return "deleted", None
    if day >= end:
        return ("expired" if told == "active" else told), gone
    return told, (end if told == "active" else gone)


@dataclass
class Ledger:
    """The club as it should be."""

    first_load: bool
    rows: dict[str, Row] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    day: int = 0
    second: int = 0
    clock: int = 0
    look: int = 0
    nameless: bool = False
    proved: bool = True
    plan: Forecast | None = None
    planned_look: int | None = None
    single_deletes: list[int] = field(default_factory=list)

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    @property
    def now(self) -> int:
        """Seconds since the start."""
        return self.day * 86_400 + self.second

    def fail(self, who: str) -> None:
        """A wallet refused a pass: it is tried again after a minute, then two, four … six hours at most."""
        card = self.cards[who]
        wait = min(6 * 3600, 60 * 2**card.attempts)
        self.cards[who] = replace(card, attempts=card.attempts + 1, retry=self.now + wait)

    def bring(self, who: str) -> None:
        """A wallet shows a pass as it should be."""
        card = self.cards[who]
        self.cards[who] = replace(card, behind=False, brought=card.revision, attempts=0, retry=0)

    def live(self) -> int:
        return sum(card.status != "deleted" for card in self.cards.values())

    def draft(self, who: str, row: Row | None) -> Op | None:
        """The operation that brings a pass to what the source says; None row: the source knows nobody."""
        card = self.cards.get(who)
        live = card is not None and card.status != "deleted"
        if row is None:
            if card is None or not live:
                return None
            return Op(who, "delete", card.revision, None, None, "deleted", None, self.look)
        status, due = judged(row, self.day)
        if status == "deleted" and not live:
            return None
        kind = "delete" if status == "deleted" else "update" if live else "create"
        return Op(who, kind, card.revision if card else 0, row, (row, self.look), status, due, self.look)

    def overdue(self, card: Card) -> bool:
        return card.due is not None and card.due <= self.day

    def forecast(self) -> Forecast:
        """What a plan made now should say, which then is the newest."""
        plan = Forecast(self.clock, self.tick(), {})
        refused = {who for who, row in self.rows.items() if row.bad or row.twice}
        for who, row in self.rows.items():
            card = self.cards.get(who)
            if who in refused:
                plan.refused["date.unreadable" if row.bad else "id.duplicate"] += 2 if row.twice else 1
                continue
            if card and card.status != "deleted" and card.known == (row, self.look) and not self.overdue(card):
                plan.unchanged += 1
                continue
            op = self.draft(who, row)
            if op is None:
                plan.ignored += 1
            else:
                plan.ops[who] = op
        for who, card in self.cards.items():
            if card.status == "deleted" or (who in self.rows and who not in refused):
                continue
            if who not in self.rows:
                gone = self.draft(who, None)
                assert gone is not None
                plan.ops[who] = gone
            elif self.overdue(card):
                status, due = judged(card.record, self.day)
                kind = "delete" if status == "deleted" else "update"
                plan.ops[who] = Op(who, kind, card.revision, None, card.known, status, due, self.look)
        if self.nameless:
            plan.refused["id.missing"] += 1
        self._judge(plan)
        self.plan, self.planned_look = plan, self.look
        return plan

    def _judge(self, plan: Forecast) -> None:
        creates, deletes, live = plan.count("create"), plan.count("delete"), self.live()
        shown = sum(2 if row.twice else 1 for row in self.rows.values()) + self.nameless
        if creates and not self.cards:
            if not self.first_load:
                plan.held["create"] = "creates.first_load"
        elif exceeded("creates", creates, live):
            plan.held["create"] = "creates.share"
        if deletes:
            if not shown:
                plan.held["delete"] = "deletes.empty_read"
            elif not self.proved:
                plan.held["delete"] = "deletes.unproved"
            elif self.nameless:
                plan.held["delete"] = "deletes.unattributed"
            elif exceeded("deletes", deletes, live):
                plan.held["delete"] = "deletes.share"

    def settle(self, op: Op, at: int) -> str:
        """Does one operation; says how it ends."""
        card = self.cards.get(op.who)
        if card is None:
            self.cards[op.who] = self._written(op, None, at)
            return "applied"
        if card.last_op == op.identity:
            return "unchanged"
        if card.revision != op.base or card.seen_at > at:
            return "stale"
        self.cards[op.who] = self._written(op, card, at)
        return "applied"

    def _written(self, op: Op, card: Card | None, at: int) -> Card:
        record = op.row or (card.record if card else None)
        assert record is not None
        due = None if op.status == "deleted" else op.due
        if card is None:
            return Card(op.status, 1, op.known, record, op.look, due, at, op.identity, ("created",))
        shown = (record.name, record.points, op.status, op.look)
        before = (card.record.name, card.record.points, card.status, card.look)
        if op.status != "deleted" and op.kind != "create" and shown == before:
            return replace(card, known=op.known, record=record, due=due, seen_at=at, last_op=op.identity)
        told = {"deleted": "deleted", "redeemed": "redeemed"}.get(op.status, "updated")
        if told == "redeemed" and card.status == "redeemed":
            told = "updated"
        event = "created" if op.kind == "create" else told
        return replace(
            card, status=op.status, revision=card.revision + 1, known=op.known, record=record, look=op.look, due=due,
            seen_at=at, last_op=op.identity, events=(*card.events, event), behind=True, attempts=0, retry=0,
        )  # fmt: skip

    def apply(self, ops: Iterable[Op]) -> Counter[tuple[str, str]]:
        """Applies operations of the newest plan."""
        assert self.plan is not None
        counts: Counter[tuple[str, str]] = Counter()
        for op in ops:
            self.plan.ended[op.who] = ended = self.settle(op, self.plan.at)
            counts[op.kind, ended] += 1
        return counts

    def one(self, who: str) -> str:
        """Brings one member's pass to what the source says now; says how it ends."""
        row, card, at = self.rows.get(who), self.cards.get(who), self.tick()
        if row is not None and (row.bad or row.twice):
            return "refused"
        if row and card and card.status != "deleted" and card.known == (row, self.look) and not self.overdue(card):
            return "unchanged"
        op = self.draft(who, row)
        if op is None:
            return "unchanged"
        if op.kind == "delete":
            recent = [day for day in self.single_deletes if self.day - day < 1]
            if exceeded("singles", len(recent) + 1, self.live()):
                return "guard.single_deletes"
        ended = self.settle(op, at)
        if ended == "applied" and op.kind == "delete":
            self.single_deletes.append(self.day)
        return ended
