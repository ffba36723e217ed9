"""Runs at once: two applies, single changes beside a plan, an approval or a plan in the middle of an apply."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

import passflow.sync.plan as planning
from passflow.errors import LeaseHeld, PlanError
from passflow.model import EventKind, Kind, Outcome, PlanStatus, Status
from passflow.store.erasure import erase
from passflow.store.keys import store_key
from passflow.store.plans import load_plan
from passflow.store.tables import member_keys, operations, pass_records, passes, rejected_members
from passflow.sync.apply import apply_plan
from passflow.sync.approve import approve
from passflow.sync.fingerprint import id_hash
from passflow.sync.plan import make_plan
from passflow.sync.single import apply_one
from passflow.testing.programs import member

EIGHT = 8


def together(jobs):
    """Runs jobs at the same moment, each in a thread, and returns what they returned or raised."""
    barrier = threading.Barrier(len(jobs))

    def run(job):
        barrier.wait(10)
        try:
            return job()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def count(gold, *where) -> int:
    with gold.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(passes).where(*where)).scalar_one())


def test_two_applies_of_one_plan_one_works_and_the_other_is_told_who(club, at_point):
    gold = club()
    plan = gold.plan([member(n) for n in range(30)])

    def apply_meanwhile() -> None:
        with pytest.raises(LeaseHeld, match="test works on range 0-256") as held:
            gold.apply(plan)
        assert held.value.fix

    at_point("apply.leased", apply_meanwhile)
    assert gold.apply(plan).count(Outcome.APPLIED) == 30
    assert gold.live() == 30


def test_two_applies_at_the_same_moment_issue_every_pass_once(club):
    gold = club()
    plan = gold.plan([member(n) for n in range(60)])
    program = gold.program
    ended = together([lambda: apply_plan(program, gold.store, plan.plan_id, holder="x")] * 2)
    assert all(not isinstance(each, Exception) or isinstance(each, LeaseHeld) for each in ended), ended
    gold.apply(plan)
    assert gold.live() == 60
    assert all(gold.events_of(f"M-{n:05d}") == [(1, EventKind.CREATED)] for n in range(60))


def test_halves_of_a_program_are_applied_side_by_side(club):
    gold = club()
    plan = gold.plan([member(n) for n in range(60)])
    ranges = [(low, low + 64) for low in range(0, 256, 64)]
    program = gold.program
    ended = together([
        lambda low=low, high=high: apply_plan(program, gold.store, plan.plan_id, low=low, high=high, holder="x")
        for low, high in ranges
    ])  # fmt: skip
    assert sum(each.count(Outcome.APPLIED) for each in ended) == 60
    with gold.store.read() as conn:
        assert load_plan(conn, plan.plan_id).status is PlanStatus.APPLIED


def test_one_new_member_applied_by_eight_at_once_gets_one_pass(club):
    gold = club(rows=[member(n) for n in range(3)])
    program = gold.program
    ended = together([lambda: apply_one(program, gold.store, "M-00001", dry=False)] * EIGHT)
    assert not [each for each in ended if isinstance(each, Exception)], ended
    assert count(gold) == 1
    assert {each.serial for each in ended} == {gold.pass_of("M-00001").serial}
    assert gold.events_of("M-00001") == [(1, EventKind.CREATED)]
    assert gold.pass_of("M-00001").revision == 1


def test_single_changes_during_a_bulk_apply_wait_for_nobody_and_lose_nothing(club, monkeypatch):
    monkeypatch.setattr("passflow.sync.apply.BATCH", 5)
    gold = club()
    gold.night([member(n) for n in range(40)])
    plan = gold.plan([member(n, points=str(500 + n)) for n in range(44)])
    later = [member(n, points=str(9000 + n)) for n in range(44)]
    program = gold.program.model_copy(update={"source": gold.program.source.model_copy(update={"rows": later})})
    chosen = [f"M-{n:05d}" for n in range(0, 44, 4)]
    singles = [lambda one=one: apply_one(program, gold.store, one, dry=False) for one in chosen]
    bulk = gold.program  # made once: making it writes its icon, and that under the readers' feet
    ended = together([lambda: apply_plan(bulk, gold.store, plan.plan_id, holder="bulk"), *singles])
    assert not [each for each in ended if isinstance(each, Exception)], ended
    assert all(each.outcome is Outcome.APPLIED for each in ended[1:])
    assert gold.live() == 44
    again = gold.plan([later[n] if n % 4 == 0 else member(n, points=str(500 + n)) for n in range(44)])
    assert again.empty, "an older truth overwrote a newer one"


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_an_approval_in_the_middle_of_an_apply_is_not_taken_for_done(club, at_point):
    """On PostgreSQL both may write at once; what is approved meanwhile must still be applied."""
    gold = club()
    gold.night([member(n) for n in range(40)])
    plan = gold.plan([member(n, points="1") for n in range(20)])
    assert [item.kind for item in plan.withheld] == [Kind.DELETE]
    thread = threading.Thread(target=lambda: approve(gold.store, plan.plan_id, Kind.DELETE, 20, actor="test"))

    def approve_meanwhile() -> None:
        thread.start()
        thread.join(0.7)

    at_point("apply.batch_read", approve_meanwhile)
    gold.apply(plan)
    thread.join(10)
    assert not thread.is_alive()
    gold.apply(plan)
    assert count(gold, passes.c.status == Status.DELETED.value) == 20
    with gold.store.read() as conn:
        done = select(func.count()).where(
            operations.c.plan_id == plan.plan_id, operations.c.outcome == Outcome.APPLIED.value
        )
        assert conn.execute(done).scalar_one() == plan.counts.updates + 20


def test_an_apply_stops_where_a_newer_plan_is_ready(club, at_point, monkeypatch):
    """What the older plan saw may not be true any more; the newer one holds what remains to be done."""
    monkeypatch.setattr("passflow.sync.apply.BATCH", 10)
    gold = club()
    gold.night([member(n) for n in range(40)])
    old = gold.plan([member(n, points="777") for n in range(40)])
    at_point("apply.batch_committed", lambda: gold.plan([member(n) for n in range(40)]))
    with pytest.raises(PlanError) as stopped:
        gold.apply(old)
    assert stopped.value.error_code == "plan.stale"
    changed = sum(gold.pass_of(f"M-{n:05d}").revision == 2 for n in range(40))
    assert changed == 10
    gold.night()
    assert gold.plan().empty


def test_of_two_plans_made_at_once_the_one_begun_last_counts(club, at_point):
    gold = club()
    found = []

    def plan_meanwhile() -> None:
        found.append(gold.plan([member(n) for n in range(20)]))

    at_point("plan.read", plan_meanwhile)
    with pytest.raises(PlanError) as overtaken:
        gold.plan([member(n) for n in range(10)])
    assert overtaken.value.error_code == "plan.overtaken"
    (newest,) = found
    with gold.store.read() as conn:
        assert load_plan(conn, newest.plan_id).status is PlanStatus.READY
        of_plans = conn.execute(select(operations.c.plan_id).distinct()).scalars().all()
    assert of_plans == [newest.plan_id], "operations of a plan that does not exist"
    assert gold.apply(newest).count(Outcome.APPLIED) == 20


def test_plans_made_by_four_at_the_same_moment_leave_exactly_one_ready(club):
    gold = club(rows=[member(n) for n in range(20)])
    program = gold.program
    ended = together([lambda: make_plan(program, gold.store)] * 4)
    made = [each for each in ended if not isinstance(each, Exception)]
    assert made and all(isinstance(each, PlanError) for each in ended if isinstance(each, Exception)), ended
    with gold.store.read() as conn:
        status = [load_plan(conn, each.plan_id).status for each in made]
    assert status.count(PlanStatus.READY) == 1
    newest = max(made, key=lambda each: each.observed_at)
    assert gold.apply(newest).count(Outcome.APPLIED) == 20


def test_single_deletes_at_the_same_moment_share_one_budget(club):
    gold = club()
    gold.night([member(n) for n in range(20)])
    gone = gold.program.model_copy(update={"source": gold.program.source.model_copy(update={"rows": [member(19)]})})
    ended = together([lambda n=n: apply_one(gone, gold.store, f"M-{n:05d}", dry=False) for n in range(14)])
    refused = [each for each in ended if isinstance(each, Exception)]
    assert all(isinstance(each, PlanError) and each.error_code == "guard.single_deletes" for each in refused), ended
    assert (len(refused), count(gold, passes.c.status == Status.DELETED.value)) == (4, 10)


def test_a_member_erased_while_the_plan_is_made_gets_no_pass_and_leaves_no_record(club, at_point):
    gold = club()
    gold.night([member(n) for n in range(5)])
    at_point("plan.read", lambda: [erase(gold.store, "gold", f"M-{n:05d}", actor="test") for n in (3, 7)])
    plan = gold.plan([member(n, points="50") for n in range(9)])
    gold.apply(plan)
    assert gold.pass_of("M-00003") is gold.pass_of("M-00007") is None
    with gold.store.read() as conn:
        for external_id in ("M-00003", "M-00007"):
            key = id_hash(external_id, store_key(gold.store, "hash"), "gold")
            for table in (member_keys, pass_records, rejected_members):
                assert conn.execute(select(table.c.id_hash).where(table.c.id_hash == key)).first() is None, table.name
            kept = select(operations.c.record_sealed).where(
                operations.c.id_hash == key, operations.c.record_sealed.is_not(None)
            )
            assert conn.execute(kept).first() is None


def test_a_member_erased_while_a_single_change_is_read_gets_no_pass(club, monkeypatch):
    gold = club(rows=[member(1)])
    program = gold.program
    kind = type(program.source)
    read = kind.read_one

    def slowly(self, context, external_id):
        found = read(self, context, external_id)
        erase(gold.store, "gold", external_id, actor="test")
        return found

    monkeypatch.setattr(kind, "read_one", slowly)
    one = apply_one(program, gold.store, "M-00001", dry=False)
    assert (one.outcome, one.code) == (Outcome.REFUSED, "member.erased")
    assert gold.pass_of("M-00001") is None
    with gold.store.read() as conn:
        assert conn.execute(select(member_keys.c.id_hash)).first() is None


def test_a_delete_that_came_too_late_once_counts_when_it_is_done_after_all(club, monkeypatch):
    """Its first try is overtaken by the read of a plan; the second one deletes, and draws from the budget."""
    gold = club(guard={"first_load": True, "single_deletes": {"count": 1, "percent": 0}})
    gold.night([member(n) for n in range(4)])
    gone = gold.program.model_copy(update={"source": gold.program.source.model_copy(update={"rows": [member(0)]})})
    read = type(gone.source).read_one
    planned = []

    def overtaken(self, context, external_id):
        if not planned:
            planned.append(gold.plan())
        return read(self, context, external_id)

    monkeypatch.setattr(type(gone.source), "read_one", overtaken)
    assert apply_one(gone, gold.store, "M-00001", dry=False).outcome is Outcome.STALE
    assert apply_one(gone, gold.store, "M-00001", dry=False).outcome is Outcome.APPLIED
    with pytest.raises(PlanError) as refused:
        apply_one(gone, gold.store, "M-00002", dry=False)
    assert refused.value.error_code == "guard.single_deletes"


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_single_change_that_issues_a_pass_while_the_plan_saves_it_does_no_harm(club, monkeypatch):
    """Both make a key for the same new member; the plan looks again and takes the one there is."""
    gold = club(rows=[member(n) for n in range(5)])
    program = gold.program
    make = planning.new_keys

    def slowly(*given):
        monkeypatch.setattr(planning, "new_keys", make)
        assert apply_one(program, gold.store, "M-00003", dry=False).outcome is Outcome.APPLIED
        return make(*given)

    monkeypatch.setattr(planning, "new_keys", slowly)
    plan = make_plan(program, gold.store)
    applied = apply_plan(program, gold.store, plan.plan_id, holder="test")
    assert (applied.count(Outcome.APPLIED), applied.count(Outcome.UNCHANGED)) == (4, 1)
    assert make_plan(program, gold.store).empty
