"""What flows and links set survives the night, and what the master owns stays the master's."""

from __future__ import annotations

import pytest

from passflow.errors import ProgramError, StoreError
from passflow.model import Outcome
from passflow.sync.converge import converge
from passflow.sync.overlay import set_overlay
from passflow.testing.programs import member
from passflow_tests.reconcile.nights import wallet_of


def shown(gold, external_id: str):
    program = gold.program
    with gold.store.begin() as conn:
        from sqlalchemy import update

        from passflow.store.tables import wallet_states

        conn.execute(update(wallet_states).values(behind=True))
    converge(program, gold.store, program.wallets[0])
    return wallet_of(program).held[gold.pass_of(external_id).serial][2]


def test_an_overlay_survives_nights_with_and_without_changes(club):
    gold = club(flow_fields=["display_name"])
    gold.night([member(1), member(2)])
    assert set_overlay(gold.program, gold.store, "M-00001", {"display_name": "Ada"}) == 2
    assert gold.plan().empty
    gold.night([member(1, points="500"), member(2)])
    values = shown(gold, "M-00001")
    assert (values["display_name"], values["points"]) == ("Ada", 500)
    assert shown(gold, "M-00002")["display_name"] == "Member 2"


def test_the_same_overlay_twice_is_one_revision(club):
    gold = club(flow_fields=["display_name"])
    gold.night([member(1)])
    assert set_overlay(gold.program, gold.store, "M-00001", {"display_name": "Ada"}) == 2
    assert set_overlay(gold.program, gold.store, "M-00001", {"display_name": "Ada"}) == 2
    assert set_overlay(gold.program, gold.store, "M-00001", {"display_name": None}) == 3
    assert shown(gold, "M-00001")["display_name"] == "Member 1"


def test_a_plan_made_before_an_overlay_ends_stale(club):
    gold = club(flow_fields=["display_name"])
    gold.night([member(1)])
    plan = gold.plan([member(1, points="500")])
    set_overlay(gold.program, gold.store, "M-00001", {"display_name": "Ada"})
    assert gold.apply(plan).count(Outcome.STALE) == 1
    gold.night()
    values = shown(gold, "M-00001")
    assert (values["display_name"], values["points"]) == ("Ada", 500)


def test_fields_of_the_master_and_unknown_members_are_refused(club):
    gold = club(flow_fields=["display_name"])
    gold.night([member(1)])
    with pytest.raises(ProgramError, match="belongs to the master system"):
        set_overlay(gold.program, gold.store, "M-00001", {"points": "1000000"})
    with pytest.raises(StoreError, match="no live pass"):
        set_overlay(gold.program, gold.store, "M-00099", {"display_name": "Ada"})


def test_a_voided_absentee_keeps_what_a_flow_set(club):
    statuses = {"statuses": {"active": ["A"]}, "on_missing": "void"}
    gold = club(flow_fields=["display_name"], lifecycle=statuses, guard={"first_load": True})
    gold.night([member(1), member(2)])
    set_overlay(gold.program, gold.store, "M-00001", {"display_name": "Ada"})
    gold.night([member(2)])
    assert gold.status("M-00001") == "voided"
    assert shown(gold, "M-00001")["display_name"] == "Ada"
    row = gold.pass_of("M-00001")
    gold.night([member(1), member(2)])
    assert gold.status("M-00001") == "active"
    assert gold.pass_of("M-00001").serial == row.serial
    assert shown(gold, "M-00001")["display_name"] == "Ada"
