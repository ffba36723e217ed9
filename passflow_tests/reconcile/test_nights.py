"""What a night does: creates, updates, deletes, and what it leaves alone."""

from __future__ import annotations

from passflow.model import EventKind, Kind, Outcome, PlanStatus, Status
from passflow.store.plans import load_plan
from passflow.testing.programs import member
from passflow_tests.reconcile.nights import outcomes, wallet_of


def test_first_night_issues_every_member(club):
    gold = club()
    plan = gold.plan([member(n) for n in range(30)])
    assert (plan.counts.creates, plan.counts.updates, plan.counts.deletes) == (30, 0, 0)
    assert plan.withheld == ()
    applied = gold.apply(plan)
    assert outcomes(applied, Kind.CREATE) == {Outcome.APPLIED: 30}
    assert applied.closed
    assert gold.live() == 30
    serials = {gold.pass_of(f"M-{n:05d}").serial for n in range(30)}
    assert len(serials) == 30
    assert all(len(bytes.fromhex(serial)) * 8 >= 128 for serial in serials)
    assert gold.events_of("M-00003") == [(1, EventKind.CREATED)]


def test_unchanged_members_cause_nothing(club):
    gold = club()
    gold.night([member(n) for n in range(20)])
    plan = gold.plan([member(n) for n in reversed(range(20))])
    assert plan.empty
    assert plan.counts.unchanged == 20


def test_changed_member_gets_one_revision_and_one_event(club):
    gold = club()
    gold.night([member(1), member(2)])
    plan = gold.night([member(1, points="77"), member(2)])
    assert (plan.counts.updates, plan.counts.unchanged) == (1, 1)
    assert gold.pass_of("M-00001").revision == 2
    assert gold.pass_of("M-00002").revision == 1
    assert gold.events_of("M-00001") == [(1, EventKind.CREATED), (2, EventKind.UPDATED)]


def test_a_field_that_no_pass_shows_changes_the_record_without_revision(club):
    gold = club()
    gold.night([member(1)])
    before = gold.pass_of("M-00001")
    gold.night([member(1, tier="platinum")])
    after = gold.pass_of("M-00001")
    assert after.fingerprint != before.fingerprint
    assert after.revision == before.revision == 1
    assert gold.events_of("M-00001") == [(1, EventKind.CREATED)]
    assert gold.plan().empty


def test_there_and_back_are_three_operations(club):
    gold = club()
    ids = [gold.night([member(1, points=points)]) and gold.pass_of("M-00001").operation_id for points in "575"]
    assert len(set(ids)) == 3
    assert gold.pass_of("M-00001").revision == 3


def test_missing_member_is_deleted_and_a_return_reactivates_the_same_pass(club):
    gold = club()
    gold.night([member(1), member(2)])
    serial = gold.pass_of("M-00002").serial
    plan = gold.night([member(1)])
    assert plan.counts.deletes == 1
    assert gold.status("M-00002") is Status.DELETED
    assert gold.plan().empty
    plan = gold.night([member(1), member(2)])
    assert (plan.counts.creates, plan.counts.updates) == (1, 0)
    row = gold.pass_of("M-00002")
    assert (row.serial, row.status, row.revision) == (serial, Status.ACTIVE, 3)
    kinds = [kind for _, kind in gold.events_of("M-00002")]
    assert kinds == [EventKind.CREATED, EventKind.DELETED, EventKind.CREATED]


def test_member_who_cancelled_is_deleted_once_and_stays_deleted(club):
    gold = club()
    gold.night([member(1), member(2)])
    gold.night([member(1), member(2, state="D")])
    assert gold.status("M-00002") is Status.DELETED
    plan = gold.plan()
    assert plan.empty
    gold.night([member(1), member(2)])
    assert gold.status("M-00002") is Status.ACTIVE


def test_a_member_first_seen_as_cancelled_gets_no_pass(club):
    gold = club()
    plan = gold.night([member(1), member(2, state="D")])
    assert (plan.counts.creates, plan.counts.ignored) == (1, 1)
    assert gold.pass_of("M-00002") is None


