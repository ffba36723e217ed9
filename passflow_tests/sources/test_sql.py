"""Databases: one snapshot, the same text on both ways, and no password or row in any message."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from passflow.errors import IncompleteRead, SecretError, SourceError
from passflow.ports import SourceContext
from passflow.sources._database import as_text
from passflow.sources.sql import UNKNOWN, SqlSource
from passflow.testing.sources import COLUMNS, SourceContract


def fill(path, members):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE IF EXISTS members")
        connection.execute("CREATE TABLE members (member_no TEXT, name TEXT, points INTEGER, valid_to TEXT)")
        connection.executemany(
            "INSERT INTO members VALUES (:member_no, :name, :points, :valid_to)", list(map(dict, members))
        )
    connection.close()


class TestSqlite(SourceContract):
    """A table of an SQLite file."""

    def place(self, members, folder):
        fill(folder / "crm.db", members)
        return SqlSource(type="sql", url="sqlite:///crm.db", table="members", cursor="rowid")

    def broken(self, folder):
        return SqlSource(type="sql", url="sqlite:///nothing.db", query="SELECT 1")

    def test_reads_one_member_by_id(self, tmp_path, context):
        members = [{"member_no": "007", "name": "it's 50%: a\\:b", "points": "1", "valid_to": None}]
        source = self.place(members, tmp_path)
        found = source.read_one(context, " 007 ")
        assert found.to_pylist() == members
        for unknown in ("7", "'; DROP TABLE members --", "%", "", "0" * 5_000, "nul\x00"):
            assert source.read_one(context, unknown) is None


@pytest.mark.parametrize("driver", ["auto", "sqlalchemy"])
class TestPostgres(SourceContract):
    """A query on PostgreSQL, through ADBC and through SQLAlchemy."""

    @pytest.fixture(autouse=True)
    def database(self, empty_postgres, driver, monkeypatch):
        monkeypatch.setenv("CRM_URL", empty_postgres)
        self.url, self.driver = empty_postgres, driver

    def place(self, members, folder):
        execute(
            self.url,
            "DROP TABLE IF EXISTS crm_members",
            'CREATE TABLE crm_members ("member_no" varchar PRIMARY KEY, name text, points integer, valid_to date, n serial)',
            *(
                "INSERT INTO crm_members (member_no, name, points, valid_to) VALUES ("
                + ", ".join(
                    "NULL" if value is None else "'" + value.replace("'", "''") + "'" for value in member.values()
                )
                + ")"
                for member in members
            ),
        )
        query = "SELECT *, '12:30'::text AS t FROM crm_members WHERE name NOT LIKE '50%' -- all; of them\n;"
        return SqlSource(type="sql", url="env:CRM_URL", query=query, driver=self.driver, cursor="n")

    def broken(self, folder):
        return SqlSource(type="sql", url="env:CRM_URL", query="SELECT member_no FROM no_such_table", driver=self.driver)


def execute(url, *statements):
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        for statement in statements:
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    engine.dispose()


def context(folder, *columns, rows=1000):
    return SourceContext(base_dir=folder, columns=columns, id_column=columns[0], batch_rows=rows)


def rows_of(read):
    return [tuple(row.values()) for batch in read for row in batch.to_pylist()]


TYPED = """SELECT * FROM (VALUES
  (1::bigint, 12.5000::numeric(20,4), true, '2026-01-31'::date, '2026-01-31 12:00+02'::timestamptz, '2026-01-31 12:00:00.5'::timestamp,
   '{"a": 1}'::jsonb, 'b2a3bd5a-5ac7-4918-95cf-c8c6d8125227'::uuid, 1e-7::float8, 'x  '::char(3), E'\\\\x00ff'::bytea, ARRAY['a'], 0.1::float4,
   '1e400'::numeric, 'NaN'::numeric, 123456789012345678901234567890::numeric),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS t(id, n, b, d, ts, tn, j, u, f, c, by, a, f4, big, nan, wide)"""


def test_both_ways_to_postgresql_give_the_same_text(tmp_path, empty_postgres, monkeypatch):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    name = make_url(empty_postgres).database
    execute(
        empty_postgres,
        f"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'",
        f"ALTER DATABASE {name} SET DateStyle = 'German'",
    )
    columns = ("id", "n", "b", "d", "ts", "tn", "j", "u", "f", "c", "by", "a", "f4", "big", "nan", "wide")
    reads = [
        SqlSource(type="sql", url="env:CRM_URL", query=TYPED, driver=driver).open(context(tmp_path, *columns))
        for driver in ("auto", "sqlalchemy")
    ]
    adbc, alchemy = map(rows_of, reads)
    assert adbc == alchemy
    assert adbc[0][:8] == (
        "1", "12.5000", "true", "2026-01-31", "2026-01-31 10:00:00+00", "2026-01-31 12:00:00.5", '{"a": 1}',
        "b2a3bd5a-5ac7-4918-95cf-c8c6d8125227",
    )  # fmt: skip
    assert adbc[0][8:13] == ("1e-07", "x", "\\x00ff", "{a}", "0.1")
    assert adbc[0][13] == "1" + "0" * 400
    assert adbc[0][14:] == ("NaN", "123456789012345678901234567890")
    assert adbc[1] == ("2", *[None] * 15)
    assert all(read.proof().complete for read in reads)


@pytest.mark.parametrize("driver", ["auto", "sqlalchemy"])
def test_a_read_sees_one_moment_only(tmp_path, empty_postgres, monkeypatch, driver):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    execute(
        empty_postgres, "CREATE TABLE m AS SELECT g AS id, repeat('x', 200) AS pad FROM generate_series(1, 200000) g"
    )
    source = SqlSource(type="sql", url="env:CRM_URL", table="public.m", driver=driver)
    read = source.open(context(tmp_path, "id", "pad"))
    rows = 0
    for batch in read:
        if not rows:
            execute(
                empty_postgres,
                "DELETE FROM m WHERE id % 2 = 0",
                "INSERT INTO m SELECT 900000 + g, '' FROM generate_series(1, 10) g",
            )
        rows += batch.num_rows
    assert rows == 200_000
    assert read.proof().complete


@pytest.mark.parametrize("driver", ["auto", "sqlalchemy"])
def test_nothing_can_be_changed_through_a_source(tmp_path, empty_postgres, monkeypatch, driver):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    execute(
        empty_postgres,
        "CREATE TABLE m AS SELECT 1 AS id",
        "CREATE FUNCTION harm() RETURNS int LANGUAGE sql AS 'DELETE FROM m RETURNING id'",
    )
    source = SqlSource(type="sql", url="env:CRM_URL", query="SELECT harm() AS id", driver=driver)
    with pytest.raises(SourceError):
        list(source.open(context(tmp_path, "id")))
    assert rows_of(SqlSource(type="sql", url="env:CRM_URL", table="m").open(context(tmp_path, "id"))) == [("1",)]


@pytest.mark.parametrize("driver", ["auto", "sqlalchemy"])
def test_an_error_in_the_middle_is_incomplete_and_quotes_no_row(tmp_path, empty_postgres, monkeypatch, driver):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    query = "SELECT g AS id, CASE WHEN g = 150000 THEN ('secret@example.org' || g)::int ELSE g END AS v FROM generate_series(1, 200000) g"
    read = SqlSource(type="sql", url="env:CRM_URL", query=query, driver=driver).open(context(tmp_path, "id", "v"))
    with pytest.raises(IncompleteRead) as caught:
        list(read)
    assert "secret@example.org" not in str(caught.value)
    assert driver == "auto" or "22P02" in caught.value.message  # ADBC tells no state in the middle of a stream
    with pytest.raises(IncompleteRead):
        read.proof()


@pytest.mark.parametrize("driver", ["auto", "sqlalchemy"])
def test_a_server_that_ends_the_connection_is_incomplete(tmp_path, empty_postgres, monkeypatch, driver):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    query = "SELECT g AS id, repeat('x', 500) AS v FROM generate_series(1, 300000) g"
    read = SqlSource(type="sql", url="env:CRM_URL", query=query, driver=driver).open(context(tmp_path, "id", "v"))
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    with pytest.raises(SourceError):
        for number, _ in enumerate(read):
            if number == 0:
                execute(empty_postgres, kill)
    with pytest.raises(IncompleteRead):
        read.proof()


def test_one_member_of_typed_ids(tmp_path, empty_postgres, monkeypatch):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    execute(
        empty_postgres, "CREATE TABLE m (id bigint PRIMARY KEY, v numeric)", "INSERT INTO m VALUES (7, 1.50), (8, NULL)"
    )
    source = SqlSource(type="sql", url="env:CRM_URL", table="m")
    here = context(tmp_path, "id", "v")
    assert source.read_one(here, "7").to_pylist() == [{"id": "7", "v": "1.50"}]
    for unknown in ("007", "7.0", "x", "", "99999999999999999999", "7; DROP TABLE m"):
        assert source.read_one(here, unknown) is None
    execute(empty_postgres, "DELETE FROM m")
    assert source.read_one(here, "7") is None


def test_a_mark_waits_until_transactions_have_ended(tmp_path, empty_postgres, monkeypatch):
    monkeypatch.setenv("CRM_URL", empty_postgres)
    execute(
        empty_postgres, "CREATE TABLE m (id int, at timestamptz)", "INSERT INTO m VALUES (1, now() - interval '1 hour')"
    )
    source = SqlSource(type="sql", url="env:CRM_URL", table="m", cursor="at", cursor_lag="PT60S")
    here = context(tmp_path, "id")
    first = source.mark(here)
    execute(empty_postgres, "INSERT INTO m VALUES (2, now())")
    assert source.mark(here) == first
    execute(empty_postgres, "INSERT INTO m VALUES (3, now() - interval '50 minutes')")
    second = source.mark(here)
    assert second != first
    # committed late, with an earlier time than the newest: the count shows it
    execute(empty_postgres, "INSERT INTO m VALUES (4, now() - interval '2 hours')")
    assert source.mark(here) not in (first, second)


def test_without_a_cursor_nothing_is_claimed(tmp_path):
    fill(tmp_path / "crm.db", [])
    source = SqlSource(type="sql", url="sqlite:///crm.db", table="members")
    assert source.mark(context(tmp_path, "member_no")) == UNKNOWN


def test_an_empty_table_is_a_proved_read(tmp_path):
    fill(tmp_path / "crm.db", [])
    read = SqlSource(type="sql", url="sqlite:///crm.db", table="members").open(context(tmp_path, *COLUMNS))
    assert list(read) == []
    assert read.proof().complete and read.proof().rows == 0


def test_sqlite_gives_each_value_in_its_own_type(tmp_path):
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute("CREATE TABLE m (id, v)")
        connection.executemany("INSERT INTO m VALUES (?, ?)", [("007", 1.5), (7, "x"), (2**62, None)])
    connection.close()
    source = SqlSource(type="sql", url="sqlite:///crm.db", table="m")
    assert rows_of(source.open(context(tmp_path, "id", "v"))) == [("007", "1.5"), ("7", "x"), (str(2**62), None)]


def test_sqlite_is_read_only_and_makes_no_file(tmp_path):
    fill(tmp_path / "crm.db", [])
    with pytest.raises(SourceError, match="no SQLite file 'typo"):
        SqlSource(type="sql", url="sqlite:///typo.db", table="m").open(context(tmp_path, "id"))
    before = sorted(path.name for path in tmp_path.iterdir())
    list(SqlSource(type="sql", url="sqlite:///crm.db", table="members").open(context(tmp_path, "member_no")))
    assert sorted(path.name for path in tmp_path.iterdir()) == before == ["crm.db"]


def test_sqlite_is_read_while_somebody_writes(tmp_path):
    fill(
        tmp_path / "crm.db",
        [{"member_no": str(index), "name": "x" * 100, "points": 1, "valid_to": None} for index in range(30_000)],
    )
    with sqlite3.connect(tmp_path / "crm.db") as setup:
        setup.execute("PRAGMA journal_mode=WAL")
    setup.close()
    done = threading.Event()

    def write():
        with sqlite3.connect(tmp_path / "crm.db", timeout=30) as writer:
            writer.execute("DELETE FROM members WHERE points = 1")
        writer.close()
        done.set()

    read = SqlSource(type="sql", url="sqlite:///crm.db", table="members").open(context(tmp_path, "member_no"))
    rows = 0
    for batch in read:
        if not rows:
            threading.Thread(target=write).start()
            assert done.wait(30)
        rows += batch.num_rows
    assert rows == 30_000


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT nothing FROM members", "nothing"),
        ("SELECT FROM WHERE", "syntax"),
        ("DELETE FROM members RETURNING member_no", "syntax"),
        ("SELECT 1 AS member_no; DROP TABLE members", "syntax"),
    ],
)
def test_a_query_that_is_wrong_is_said_before_the_read(tmp_path, query, said):
    fill(tmp_path / "crm.db", [])
    with pytest.raises(SourceError, match=said) as caught:
        SqlSource(type="sql", url="sqlite:///crm.db", query=query).open(context(tmp_path, "member_no"))
    assert caught.value.error_code == "source.refused"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["postgresql://u:{}@127.0.0.1:9/x", "postgresql+psycopg2://u:{}@127.0.0.1:9/x?connect_timeout=1"]
)
def test_no_password_in_any_message(tmp_path, monkeypatch, url):
    monkeypatch.setenv("CRM_URL", url.format("p%40ss-w0rd-1"))
    source = SqlSource(type="sql", url="env:CRM_URL", table="m")
    with pytest.raises(SourceError) as caught:
        source.open(context(tmp_path, "id"))
    shown = str(caught.value) + repr(source) + source.model_dump_json()
    assert "p@ss-w0rd-1" not in shown and "p%40ss-w0rd-1" not in shown
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["not a url", "nosuchdb://host/x", "postgresql+nodriver://h/x"])
def test_an_address_nobody_understands(tmp_path, monkeypatch, text):
    monkeypatch.setenv("CRM_URL", text)
    with pytest.raises(SourceError) as caught:
        SqlSource(type="sql", url="env:CRM_URL", table="m").open(context(tmp_path, "id"))
    assert text not in str(caught.value)


def test_a_reference_may_be_a_file_beside_the_program(tmp_path):
    fill(tmp_path / "crm.db", [])
    (tmp_path / "crm.url").write_text("sqlite:///crm.db\n")
    source = SqlSource(type="sql", url="file:crm.url", table="members")
    assert source.check(context(tmp_path, "member_no")) == COLUMNS
    with pytest.raises(SecretError):
        SqlSource(type="sql", url="env:NO_SUCH_VARIABLE_HERE", table="m").open(context(tmp_path, "id"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2-hunter2@h/x",
        "mysql://u:hunter2-hunter2@h",
        "postgresql://h/x?password=hunter2-hunter2",
        7,
    ],
)
def test_a_password_in_the_program_file_is_refused_and_not_repeated(url):
    with pytest.raises(ValidationError) as caught:
        SqlSource(type="sql", url=url, table="m")
    assert "hunter2" not in str(caught.value)
    assert "without password" in str(caught.value)


def test_either_a_query_or_a_table():
    for wrong in ({}, {"query": "SELECT 1", "table": "m"}):
        with pytest.raises(ValidationError, match="either a `query` or a `table`"):
            SqlSource(type="sql", url="sqlite:///x", **wrong)
    with pytest.raises(ValidationError, match="ISO 8601"):
        SqlSource(type="sql", url="sqlite:///x", table="m", cursor_lag=60)
    assert TypeAdapter(SqlSource).json_schema()["properties"]["url"]["type"] == "string"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        (1e-7, "1e-07"),
        (None, None),
    ],
)
def test_values_of_other_drivers_as_text(value, text):
    assert as_text(value, "c") == text


@pytest.mark.parametrize("value", [b"x", [1], {"a": 1}, timedelta(1), object()])
def test_values_that_are_no_single_value(value):
    with pytest.raises(SourceError, match="'c' holds"):
        as_text(value, "c")
