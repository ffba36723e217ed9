"""Nights with errors of every kind: nothing of anybody and no secret is in logs, errors, files, tables or reprs."""

from __future__ import annotations

import traceback
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, text

from passflow.errors import PassflowError
from passflow.model import Kind
from passflow.store.devices import register
from passflow.store.erasure import erase
from passflow.store.keys import load_keys
from passflow.store.records import open_record
from passflow.store.tables import metadata, pass_records, passes
from passflow.sync import points
from passflow.sync.apply import apply_plan
from passflow.sync.approve import approve
from passflow.sync.converge import converge
from passflow.sync.explain import explain
from passflow.sync.plan import make_plan
from passflow.sync.push import push
from passflow.testing.apns_replies import Reply
from passflow_tests.canary.club import PASS_TYPE, new_member
from passflow_tests.canary.conftest import folder_of_server

BASE_URL = "https://passes.example"
FIRST = {"guard": {"first_load": True}}


def night(club, said: list[object]):
    program = club.program()
    plan = make_plan(program, club.store)
    said += [program, plan, apply_plan(program, club.store, plan.plan_id, holder="canary")]
    said.append(converge(program, club.store, program.wallets[0], base_url=BASE_URL))
    said.append(push(program, club.store, program.wallets[0]))
    return plan


def install(club, number: int) -> None:
    """A phone takes a pass; its identifiers are secrets too."""
    device, token = f"device{number:02}" + "d" * 24, f"pushtoken{number:02}" + "e" * 50
    club.extra |= {f"device {number}": device, f"push token {number}": token}
    with club.store.begin() as conn:
        serial = conn.execute(select(passes.c.serial).order_by(passes.c.serial).offset(number).limit(1)).scalar_one()
        register(club.store, conn, device_id=device, push_token=token, pass_type=PASS_TYPE, serial=serial)


def provoke(club, errors: list[BaseException], **steps) -> None:
    """Runs what must fail, and keeps the error."""
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            errors.append(error)
        else:
            pytest.fail(f"{name} did not fail")


def tables(club) -> bytes:
    """Every value of every table and view, as a data team or a backup would see it."""
    values: list[bytes] = []
    with club.store.read() as conn:
        names = [table.name for table in metadata.sorted_tables]
        views = "SELECT name FROM sqlite_master WHERE type = 'view'"
        if club.store.dialect == "postgresql":
            views = "SELECT table_name FROM information_schema.views WHERE table_schema = 'public'"
        names += conn.execute(text(views)).scalars()
        for name in names:
            for row in conn.execute(text(f"SELECT * FROM {name}")):  # names of our own schema
                values += [
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row
                ]
    assert len(values) > 500
    return b"\0".join(values)


@pytest.fixture
def mean(club, apns):
    """Three nights in which everything goes wrong that can; returns what was said and raised."""
    said: list[object] = [club.store, club.keyring]
    errors: list[BaseException] = []
    club.blocks = FIRST
    night(club, said)
    for number in range(4):
        install(club, number)
    apns.script(club.extra["push token 2"], Reply(410, "Unregistered", timestamp=4_000_000_000_000))
    apns.script(club.extra["push token 3"], Reply(400, "BadDeviceToken"))

    # changed, refused for five reasons, gone
    changed = [{**one, "points": str(int(one["points"]) + 1)} for one in club.members]
    club.extra |= {f"old points {number}": one["points"] for number, one in enumerate(club.members)}
    extra = new_member()
    club.members = [
        *changed[:6], {**changed[6], "points": "many"}, changed[7], {**changed[7], "given": extra["given"]},
        {**changed[8], "state": "sleeping"}, {**changed[9], "mail": "m" * 900 + changed[9]["mail"]},
        {**changed[10], "number": "\x07" + changed[10]["number"]},
    ]  # fmt: skip
    club.write()
    night(club, said)
    for plan in [make_plan(club.program(), club.store)]:
        said.append(explain(club.program(), club.store, plan.plan_id))
        withheld = {item.kind for item in plan.withheld}
        assert withheld == {Kind.DELETE}
        provoke(club, errors, approve=lambda plan=plan: approve(club.store, plan.plan_id, Kind.DELETE, 99, actor="x"))

    # broken files, keys, stores and code
    csv = club.folder / "private" / "members.csv"
    whole = csv.read_bytes()

    def read_broken(content: bytes):
        csv.write_bytes(content)
        try:
            make_plan(club.program(), club.store)
        finally:
            csv.write_bytes(whole)

    provoke(
        club,
        errors,
        delimiter=lambda: read_broken(whole.replace(b",", b";")),
        column=lambda: read_broken(whole.replace(b"points", b"punkte", 1)),
        cells=lambda: read_broken(whole.replace(club.members[1]["mail"].encode(), b"a,b,c")),
        encoding=lambda: read_broken(whole.decode().encode("latin-1", "replace") + b"\xff\xfe"),
        quote=lambda: read_broken(whole.replace(b"\n", b'\n"', 1)),
    )
    password = club.folder / "private" / "password"
    password.write_text("wrong")
    provoke(club, errors, password=lambda: night(club, said))
    password.write_text(club.key_password)

    def explode(point: str) -> None:
        if point in ("apply.batch_written", "converge.recorded"):
            raise RuntimeError("broken on purpose")

    club.members = [{**one, "points": str(int(one["points"]) + 2)} for one in changed]
    club.write()
    points.hook = explode
    try:
        provoke(club, errors, code=lambda: night(club, said))
    finally:
        points.hook = None
    provoke(club, errors, database=lambda: insert_twice(club))
    night(club, said)
    return said, errors


