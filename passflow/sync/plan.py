"""Planning: one read of the source against the store, judged as a whole, saved before anything applies."""

from __future__ import annotations

import secrets
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from passflow.errors import PassflowError, StoreError
from passflow.files import save_images
from passflow.model import Counts, Kind, Plan, PlanStatus, Proof, Rejection, Status
from passflow.ports import Read, SourceContext
from passflow.program import Program
from passflow.security.encryption import DataKey
from passflow.store.bulk import write_rows
from passflow.store.engine import Store
from passflow.store.keys import load_keys, new_keys, new_plan_key, store_key
from passflow.store.passes import count_phones, estimate_passes, has_passes, read_abandoned, read_erased, read_state
from passflow.store.plans import (
    begin_plan,
    discard_plan,
    ensure_program,
    finish_plan,
    hash_of_kind,
    hold_building,
    write_operations,
    write_rejections,
)
from passflow.store.records import seal_record
from passflow.store.rejections import seal_rejection
from passflow.store.tables import member_keys, programs
from passflow.sync.candidates import count_ended, list_overdue, list_seen
from passflow.sync.design import Design, make_design, save_design
from passflow.sync.diff import Diff, diff, id_series
from passflow.sync.draft import Drafter, Drafts
from passflow.sync.fingerprint import shard_ranges
from passflow.sync.intake import Hasher, Intake, take_in
from passflow.sync.points import reach
from passflow.sync.progress import Progress, silent
from passflow.sync.spill import Spill

if TYPE_CHECKING:
    import polars as pl

SHARDS = 128
"""Parts into which a read is split: memory is bounded by one of them, whatever the program's partitions."""

PART_ROWS = 62_500
"""Rows that are worth a comparison of their own; smaller reads are compared in fewer parts."""

ATTEMPTS = 3
"""Tries to save a part where a single change issues one of its passes in the same moment."""


def open_source(program: Program) -> Read:
    """Starts a read of the program's source.

    Raises:
        SourceError: it cannot be read, or lacks a column that the mapping names.
    """
    return program.source.open(source_context(program))


def source_context(program: Program) -> SourceContext:
    """What the program's source may know of its surroundings."""
    columns = program.members.columns
    return SourceContext(base_dir=program.base_dir, columns=columns, id_column=columns[0])


def make_plan(program: Program, store: Store, *, read: Read | None = None, progress: Progress = silent) -> Plan:
    """Reads the source once and saves what a reconciliation would do.

    Args:
        read: a read in progress, where the caller opened the source (a Dagster asset); the program's own otherwise.

    Raises:
        SourceError: the source failed or stopped early; no plan is made and no pass is touched.
        TemplateError, FetchError: the design cannot be made.
        PlanError: another plan of the program was begun meanwhile.
    """
    with closing(_Planner.begin(program, store)) as planner:
        try:
            planner.take_in(read or open_source(program), progress)
            planner.compare(progress)
            return planner.finish()
        except PassflowError:
            with suppress(StoreError), store.begin() as conn:
                discard_plan(conn, planner.plan.plan_id)  # else the next plan removes it
            raise


