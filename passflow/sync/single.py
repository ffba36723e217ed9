"""One member at once: read from the source, compared, applied, signed; the way of links, webhooks and ``passflow one``.

A single change waits for no nightly run. What keeps it safe beside one: the unique id, the base revision and
``observed_at``, which is the store's clock before the read began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from passflow.errors import PlanError, SourceError
from passflow.files import save_images
from passflow.model import Kind, Operation, Origin, Outcome, Rejection, Status
from passflow.ports import ReadsOne
from passflow.program import Program
from passflow.store.changes import write_changes
from passflow.store.engine import Store
from passflow.store.keys import load_keys, new_keys, store_key
from passflow.store.passes import count_live, read_erased, read_rows
from passflow.store.plans import ensure_program
from passflow.store.records import seal_record
from passflow.store.statements import insert_new
from passflow.store.tables import member_keys, operations, programs
from passflow.sync.design import Design, make_design, save_design
from passflow.sync.draft import Drafter, Seen
from passflow.sync.fingerprint import id_hash as hash_id
from passflow.sync.intake import Hasher
from passflow.sync.plan import source_context
from passflow.sync.settle import MOVED_ON, Cause, settle

PREFIX: Final = "single-"
"""Begins the plan id of an operation that belongs to no plan."""

DAY: Final = 86_400_000_000
ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class One:
    """What became, or would become, of one member.

    Args:
        operation: what changes, or None where nothing does.
        outcome: how it ended; ``pending`` in a dry run.
        rejection: why the member's row was refused, or None.
        found: whether the source knows the member.
        serial: of the member's pass, or None where there is none.
    """

    id_hash: bytes
    operation: Operation | None
    outcome: Outcome
    rejection: Rejection | None
    found: bool
    serial: str | None
    code: str | None = None


def apply_one(program: Program, store: Store, external_id: str, *, dry: bool) -> One:
    """Reads one member from the source and brings the member's pass to what it says.

    Args:
        external_id: the member's id in the master system.
        dry: only say what would happen.

    Raises:
        SourceError: the source cannot read one member, or failed.
        PlanError: the delete would exceed the program's budget for single deletes.
    """
    if not isinstance(program.source, ReadsOne):
        raise SourceError(
            f"The source of program {program.program!r} cannot read one member.",
            fix=f"Run `passflow plan {program.program}`: it reads the whole source.",
            code="source.no_single",
        )
    design = make_design(program.template, program.members.fields, program.lifecycle, save_images(program, store))
    one = None
    for _ in range(ATTEMPTS):
        try:
            one = _Single(program, store, design, external_id, dry=dry).go()
        except IntegrityError:
            continue  # somebody issued this very pass in the same moment; look again
        if one.code != MOVED_ON:
            return one
        # a bulk apply changed it since we looked; what we read may be newer all the same, so look and read again
    if one is not None:
        return one
    raise PlanError(f"Another process keeps changing this pass of {program.program!r}.", fix="Try again.")


class _Single:
    def __init__(self, program: Program, store: Store, design: Design, external_id: str, *, dry: bool) -> None:
        self.program, self.store, self.design, self.dry = program, store, design, dry
        self.external_id = external_id
        key = store_key(store, "hash")
        self.id_hash = hash_id(external_id, key, program.program)
        self.hasher = Hasher(program, key, store_key(store, "fingerprint"), design.revision)

    def go(self) -> One:
        with self.store.read() as conn:
            observed_at = self.store.now(conn)
            erased = bool(read_erased(conn, self.program.program, [self.id_hash]))
        seen, rejection = self._read()
        if erased and seen is not None:
            rejection = Rejection(1, "member.erased", "external_id", self.id_hash, b"{}")
        if rejection is not None:
            return One(self.id_hash, None, Outcome.REFUSED, rejection, True, None, rejection.code)
        return self._settle(seen, observed_at)

    def _read(self) -> tuple[Seen | None, Rejection | None]:
        source = self.program.source
        assert isinstance(source, ReadsOne)  # noqa: S101  # apply_one has looked; this tells the type checker
        batch = source.read_one(source_context(self.program), self.external_id)
        if batch is None or batch.num_rows == 0:
            return None, None
        mapped = self.program.members.map_batch(batch, 1, self.hasher.identify)
        if mapped.rejections:
            return None, mapped.rejections[0]
        frame = self.hasher.add_fingerprint(mapped.frame)
        rows = [row for row in frame.iter_rows(named=True) if row["id_hash"] == self.id_hash]
        if not rows:
            raise SourceError("The source answered with another member than was asked for.", code="source.wrong_member")
        if len({row["fingerprint"] for row in rows}) > 1:
            return None, Rejection(rows[1]["row"], "id.duplicate", "external_id", self.id_hash, b"{}")
        row = rows[0]
        record = {name: row[name] for name in self.program.members.fields}
        return Seen(row["row"], self.id_hash, row["fingerprint"], record), None

    def _settle(self, seen: Seen | None, observed_at: int) -> One:
        name = self.program.program
        drafter = Drafter(name, self.design, self.store, observed_at)
        with self.store.read() as conn:
            row = read_rows(conn, name, [self.id_hash]).get(self.id_hash)
            known = row is not None and row.status is not Status.DELETED
            missing = [self.id_hash] if seen is None and known and row is not None and row.adopted else []
            drafts = drafter.draft(conn, seen=[seen] if seen else [], missing=missing)
        serial = row.serial if row else None
        if drafts.rejections:
            rejection = drafts.rejections[0]
            return One(self.id_hash, None, Outcome.REFUSED, rejection, True, serial, rejection.code)
        operation = drafts.operations[0] if drafts.operations else None
        due = row is not None and row.due_at is not None and row.due_at <= observed_at
        same = row is not None and seen is not None and row.fingerprint == seen.fingerprint and row.adopted and not due
        if operation is None or same:
            return One(self.id_hash, None, Outcome.UNCHANGED, None, seen is not None, serial)
        if self.dry:
            return One(self.id_hash, operation, Outcome.PENDING, None, seen is not None, serial)
        return self._write(operation, observed_at, found=seen is not None)

    def _write(self, operation: Operation, observed_at: int, *, found: bool) -> One:
        name = self.program.program
        with self.store.begin() as conn:
            now = self.store.now(conn)
            ensure_program(conn, name, now)
            save_design(conn, name, self.design, now)
            if read_erased(conn, name, [self.id_hash]):
                return One(self.id_hash, None, Outcome.REFUSED, None, found, None, "member.erased")
            if operation.kind is Kind.DELETE:
                self._check_budget(conn, now)
            record = self._seal(conn, operation)
            row = read_rows(conn, name, [self.id_hash], lock=True).get(self.id_hash)
            cause = Cause(PREFIX + operation.op_id.hex(), observed_at, self.design.revision, Origin.SOURCE)
            settled = settle(operation, record, row, cause)
            if conn.execute(select(programs.c.read_at).where(programs.c.program == name)).scalar_one() > observed_at:
                # a whole read began after ours: what it saw is newer, whatever it planned
                settled = type(settled)(Outcome.STALE, code="pass.newer_truth")
            if settled.change is not None:
                write_changes(conn, self.program, [settled.change], now=now)
            self._note(conn, operation, settled.outcome, settled.code, now)
        serial = settled.change.serial if settled.change else row.serial if row else None
        return One(self.id_hash, operation, settled.outcome, None, found, serial, settled.code)

    def _seal(self, conn: Connection, operation: Operation) -> bytes | None:
        if operation.record is None:
            return None
        name = self.program.program
        keys = load_keys(self.store, conn, name, [self.id_hash])
        if self.id_hash not in keys:
            keys, rows = new_keys(self.store.keyring, name, [self.id_hash])
            insert_new(conn, member_keys, rows)
            keys = load_keys(self.store, conn, name, [self.id_hash])
        return seal_record(name, self.id_hash, keys[self.id_hash], operation.record)

    def _check_budget(self, conn: Connection, now: int) -> None:
        # one delete at a time, or two would each take the last of the budget
        conn.execute(select(programs.c.program).where(programs.c.program == self.program.program).with_for_update())
        query = select(func.count()).where(
            operations.c.program == self.program.program,
            operations.c.kind == Kind.DELETE.value,
            operations.c.plan_id.startswith(PREFIX),
            operations.c.outcome == Outcome.APPLIED.value,
            operations.c.ended_at > now - DAY,
        )
        used = int(conn.execute(query).scalar_one())
        limit = self.program.guard.single_deletes
        if limit.exceeded(used + 1, count_live(conn, self.program.program)):
            raise PlanError(
                f"Program {self.program.program!r} has deleted {used:,} passes one by one within 24 hours: "
                f"more than {limit} are withheld.",
                fix=f"Run `passflow plan {self.program.program}`: the guard judges the deletes as a whole there.",
                code="guard.single_deletes",
            )

    def _note(self, conn: Connection, operation: Operation, outcome: Outcome, code: str | None, now: int) -> None:
        values = {
            "plan_id": PREFIX + operation.op_id.hex(),
            "op_id": operation.op_id,
            "program": operation.program,
            "id_hash": operation.id_hash,
            "kind": operation.kind.value,
            "base_revision": operation.base_revision,
            "fingerprint": operation.fingerprint,
            "status": operation.status.value,
            "due_at": operation.due_at,
            "changed": ",".join(operation.changed),
            "rings": ",".join(operation.rings),
            "content_hash": operation.content_hash,
            "outcome": outcome.value,
            "code": code,
            "ended_at": now,
        }
        same = (operations.c.plan_id == values["plan_id"], operations.c.id_hash == operation.id_hash)
        if conn.execute(select(operations.c.op_id).where(*same)).first() is None:
            conn.execute(insert(operations).values(**values))
        elif outcome is Outcome.APPLIED:  # it did not end so when it was tried before; the budget counts what did
            conn.execute(update(operations).where(*same).values(outcome=outcome.value, code=None, ended_at=now))
