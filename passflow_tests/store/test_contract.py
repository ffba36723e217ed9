from passflow.testing.store import StoreContract


class TestStore(StoreContract):
    """On SQLite and PostgreSQL, by the shared fixture ``store``."""