def insert_twice(club):
    """A constraint fails on a row full of sealed and hashed values: drivers like to quote the row."""
    with club.store.begin() as conn:
        row = conn.execute(select(pass_records)).mappings().first()
        conn.execute(pass_records.insert().values(**row))


def test_nothing_leaks_into_logs_errors_reprs_or_tables(club, mean, caplog, capfd):
    said, errors = mean
    search = club.search()
    assert len(search.marks) > 150
    shown = [line for error in errors for line in traceback.format_exception(error)]
    printed = capfd.readouterr()
    found = search.in_texts(errors, "an error") + search.in_texts(said, "a result")
    found += search.in_bytes("".join(shown).encode(), "a traceback")
    found += search.in_bytes(caplog.text.encode(), "the log")
    found += search.in_bytes((printed.out + printed.err).encode(), "the output")
    found += search.in_bytes(tables(club), "a table")
    assert found == []
    assert len(caplog.text) > 10_000, "the log was not on"
    assert len([error for error in errors if isinstance(error, PassflowError)]) >= 7
    for error in errors:
        if isinstance(error, PassflowError):
            assert error.fix and error.error_code


def test_nothing_leaks_into_files(club, mean, store_url):
    search = club.search()
    assert search.in_folder(club.folder, apart=["private"]) == []
    server = folder_of_server(store_url)
    if server:
        with club.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("CHECKPOINT"))
        assert search.in_folder(server) == []


def test_the_controls_are_found(club, mean, tmp_path):
    """The same search finds the same marks where they are: in the export, and in a record once its key opens it."""
    search = club.search()
    assert len(search.in_folder(club.folder / "private")) > 100
    with club.store.read() as conn:
        rows = conn.execute(select(pass_records)).all()
        keys = load_keys(club.store, conn, "gold", sorted(row.id_hash for row in rows))
    records = [open_record("gold", row.id_hash, keys[row.id_hash], row.record_sealed) for row in rows]
    assert len(search.in_bytes(orjson.dumps(records), "records")) > 80


def test_a_large_read_spills_nothing_in_clear(club, monkeypatch, tmp_path):
    """What does not fit in memory goes to a nameless file, which is searched while it is there."""
    import passflow.sync.spill as spilling

    monkeypatch.setattr(spilling, "FLUSH_ROWS", 100)
    monkeypatch.setattr(
        spilling.Spill.__init__, "__kwdefaults__", {**spilling.Spill.__init__.__kwdefaults__, "in_memory_rows": 10}
    )
    club.members = [new_member() for _ in range(150)]
    club.write()
    club.blocks = FIRST
    search = club.search()
    seen: list[bytes] = []

    def look(point: str) -> None:
        if point == "plan.read":
            for link in Path("/proc/self/fd").iterdir():
                try:
                    target = str(link.readlink())
                    if "deleted" in target and str(tmp_path) in target:
                        seen.append(link.read_bytes())
                except OSError:
                    continue

    monkeypatch.setattr(points, "hook", look)
    make_plan(club.program(), club.store)
    assert sum(map(len, seen)) > 10_000, "nothing was spilled"
    assert search.in_bytes(b"".join(seen), "the spill") == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_after_an_erasure_not_even_the_ciphertext_is_left(club, mean, tmp_path):
    """Bytes of the member's key, record and pass are nowhere in the files; those of another member are where they were."""
    gone, kept = club.members[0], club.members[1]
    with club.store.read() as conn:
        hashes = {row.id_hash: row.serial for row in conn.execute(select(passes))}
        sealed: dict[bytes, list[bytes]] = {id_hash: [] for id_hash in hashes}
        for table in metadata.sorted_tables:
            if "id_hash" not in table.c or table.name == "erasures":
                continue
            for row in conn.execute(select(table)).mappings():
                values = [value for name, value in row.items() if name.endswith(("_sealed", "signature")) and value]
                sealed.setdefault(row["id_hash"], []).extend(bytes(value) for value in values)
    own = {one["number"]: key_of(club, one["number"]) for one in (gone, kept)}
    assert all(len(sealed[key]) >= 5 for key in own.values())
    erase(club.store, "gold", gone["number"], actor="canary")
    said: list[object] = []
    program = club.program()
    said.append(converge(program, club.store, program.wallets[0], base_url=BASE_URL))
    erase(club.store, "gold", gone["number"], actor="canary")  # again, after the blank pass: the log is emptied too
    everything = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    left = [value for value in sealed[own[gone["number"]]] if value[:48] in everything or value[-32:] in everything]
    assert left == []
    there = [value for value in sealed[own[kept["number"]]] if value[:48] in everything]
    assert len(there) >= 3, "the control: another member's bytes are in the same files"
    assert club.search().in_folder(club.folder, apart=["private"]) == []


def key_of(club, external_id: str) -> bytes:
    from passflow.store.keys import store_key
    from passflow.sync.fingerprint import id_hash

    return id_hash(external_id, store_key(club.store, "hash"), "gold")
