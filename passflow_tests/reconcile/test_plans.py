"""Plans beside plans: the newest read counts, and nothing is left of one that failed."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from passflow.errors import IncompleteRead, PlanError
from passflow.model import PlanStatus
from passflow.store.plans import latest_plan, load_plan
from passflow.store.tables import operations, plans, rejected_members
from passflow.sync.plan import make_plan, open_source
from passflow.testing.programs import member


def count(gold, table) -> int:
    with gold.store.read() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_plan_that_another_one_overtook_is_refused_and_leaves_nothing(club):
    gold = club([member(n) for n in range(6)])
    inner = {}

    class Slow:
        def __init__(self, read):
            self.read = read

        def __iter__(self):
            yield from self.read
            inner["plan"] = make_plan(gold.program, gold.store)

        def proof(self):
            return self.read.proof()

    with pytest.raises(PlanError, match="took its place"):
        make_plan(gold.program, gold.store, read=Slow(open_source(gold.program)))
    with gold.store.read() as conn:
        assert latest_plan(conn, "gold").plan_id == inner["plan"].plan_id
    assert (count(gold, plans), count(gold, operations)) == (1, 6)
    gold.apply(inner["plan"])
    assert gold.live() == 6


def test_a_source_that_breaks_off_leaves_no_plan_and_deletes_nothing(club):
    gold = club()
    first = gold.night([member(n) for n in range(20)])
    gold.changes["read"] = {"fails_after": 10}
    with pytest.raises(IncompleteRead):
        gold.plan([member(n, points="x" if n == 1 else "5") for n in range(20)])
    with gold.store.read() as conn:
        assert latest_plan(conn, "gold").plan_id == first.plan_id
    assert count(gold, plans) == 1
    assert count(gold, rejected_members) == 0
    assert gold.live() == 20


def test_a_newer_plan_supersedes_the_older_which_is_then_stale(club):
    gold = club()
    old = gold.plan([member(1)])
    new = gold.plan([member(1), member(2)])
    with pytest.raises(PlanError, match="stale"):
        gold.apply(old)
    with gold.store.read() as conn:
        assert load_plan(conn, old.plan_id).status is PlanStatus.SUPERSEDED
    gold.apply(new)
    assert gold.live() == 2


@pytest.mark.parametrize("plan_id", ["", "nope", "' OR 1=1 --"])
def test_an_unknown_plan_is_an_error_with_the_next_step(club, plan_id):
    from passflow.sync.apply import apply_plan

    gold = club()
    with pytest.raises(PlanError, match="There is no plan") as caught:
        apply_plan(gold.program, gold.store, plan_id, holder="test")
    assert caught.value.error_code == "plan.unknown"


def test_a_member_erased_between_plan_and_apply_does_not_come_back(club):
    from passflow.store.erasure import erase
    from passflow.store.tables import member_keys

    gold = club()
    gold.night([member(1), member(2)])
    plan = gold.plan([member(1, points="99"), member(2), member(3)])
    for external_id in ("M-00001", "M-00003"):
        erase(gold.store, "gold", external_id, actor="test")
    gold.apply(plan)
    assert gold.pass_of("M-00001") is None
    assert gold.pass_of("M-00003") is None
    assert gold.live() == 1
    assert count(gold, member_keys) == 1


def test_a_member_erased_while_a_plan_is_built_does_not_come_back(club):
    from passflow.model import Outcome
    from passflow.store.erasure import erase
    from passflow.store.tables import member_keys

    gold = club([member(1), member(2)])

    class Slow:
        def __init__(self, read):
            self.read = read

        def __iter__(self):
            yield from self.read
            erase(gold.store, "gold", "M-00002", actor="test")

        def proof(self):
            return self.read.proof()

    plan = make_plan(gold.program, gold.store, read=Slow(open_source(gold.program)))
    applied = gold.apply(plan)
    assert (applied.count(Outcome.APPLIED), applied.count(Outcome.REFUSED)) == (1, 1)
    assert gold.pass_of("M-00002") is None
    assert count(gold, member_keys) == 1
    with gold.store.read() as conn:
        sealed = conn.execute(select(operations.c.record_sealed).order_by(operations.c.outcome)).scalars().all()
    assert [record is None for record in sealed] == [False, True]


def test_a_refused_row_is_explained_with_its_member_and_value(club):
    from passflow.sync.explain import explain

    gold = club([member(1), member(2, until="soon"), member(3, points="many")])
    plan = gold.plan()
    shown = explain(gold.program, gold.store, plan.plan_id, show_values=True)
    found = {(each.code, each.field, each.external_id, each.value) for each in shown.refusals}
    assert found == {
        ("date.unreadable", "expires_at", "M-00002", "soon"),
        ("number.unreadable", "points", "M-00003", "many"),
    }
    masked = explain(gold.program, gold.store, plan.plan_id).refusals
    assert {each.external_id for each in masked} == {"M…2", "M…3"}


def test_members_who_cancelled_long_ago_are_not_opened_night_after_night(club, monkeypatch):
    import passflow.sync.draft as draft_module

    gold = club()
    gold.night([member(1), member(2)])
    gold.night([member(1), member(2, state="D")])
    monkeypatch.setattr(draft_module, "open_record", lambda *_: pytest.fail("a record was opened"))
    plan = gold.plan()
    assert (plan.empty, plan.counts.unchanged, plan.counts.ignored) == (True, 1, 1)
