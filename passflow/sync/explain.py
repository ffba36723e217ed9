"""Explaining a plan to people: what changes on which pass, what rings, what is new, what was refused.

It reads the saved operations that apply will execute, so that what is shown cannot differ from what is done. Values of
people are masked unless they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from passflow.model import Kind, Outcome, Plan, Rejection, Status
from passflow.program import Program
from passflow.security.encryption import DataKey
from passflow.security.redaction import mask
from passflow.store.engine import Store
from passflow.store.keys import load_keys
from passflow.store.passes import PassRow, read_rows
from passflow.store.plans import Saved, count_outcomes, load_plan, read_operations
from passflow.store.records import Record, open_overlay, open_record
from passflow.store.rejections import read_rejections
from passflow.sync.design import Design, load_design
from passflow.sync.records import decode_record
from passflow.template import render_fields


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a pass, before and after; None where it is not shown."""

    key: str
    old: str | None
    new: str | None
    rings: bool


@dataclass(frozen=True, slots=True)
class ExplainedOperation:
    """One operation as people read it.

    Args:
        external_id: the member's, masked unless asked for.
        serial: of the pass, or None where it is assigned on issue.
        status_before: status of the pass now, or None where there is none.
        silent: member fields that change without showing on the pass.
        withheld: the guard's rule that holds it back, or None.
    """

    kind: Kind
    external_id: str
    serial: str | None
    status_before: Status | None
    status_after: Status
    changes: tuple[FieldChange, ...]
    silent: tuple[str, ...]
    withheld: str | None
    outcome: Outcome
    code: str | None

    @property
    def rings(self) -> bool:
        """Whether a phone shows a notification for it."""
        return any(change.rings for change in self.changes)

    @property
    def billable(self) -> bool:
        """Whether it issues a pass."""
        return self.kind is Kind.CREATE


@dataclass(frozen=True, slots=True)
class ExplainedRefusal:
    """One refused row as people read it; the value of the field at fault is masked unless asked for."""

    row: int
    code: str
    field: str | None
    value: str | None
    external_id: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan as people read it: some of its operations and refusals, and how many were left out."""

    plan: Plan
    operations: tuple[ExplainedOperation, ...]
    operations_cut: dict[Kind, int]
    refusals: tuple[ExplainedRefusal, ...]
    refusals_cut: int


def explain(
    program: Program,
    store: Store,
    plan_id: str,
    *,
    kinds: Iterable[Kind] | None = None,
    limit: int = 20,
    show_values: bool = False,
) -> Explanation:
    """Explains a saved plan without changing anything.

    Args:
        kinds: only these kinds of operations.
        limit: at most so many operations of each kind, and so many refusals.
        show_values: show people's values instead of masks.

    Raises:
        PlanError: there is no such plan.
        CryptoError: this process does not hold the members' master key.
    """
    hide: Callable[[str | None], str] = (lambda value: value or "") if show_values else mask
    with store.read() as conn:
        plan = load_plan(conn, plan_id)
        design = load_design(conn, plan.template_revision)
        explained: list[ExplainedOperation] = []
        cut: dict[Kind, int] = {}
        totals = count_outcomes(conn, plan_id)
        for kind in kinds or Kind:
            saved = read_operations(conn, plan_id, kinds=[kind], limit=limit)
            explained += _explain_operations(conn, program, store, design, saved, hide)
            cut[kind] = sum(n for (each, _, _), n in totals.items() if each is kind) - len(saved)
        refusals = tuple(
            _explain_refusal(program, item, hide) for item in read_rejections(conn, store, plan_id, limit=limit)
        )
    return Explanation(plan, tuple(explained), cut, refusals, plan.counts.refused - len(refusals))


def _explain_operations(
    conn: Connection,
    program: Program,
    store: Store,
    design: Design,
    saved: list[Saved],
    hide: Callable[[str | None], str],
) -> list[ExplainedOperation]:
    ids = [item.operation.id_hash for item in saved]
    rows = read_rows(conn, program.program, ids, records=True)
    keys = load_keys(store, conn, program.program, ids)
    found = []
    for item in saved:
        operation = item.operation
        row = rows.get(operation.id_hash)
        old = _record(program, row, keys)
        new = _planned(program, item, keys) if item.record_sealed else old
        overlay = _overlay(program, row, keys)
        changes = _changes(design, old if row else {}, {} if operation.kind is Kind.DELETE else new, overlay)
        ringing = set(operation.rings)
        shown = tuple(
            FieldChange(key, old_text and hide(old_text), new_text and hide(new_text), key in ringing)
            for key, old_text, new_text in changes
        )
        found.append(
            ExplainedOperation(
                kind=operation.kind,
                external_id=hide((new or old).get("external_id")),
                serial=row.serial if row else None,
                status_before=row.status if row else None,
                status_after=operation.status,
                changes=shown if operation.kind is Kind.UPDATE else (),
                silent=operation.changed if operation.kind is Kind.UPDATE and not changes else (),
                withheld=item.withheld,
                outcome=item.outcome,
                code=item.code,
            )
        )
    return found


def _changes(design: Design, old: Record, new: Record, overlay: Record) -> list[tuple[str, str | None, str | None]]:
    before = render_fields(design.compiled, design.values(old, overlay))
    after = render_fields(design.compiled, design.values(new, overlay))
    keys = dict.fromkeys([*before, *after])
    return [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def _record(program: Program, row: PassRow | None, keys: dict[bytes, DataKey]) -> Record:
    if row is None or row.record_sealed is None or row.id_hash not in keys:
        return {}
    return open_record(program.program, row.id_hash, keys[row.id_hash], row.record_sealed)


def _planned(program: Program, item: Saved, keys: dict[bytes, DataKey]) -> Record:
    id_hash = item.operation.id_hash
    if item.record_sealed is None or id_hash not in keys:
        return {}
    return open_record(program.program, id_hash, keys[id_hash], item.record_sealed)


def _overlay(program: Program, row: PassRow | None, keys: dict[bytes, DataKey]) -> Record:
    if row is None or row.id_hash not in keys:
        return {}
    return open_overlay(program.program, row.id_hash, keys[row.id_hash], row.overlay_sealed)


def _explain_refusal(program: Program, rejection: Rejection, hide: Callable[[str | None], str]) -> ExplainedRefusal:
    record = decode_record(rejection.record)

    def read(name: str) -> str | None:
        """A field of a refused row: rows refused while they were read still have the source's own columns."""
        field = program.members.by_name.get(name)
        return record.get(name) if name in record or field is None else record.get(field.column or "")

    value = read(rejection.field) if rejection.field else None
    return ExplainedRefusal(
        row=rejection.row,
        code=rejection.code,
        field=rejection.field,
        value=None if value is None else hide(value),
        external_id=hide(read("external_id")),
    )