@dataclass
class _Planner:
    program: Program
    store: Store
    design: Design
    plan: Plan
    key: DataKey
    intake: Intake
    now: int
    erased: set[bytes]
    creates: int = 0
    updates: int = 0
    deletes: int = 0
    unchanged: int = 0
    ignored: int = 0
    live: int = 0

    @classmethod
    def begin(cls, program: Program, store: Store) -> _Planner:
        name = program.program
        images = save_images(program, store)
        design = make_design(program.template, program.members.fields, program.lifecycle, images)
        plan_id = secrets.token_hex(8)
        key, wrapped = new_plan_key(store.keyring, name, plan_id)
        with store.begin() as conn:
            now = store.now(conn)
            ensure_program(conn, name, now)
            # the row is held until the plan is there: of two plans begun at once, the second finds the first
            before = conn.execute(programs.select().where(programs.c.program == name).with_for_update()).one()
            save_design(conn, name, design, now)
            plan = Plan(
                plan_id=plan_id,
                program=name,
                status=PlanStatus.BUILDING,
                observed_at=now,
                template_revision=design.revision,
                template_changed=before.template_revision not in (None, design.revision),
                proof=Proof(complete=False, rows=0, reason="not read yet"),
                counts=Counts(),
                refusals={},
                withheld=(),
            )
            begin_plan(conn, plan, now=now, key_sealed=wrapped.sealed, key_master_id=wrapped.master_id)
            erased = read_erased(conn, name)
        reach("plan.begun")
        spill = Spill(SHARDS, fields=tuple(program.members.fields))
        return cls(program, store, design, plan, key, Intake(spill), now, erased)

    def close(self) -> None:
        """Forgets the spilled rows and the key they were written under."""
        self.intake.spill.close()

    def take_in(self, read: Read, progress: Progress) -> None:
        hasher = Hasher(
            self.program, store_key(self.store, "hash"), store_key(self.store, "fingerprint"), self.design.revision
        )
        take_in(
            read, hasher, self.intake, refuse=self._save_rejections,
            progress=lambda rows: progress("read", rows, None),
        )  # fmt: skip
        reach("plan.read")

    def compare(self, progress: Progress) -> None:
        """Compares shard by shard, and saves each shard's operations in a transaction of its own."""
        drafter = Drafter(self.program.program, self.design, self.store, self.now)
        parts, refused = self._parts(), id_series(self.intake.refused)
        for number, (_, low, high) in enumerate(shard_ranges(parts)):
            rows = self._rows(number, SHARDS // parts)
            with self.store.read() as conn:
                state = read_state(conn, self.program.program, low, high, observed_at=self.now)
                found = diff(rows, state, refused=refused, erased=self.erased, now=self.now)
                seen = list_seen(found, rows, list(self.program.members.fields))
                missing = found.missing["id_hash"].to_list()
                abandoned = set(self._abandoned(conn, low, high)) - {item.id_hash for item in seen}
                drafts = drafter.draft(
                    conn,
                    seen=seen,
                    missing=missing,
                    abandoned=sorted(abandoned),
                    due=sorted(
                        list_overdue(state, self.now) - {item.id_hash for item in seen} - set(missing) - abandoned
                    ),
                )
            rejections = [*found.rejections, *drafts.rejections]
            if rejections:
                self.intake.note(rejections)
                self._save_rejections(rejections)
            self.live += int((state["status"] != Status.DELETED.value).sum())
            self._count(found, drafts)
            self._save(drafts)
            progress("compare", number + 1, parts)

    def _parts(self) -> int:
        """In how many parts to compare: enough to bound memory, and not so many that each has next to nothing to do."""
        with self.store.read() as conn:
            most = max(self.intake.rows, estimate_passes(conn, self.program.program))
        parts = 1
        while parts < SHARDS and most > parts * PART_ROWS:
            parts *= 2
        return parts

    def _rows(self, part: int, shards: int) -> pl.DataFrame:
        import polars as pl

        return pl.concat([self.intake.spill.shard(part * shards + number) for number in range(shards)])

    def _abandoned(self, conn: Connection, low: int, high: int) -> list[bytes]:
        days = self.program.unknown_members.keep_days
        if days is None:
            return []
        before = self.now - days * 86_400_000_000
        return read_abandoned(conn, self.program.program, low, high, created_before=before)

    def finish(self) -> Plan:
        """Judges the whole plan and makes it the program's newest."""
        name = self.program.program
        with self.store.begin() as conn:
            conn.execute(programs.select().where(programs.c.program == name).with_for_update())
            phones = count_phones(conn, name)
            counts = Counts(
                rows=self.intake.rows,
                creates=self.creates,
                updates=self.updates,
                deletes=self.deletes,
                unchanged=self.unchanged,
                refused=sum(self.intake.refusals.values()),
                ignored=self.ignored,
                ringing=count_phones(conn, name, ringing_plan=self.plan.plan_id) if phones else 0,
                phones=phones,
                live=self.live,
            )
            withheld = self.program.guard.judge(
                counts,
                self.intake.proof,
                unattributed=self.intake.unattributed,
                template_changed=self.plan.template_changed,
                store_empty=not has_passes(conn, name),
            )
            reach("plan.judged")
            plan = replace(
                self.plan,
                status=PlanStatus.READY,
                proof=self.intake.proof,
                counts=counts,
                refusals=dict(self.intake.refusals),
                withheld=tuple(
                    replace(item, ops_hash=hash_of_kind(conn, self.plan.plan_id, item.kind)) for item in withheld
                ),
            )
            finish_plan(conn, plan, now=self.store.now(conn))
        reach("plan.ready")
        return plan

    def _count(self, found: Diff, drafts: Drafts) -> None:
        kinds = Counter(operation.kind for operation in drafts.operations)
        self.creates += kinds[Kind.CREATE]
        self.updates += kinds[Kind.UPDATE]
        self.deletes += kinds[Kind.DELETE]
        self.unchanged += found.unchanged
        self.ignored += drafts.ignored + count_ended(found)

    def _save(self, drafts: Drafts) -> None:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._try_save(drafts)
            except IntegrityError:
                continue  # a single change made the key of one of these members in the same moment; the next look finds it
        return self._try_save(drafts)

    def _try_save(self, drafts: Drafts) -> None:
        operations = drafts.operations
        if not operations:
            return
        name = self.program.program
        ids = [operation.id_hash for operation in operations if operation.record is not None]
        with self.store.begin() as conn:
            hold_building(conn, self.plan.plan_id)
            # a key without a pass: planned before and never applied
            unknown = [id_hash for id_hash in ids if id_hash not in drafts.keys]
            keys = {**drafts.keys, **load_keys(self.store, conn, name, unknown)}
            fresh, rows = new_keys(self.store.keyring, name, [id_hash for id_hash in ids if id_hash not in keys])
            write_rows(conn, member_keys, tuple(member_keys.columns.keys()), [tuple(row.values()) for row in rows])
            keys.update(fresh)
            sealed = [
                None if operation.record is None
                else seal_record(name, operation.id_hash, keys[operation.id_hash], operation.record)
                for operation in operations
            ]  # fmt: skip
            write_operations(conn, self.plan.plan_id, operations, sealed)
        reach("plan.shard_saved")

    def _save_rejections(self, rejections: list[Rejection]) -> None:
        name, plan_id = self.program.program, self.plan.plan_id
        sealed = [seal_rejection(name, plan_id, self.key, rejection) for rejection in rejections]
        with self.store.begin() as conn:
            hold_building(conn, plan_id)
            write_rejections(conn, plan_id, name, rejections, sealed)
