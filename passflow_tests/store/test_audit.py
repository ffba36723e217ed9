from __future__ import annotations

import pytest

from passflow.store.audit import add_entry, read_entries
from passflow.store.publish import publish


def test_entries_come_newest_first(store):
    with store.begin() as conn:
        add_entry(store, conn, actor="ada", action="plan.approved", program="gold", subject="p1", details={"count": 3})
        add_entry(store, conn, actor="x" * 500, action="keys.rotated")
    with store.read() as conn:
        newest, oldest = read_entries(conn)
        assert read_entries(conn, program="gold") == [oldest]
        assert read_entries(conn, limit=1) == [newest]
    assert (oldest.actor, oldest.action, oldest.subject, oldest.details) == ("ada", "plan.approved", "p1", {"count": 3})
    assert newest.actor == "x" * 128 and newest.number > oldest.number and newest.at >= oldest.at > 0


def test_an_entry_shares_the_fate_of_what_it_records(store):
    with pytest.raises(RuntimeError), store.begin() as conn:
        publish(conn)
        add_entry(store, conn, actor="ada", action="something")
        raise RuntimeError("crash")
    with store.read() as conn:
        assert read_entries(conn) == []
