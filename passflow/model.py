"""The words of passflow as frozen data: what is read, planned, applied and told.

Times are integers: microseconds since 1970-01-01 UTC, on the store's clock. Hashes and ids are raw bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as hidden_field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

type_names = ("text", "integer", "decimal", "date", "datetime", "boolean")
FieldType = Literal["text", "integer", "decimal", "date", "datetime", "boolean"]
Value = str | int | Decimal | date | datetime | bool | None
Values = Mapping[str, Value]

HASH_BYTES = 16
"""Length of an id hash, a fingerprint, an operation id and an event id."""


class Status(StrEnum):
    """Status of a pass; installation is kept apart, per wallet."""

    ACTIVE = "active"
    REDEEMED = "redeemed"
    VOIDED = "voided"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    DELETED = "deleted"


class Kind(StrEnum):
    """What an operation does to a pass."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Origin(StrEnum):
    """Who caused a pass to exist; only ``source`` passes may be deleted by a reconciliation."""

    SOURCE = "source"
    LINK = "link"
    FLOW = "flow"
    ENROLMENT = "enrolment"


class Outcome(StrEnum):
    """How an operation ended."""

    PENDING = "pending"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    STALE = "stale"
    FAILED = "failed"


class EventKind(StrEnum):
    """A fact of a pass's life."""

    CREATED = "created"
    VIEWED = "viewed"
    INSTALLED = "installed"
    UPDATED = "updated"
    REDEEMED = "redeemed"
    UNINSTALLED = "uninstalled"
    INVALIDATED = "invalidated"
    DELETED = "deleted"


class PlanStatus(StrEnum):
    """Life of a plan: only a ``ready`` plan may be applied, only the newest of a program is ``ready``."""

    BUILDING = "building"
    READY = "ready"
    SUPERSEDED = "superseded"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a finished read says of itself.

    Args:
        complete: every row that the master system holds was read; only then may absences become deletes.
        rows: rows read.
        reason: why the read counts as complete, or what is missing for that.
    """

    complete: bool
    rows: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was refused; it never deletes its member's pass.

    Args:
        row: number of the row in the read, from 1.
        code: a key of ``passflow.sync.codes.ROW_CODES``.
        field: the member field at fault, if one is.
        id_hash: whose row it is, or None where that cannot be told (all deletes are then withheld).
        record: the row as it came, canonical JSON; stored encrypted only.
    """

    row: int
    code: str
    field: str | None
    id_hash: bytes | None
    record: bytes = hidden_field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One create, update or delete of one pass.

    Args:
        op_id: H(program, id hash, kind, base revision, target fingerprint).
        base_revision: the pass's revision the operation was planned on; 0 for a create.
        fingerprint: of the member's fields and the template's revision after the operation.
        status: the pass's status after the operation.
        due_at: when the status changes next without any change at the source, or None.
        changed: names of the member fields whose value changes.
        rings: the keys of pass fields whose change makes a phone show a notification.
        content_hash: of what the pass would show; None where nobody needs it before it is signed.
        record: the member's mapped fields, canonical JSON; stored encrypted only. None for a delete.
    """

    op_id: bytes
    program: str
    id_hash: bytes
    kind: Kind
    base_revision: int
    fingerprint: bytes
    status: Status
    due_at: int | None = None
    changed: tuple[str, ...] = ()
    rings: tuple[str, ...] = ()
    content_hash: bytes | None = None
    record: bytes | None = hidden_field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Withholding:
    """A rule of the guard that holds operations back until somebody approves.

    Args:
        kind: the kind of operation held back.
        rule: stable name, such as ``deletes.share``.
        count: how many operations it holds back.
        limit: the limit in words.
        reason: one sentence for people.
        ops_hash: hash over the ids of the operations held back; an approval is bound to it.
    """

    kind: Kind
    rule: str
    count: int
    limit: str
    reason: str
    ops_hash: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """The sum of a plan."""

    rows: int = 0
    creates: int = 0
    updates: int = 0
    deletes: int = 0
    unchanged: int = 0
    refused: int = 0
    ignored: int = 0
    ringing: int = 0
    phones: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A finished plan: what a reconciliation would do, what it refuses, and the guard's verdict."""

    plan_id: str
    program: str
    status: PlanStatus
    observed_at: int
    template_revision: str
    template_changed: bool
    proof: Proof
    counts: Counts
    refusals: Mapping[str, int]
    withheld: tuple[Withholding, ...]

    @property
    def empty(self) -> bool:
        """True when applying it would change nothing."""
        return not (self.counts.creates or self.counts.updates or self.counts.deletes)
