"""The named cases of the design: what nobody may ever lose, and what waits for a person."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from passflow.errors import PlanError
from passflow.model import EventKind, Kind, Origin, Outcome, Status
from passflow.store.plans import read_operations
from passflow.store.tables import approvals, audit, operations, passes, wallet_states
from passflow.sync.apply import apply_plan
from passflow.sync.approve import approve
from passflow.sync.fingerprint import shard_ranges
from passflow.sync.overlay import set_overlay
from passflow.sync.single import apply_one
from passflow.testing.programs import member
from passflow_tests.reconcile.nights import outcomes

FREE = {"first_load": True}


def sourced(gold, rows):
    """The same program over other members, without touching what the nights read."""
    program = gold.program
    return program.model_copy(update={"source": program.source.model_copy(update={"rows": list(rows)})})


def held(plan) -> dict[Kind, str]:
    return {item.kind: item.rule for item in plan.withheld}


def approved(gold, plan, kind: Kind, count: int) -> None:
    approve(gold.store, plan.plan_id, kind, count, actor="ops")
    gold.apply(plan)


def test_half_of_640_members_missing_in_64_shards_deletes_nobody(club):
    gold = club(guard=FREE, shards=64)
    gold.night([member(n) for n in range(640)])
    plan = gold.plan([member(n) for n in range(0, 640, 2)])
    assert (plan.counts.deletes, held(plan)) == (320, {Kind.DELETE: "deletes.share"})
    program = gold.program
    for key, low, high in shard_ranges(64):
        apply_plan(program, gold.store, plan.plan_id, low=low, high=high, holder=key)
    assert gold.live() == 640
    # no shard by itself is beyond "10 and 10 %"; only the whole plan shows it
    with gold.store.read() as conn:
        sizes = [len(read_operations(conn, plan.plan_id, low=low, high=high)) for _, low, high in shard_ranges(64)]
    assert 0 < max(sizes) and sum(size <= 10 for size in sizes) >= 60


def test_a_single_change_between_read_and_apply_is_neither_reverted_nor_deleted(club):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(5)])
    # the nightly read sees 1 with old points, 2 not at all, and a new member 5
    plan = gold.plan([member(0), member(1, points="10"), member(3), member(4), member(5, points="1")])
    later = [member(1, points="20"), member(2, points="30"), member(5, points="2")]
    for row in later:
        assert apply_one(sourced(gold, later), gold.store, row["id"], dry=False).outcome is Outcome.APPLIED
    applied = gold.apply(plan)
    assert (applied.count(Outcome.STALE), applied.count(Outcome.APPLIED)) == (3, 0)
    assert gold.status("M-00002") is Status.ACTIVE
    now = [member(0), *later, member(3), member(4)]
    assert gold.plan(now).empty, "the nightly plan reverted a newer truth"
    assert gold.pass_of("M-00005").revision == 1


def test_there_and_back_again_are_three_operations_with_three_ids(club):
    gold = club(guard=FREE)
    gold.night([member(1, points="1")])
    seen = []
    for points in ("2", "1", "2"):
        plan = gold.night([member(1, points=points)])
        with gold.store.read() as conn:
            (saved,) = read_operations(conn, plan.plan_id)
        seen.append(saved.operation.op_id)
        assert saved.outcome is Outcome.APPLIED
    assert len(set(seen)) == 3
    assert gold.pass_of("M-00001").revision == 4
    assert [number for number, _ in gold.events_of("M-00001")] == [1, 2, 3, 4]


def test_there_and_back_in_a_field_nobody_sees_is_applied_each_time(club):
    gold = club(guard=FREE)
    gold.night([member(1)])
    for tier in ("silver", "gold", "silver", "gold"):
        assert outcomes(gold.apply(gold.plan([member(1, tier=tier)])), Kind.UPDATE) == {Outcome.APPLIED: 1}
    assert gold.pass_of("M-00001").revision == 1
    assert gold.plan().empty


def test_what_a_flow_set_survives_the_night(club):
    gold = club(guard=FREE, flow_fields=["tier", "display_name"])
    gold.night([member(1), member(2)])
    set_overlay(gold.program, gold.store, "M-00001", {"display_name": "Vip"})
    gold.night([member(1, points="99"), member(2)])
    program = gold.program
    from passflow.sync.converge import converge

    converge(program, gold.store, program.wallets[0])
    _, _, values = program.wallets[0].held[gold.pass_of("M-00001").serial]
    assert (values["display_name"], values["points"]) == ("Vip", 99)
    assert gold.plan().empty


@pytest.mark.parametrize("origin", [Origin.LINK, Origin.FLOW, Origin.ENROLMENT])
def test_a_pass_the_source_never_showed_is_not_deleted_until_it_is_adopted(club, origin):
    gold = club(guard=FREE)
    gold.night([member(1), member(2)])
    with gold.store.begin() as conn:  # as a link, a flow or an enrolment would have issued it
        mine = passes.c.serial == gold.pass_of("M-00002").serial
        conn.execute(update(passes).where(mine).values(origin=origin.value, adopted=False))
    assert gold.night([member(1)]).counts.deletes == 0
    assert gold.status("M-00002") is Status.ACTIVE
    gold.night([member(1), member(2)])
    assert gold.pass_of("M-00002").adopted
    assert gold.pass_of("M-00002").origin is origin
    assert gold.night([member(1)]).counts.deletes == 1
    assert gold.status("M-00002") is Status.DELETED


def test_a_first_load_waits_for_the_file_or_a_person(club):
    gold = club(guard={})
    rows = [member(n) for n in range(5)]
    plan = gold.night(rows)
    assert held(plan) == {Kind.CREATE: "creates.first_load"}
    assert gold.live() == 0
    again = gold.plan(rows)  # planned again without an approval it is still the first load
    assert held(again) == {Kind.CREATE: "creates.first_load"}
    approved(gold, again, Kind.CREATE, 5)
    assert gold.live() == 5
    assert held(gold.plan([*rows, member(9)])) == {}


def test_many_new_members_wait_and_the_others_go_on(club):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(150)])
    plan = gold.plan([member(n, points="7") for n in range(260)])
    assert held(plan) == {Kind.CREATE: "creates.share"}
    assert outcomes(gold.apply(plan), Kind.UPDATE) == {Outcome.APPLIED: 149}  # M-00007 has 7 points already
    assert gold.live() == 150


def test_an_approval_is_bound_to_count_and_operations_and_used_once(club):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(30)])
    plan = gold.plan([member(n) for n in range(10)])
    for kind, count, code in [
        (Kind.DELETE, 19, "plan.approval_count"),
        (Kind.DELETE, 21, "plan.approval_count"),
        (Kind.CREATE, 20, "plan.nothing_withheld"),
    ]:
        with pytest.raises(PlanError) as refused:
            approve(gold.store, plan.plan_id, kind, count, actor="ops")
        assert refused.value.error_code == code
    with gold.store.begin() as conn:
        row = conn.execute(select(operations).where(operations.c.plan_id == plan.plan_id).limit(1)).mappings().one()
        conn.execute(update(operations).where(operations.c.op_id == row["op_id"]).values(op_id=b"\0" * 16))
    with pytest.raises(PlanError) as other:
        approve(gold.store, plan.plan_id, Kind.DELETE, 20, actor="ops")
    assert other.value.error_code == "plan.approval_hash"
    with gold.store.begin() as conn:
        conn.execute(update(operations).where(operations.c.op_id == b"\0" * 16).values(op_id=row["op_id"]))
    approve(gold.store, plan.plan_id, Kind.DELETE, 20, actor="ops")
    with pytest.raises(PlanError) as used:
        approve(gold.store, plan.plan_id, Kind.DELETE, 20, actor="ops")
    assert used.value.error_code == "plan.approval_used"
    gold.apply(plan)
    assert gold.live() == 10
    with gold.store.read() as conn:
        assert len(conn.execute(select(approvals)).all()) == 1
        (entry,) = conn.execute(select(audit).where(audit.c.action == "plan.approved")).all()
    assert (entry.actor, entry.subject) == ("ops", plan.plan_id)


def test_an_approval_does_not_reach_a_newer_plan_nor_an_older_one(club):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(30)])
    old = gold.plan([member(n) for n in range(10)])
    new = gold.plan([member(n) for n in range(5)])
    with pytest.raises(PlanError) as stale:
        approve(gold.store, old.plan_id, Kind.DELETE, 20, actor="ops")
    assert stale.value.error_code == "plan.stale"
    with pytest.raises(PlanError) as older:
        gold.apply(old)
    assert older.value.error_code == "plan.stale"
    approved(gold, new, Kind.DELETE, 25)
    assert gold.live() == 5
    assert held(gold.plan([member(0)])) == {}  # 4 of 5: not more than 10


def test_an_approval_left_unused_by_a_crash_is_still_taken_by_the_next_apply(club, at_point):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(30)])
    plan = gold.plan([member(n) for n in range(10)])
    approve(gold.store, plan.plan_id, Kind.DELETE, 20, actor="ops")

    def crash() -> None:
        raise RuntimeError("crash")

    at_point("apply.batch_written", crash)
    with pytest.raises(RuntimeError):
        gold.apply(plan)
    assert gold.live() == 30
    assert gold.apply(plan).count(Outcome.APPLIED) == 20


def test_deletes_outside_a_plan_share_a_budget_of_a_day(club, clock):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(40)])
    gone = sourced(gold, [member(39)])

    def delete(number: int) -> Outcome:
        return apply_one(gone, gold.store, f"M-{number:05d}", dry=False).outcome

    assert [delete(n) for n in range(10)] == [Outcome.APPLIED] * 10
    with pytest.raises(PlanError) as spent:
        delete(10)
    assert spent.value.error_code == "guard.single_deletes"
    assert gold.status("M-00010") is Status.ACTIVE
    assert delete(0) is Outcome.UNCHANGED  # who is gone already costs nothing
    clock.days(0.9)
    with pytest.raises(PlanError):
        delete(10)
    clock.days(0.2)
    assert delete(10) is Outcome.APPLIED


def test_deletes_of_a_plan_do_not_draw_from_that_budget(club):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(200)])
    gold.night([member(n) for n in range(20, 200)])
    assert gold.live() == 180
    assert apply_one(sourced(gold, [member(0)]), gold.store, "M-00021", dry=False).outcome is Outcome.APPLIED


@pytest.mark.parametrize(
    ("rows", "read", "rule"),
    [
        ([], {}, "deletes.empty_read"),
        ([member(0)], {"complete": False}, "deletes.unproved"),
        ([member(0), {**member(1), "id": None}], {}, "deletes.unattributed"),
        ([member(0), {**member(1), "id": "M-\x00"}], {}, "deletes.unattributed"),
        ([], {"complete": False}, "deletes.empty_read"),
    ],
)
def test_a_doubtful_read_deletes_nobody_whatever_the_limits(club, rows, read, rule):
    gold = club(guard={**FREE, "deletes": {"count": 1000, "percent": 100}})
    gold.night([member(n) for n in range(3)])
    gold.changes["read"] = read
    plan = gold.night(rows)
    assert held(plan) == {Kind.DELETE: rule}
    assert gold.live() == 3


def test_expiry_by_date_is_no_way_around_a_doubtful_read(club, clock):
    """Deletes that time alone makes due are withheld as well, and done after the next proved read."""
    gold = club(guard=FREE, lifecycle={"statuses": {"active": ["A"]}, "delete_after": "P1D"})
    rows = [member(1, until="2020-01-01"), member(2)]
    gold.night([member(1), member(2)])
    gold.changes["read"] = {"complete": False}
    plan = gold.night(rows)
    assert held(plan) == {Kind.DELETE: "deletes.unproved"}
    assert gold.live() == 2
    gold.changes["read"] = {}
    gold.night(rows)
    assert gold.status("M-00001") is Status.DELETED


def test_a_refused_row_keeps_its_pass_however_it_is_broken(club):
    gold = club(guard=FREE)
    gold.night([member(n) for n in range(6)])
    broken = [
        member(0, until="soon"),
        member(1, points="many"),
        member(2), member(2, points="22"),
        member(3, state="?"),
        member(4, name="x" * 100_000),
        member(5),
    ]  # fmt: skip
    plan = gold.night(broken)
    assert plan.counts.deletes == plan.counts.updates == 0
    assert sum(plan.refusals.values()) == plan.counts.refused == 6
    assert gold.live() == 6
    assert all(gold.pass_of(f"M-{n:05d}").revision == 1 for n in range(6))


def test_an_id_in_other_case_neither_takes_nor_deletes_a_pass(club):
    gold = club(guard=FREE)
    gold.night([member(1), member(2)])
    plan = gold.night([{**member(1), "id": "m-00001"}, member(2)])
    assert plan.refusals == {"id.case_variant": 1}
    assert (plan.counts.creates, plan.counts.deletes) == (0, 0)
    assert gold.status("M-00001") is Status.ACTIVE
    plan = gold.night([{**member(1), "id": " M-00001\u00a0"}, member(2)])
    assert plan.empty, "white space around an id is not part of it"


def test_updates_that_ring_too_many_phones_wait_unless_the_template_changed(club):
    gold = club(guard={**FREE, "rings": {"count": 2, "percent": 50}})
    gold.night([member(n) for n in range(6)])
    from passflow.store.tables import devices, registrations

    with gold.store.begin() as conn:
        for number in range(6):
            serial = gold.pass_of(f"M-{number:05d}").serial
            device = bytes([number]) * 16
            times = {"created_at": 1, "updated_at": 1}
            conn.execute(
                insert(devices).values(device_hash=device, push_token_hash=device, push_token_sealed=b"", **times)
            )
            conn.execute(insert(registrations).values(device_hash=device, pass_type="p", serial=serial, **times))
    rows = [member(n, points=str(n + 100 if n < 3 else n)) for n in range(6)]
    assert held(gold.plan(rows)) == {}  # 3 of 6: not more than half
    rows = [member(n, points=str(n + 100 if n < 4 else n)) for n in range(6)]
    plan = gold.plan(rows)
    assert (plan.counts.ringing, plan.counts.phones, held(plan)) == (4, 6, {Kind.UPDATE: "updates.rings"})
    template = gold.program.template.model_dump(exclude_defaults=True)
    gold.changes["template"] = {**template, "logo_text": "New"}
    assert held(gold.night(rows)) == {}
    assert gold.pass_of("M-00001").revision == 2


def test_an_empty_store_is_a_first_load_also_after_a_store_was_lost(club):
    """Lost state must never become deletes; there is nothing to delete, and nothing is issued unasked."""
    gold = club(guard={})
    plan = gold.plan([member(n) for n in range(3)])
    assert (plan.counts.deletes, held(plan)) == (0, {Kind.CREATE: "creates.first_load"})


def test_every_shown_change_reaches_every_wallet_state_once(club):
    gold = club(guard=FREE)
    gold.night([member(1), member(2)])
    gold.converge()
    gold.night([member(1, points="5"), member(2)])
    with gold.store.read() as conn:
        states = {row.serial: row for row in conn.execute(select(wallet_states))}
    one, two = (states[gold.pass_of(f"M-0000{n}").serial] for n in (1, 2))
    assert (one.target_revision, one.revision, one.behind) == (2, 1, True)
    assert (two.target_revision, two.revision, two.behind) == (1, 1, False)
    assert gold.events_of("M-00002") == [(1, EventKind.CREATED)]


def test_an_older_read_is_stale_also_where_no_revision_tells(club):
    """The single change touched only what no pass shows: same revision, and yet the newer truth."""
    gold = club(guard=FREE)
    gold.night([member(1)])
    plan = gold.plan([member(1, tier="silver")])
    now = [member(1, tier="bronze")]
    assert apply_one(sourced(gold, now), gold.store, "M-00001", dry=False).outcome is Outcome.APPLIED
    assert gold.pass_of("M-00001").revision == 1
    assert gold.apply(plan).count(Outcome.STALE) == 1
    assert gold.plan(now).empty
