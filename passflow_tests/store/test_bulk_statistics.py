"""PostgreSQL looks at a table before it is asked to find many rows by id in it."""

from sqlalchemy import select, text

from passflow.store.bulk import gather_statistics
from passflow.store.tables import passes
from passflow.testing.store import plant_pass


def test_a_table_never_looked_at_is_looked_at_once(store):
    plant_pass(store, "M-1")
    gather_statistics(store, passes)
    with store.read() as conn:
        assert conn.execute(select(passes.c.program)).scalars().all() == ["gold"]
        if store.dialect == "postgresql":
            seen = text("SELECT last_analyze FROM pg_stat_user_tables WHERE relname = 'passes'")
            known = text("SELECT reltuples FROM pg_class WHERE oid = 'passes'::regclass")
            assert conn.execute(known).scalar_one() == 1
            first = conn.execute(seen).scalar_one()
    if store.dialect == "postgresql":
        plant_pass(store, "M-2")
        gather_statistics(store, passes)
        with store.read() as conn:
            assert conn.execute(known).scalar_one() == 1
            assert conn.execute(seen).scalar_one() == first
