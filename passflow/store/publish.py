"""Numbers that grow in commit order: the tag by which devices ask what is new."""

from __future__ import annotations

from sqlalchemy import Connection

from passflow.store.statements import insert
from passflow.store.tables import counters


def publish(conn: Connection) -> int:
    """Takes the number under which this transaction's signed bytes become visible; take it as late as you can.

    The counter's row stays locked until the commit, so numbers become visible in their order and a reader that has seen
    one will never miss a smaller one. (A sequence would not do: it hands out numbers that commit out of order.)
    """
    return next_number(conn, "published")


def next_number(conn: Connection, name: str) -> int:
    """Adds one to a counter and returns it; whoever else wants a number of it waits for this transaction to end."""
    first = insert(conn, counters).values(name=name, value=1)
    advance = first.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    return int(conn.execute(advance.returning(counters.c.value)).scalar_one())


def next_modified(previous: int | None, now: int) -> int:
    """``last_modified`` of a publication, whole seconds: HTTP dates know no fractions, so two never share a second.

    Args:
        previous: the pass's present ``last_modified``, or None before its first publication.
        now: the store's clock, microseconds.
    """
    seconds = now // 1_000_000
    return seconds if previous is None else max(seconds, previous + 1)