def test_each_status_of_the_lifecycle_reaches_the_pass(club):
    gold = club()
    gold.night([member(1), member(2), member(3)])
    gold.night([member(1, state="V"), member(2, state="R"), member(3, state="E")])
    assert [gold.status(f"M-0000{n}") for n in (1, 2, 3)] == [Status.VOIDED, Status.REDEEMED, Status.EXPIRED]
    assert gold.events_of("M-00002")[-1] == (2, EventKind.REDEEMED)
    assert gold.events_of("M-00001")[-1] == (2, EventKind.UPDATED)


def test_what_falls_due_by_date_is_planned_without_a_change_at_the_source(club, clock):
    gold = club(lifecycle={"statuses": {"active": ["A"]}, "delete_after": "P30D"})
    gold.night([member(1, until="2090-01-31"), member(2)])
    assert gold.plan().empty
    clock.ahead = (_micros("2090-02-01") - _now(gold)) + 1_000_000
    plan = gold.night()
    assert plan.counts.updates == 1
    assert gold.status("M-00001") is Status.EXPIRED
    assert gold.plan().empty
    clock.days(31)
    plan = gold.night()
    assert plan.counts.deletes == 1
    assert gold.status("M-00001") is Status.DELETED
    assert gold.plan().empty


def test_a_pass_falls_due_even_while_its_row_is_refused(club, clock):
    gold = club()
    gold.night([member(1, until="2090-01-31"), member(2)])
    clock.ahead = (_micros("2090-02-01") - _now(gold)) + 1_000_000
    plan = gold.night([member(1, until="soon"), member(2)])
    assert plan.refusals == {"date.unreadable": 1}
    assert gold.status("M-00001") is Status.EXPIRED


def test_a_plan_is_applied_once_and_a_repeat_changes_nothing(club):
    gold = club()
    plan = gold.plan([member(n) for n in range(5)])
    first, second = gold.apply(plan), gold.apply(plan)
    assert first.count(Outcome.APPLIED) == 5
    assert second.outcomes == {}
    assert gold.live() == 5
    with gold.store.read() as conn:
        assert load_plan(conn, plan.plan_id).status is PlanStatus.APPLIED


def test_new_template_updates_every_pass_that_shows_it(club):
    gold = club()
    gold.night([member(n) for n in range(8)])
    template = gold.program.template.model_dump(exclude_defaults=True)
    gold.changes["template"] = {**template, "logo_text": "New look"}
    plan = gold.night()
    assert plan.template_changed
    assert plan.counts.updates == 8
    assert gold.pass_of("M-00001").revision == 2
    assert gold.plan().empty


def test_convergence_brings_every_pass_once(club):
    gold = club()
    gold.night([member(n) for n in range(12)])
    program = gold.program
    from passflow.sync.converge import converge

    done = converge(program, gold.store, program.wallets[0])
    assert (done.brought, done.published, done.behind) == (12, 12, 0)
    held = wallet_of(program).held
    assert len(held) == 12
    assert {values["points"] for _, _, values in held.values()} == set(range(12))
    assert gold.converge().brought == 0
    gold.night([member(n, points="500" if n == 3 else str(n)) for n in range(12)])
    assert gold.converge().brought == 1


def test_a_pass_that_a_wallet_refuses_waits_and_holds_nobody_back(club, clock):
    from passflow.sync.converge import converge

    gold = club()
    gold.night([member(n) for n in range(6)])
    program = gold.program
    serial = gold.pass_of("M-00002").serial
    wallet_of(program).refuses.add(serial)
    done = converge(program, gold.store, program.wallets[0])
    assert (done.brought, done.failed, done.behind) == (5, {"memory.refused": 1}, 1)
    assert converge(program, gold.store, program.wallets[0]).failed == {}
    wallet_of(program).refuses.clear()
    clock.days(1)
    assert converge(program, gold.store, program.wallets[0]).behind == 0


def _micros(day: str) -> int:
    from datetime import UTC, datetime

    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1e6)


def _now(gold) -> int:
    with gold.store.read() as conn:
        return gold.store.now(conn)
