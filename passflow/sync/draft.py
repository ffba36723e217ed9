"""Drafting operations: what each difference would do to its pass."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from passflow.errors import SourceError, TemplateError
from passflow.model import Kind, Operation, Rejection, Status, Values
from passflow.security.encryption import DataKey
from passflow.store.engine import Store
from passflow.store.keys import load_keys
from passflow.store.passes import PassRow, read_rows
from passflow.store.records import Record, open_overlay, open_record
from passflow.sync.design import Design
from passflow.sync.lifecycle import OnMissing, evaluate
from passflow.sync.mapping import encode_record
from passflow.sync.settle import NOTHING
from passflow.template import ringing_fields


@dataclass(frozen=True, slots=True)
class Seen:
    """A member as the source shows it now."""

    row: int
    id_hash: bytes
    fingerprint: bytes
    record: Record = field(repr=False)


@dataclass
class Drafts:
    """Operations of one shard, and what was counted on the way."""

    operations: list[Operation] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    ignored: int = 0
    """Members that the source shows as ended and that have no pass."""
    keys: dict[bytes, DataKey] = field(default_factory=dict, repr=False)
    """Keys of the members that have a pass, by id hash."""


@dataclass(frozen=True)
class Drafter:
    """Drafts the operations of one program at one moment.

    Args:
        design: what passes are rendered with from now on.
        now: the store's clock; lifecycle dates are judged against it.
    """

    program: str
    design: Design
    store: Store
    now: int

    def draft(
        self,
        conn: Connection,
        *,
        seen: Sequence[Seen],
        missing: Sequence[bytes] = (),
        abandoned: Sequence[bytes] = (),
        due: Sequence[bytes] = (),
    ) -> Drafts:
        """Drafts one shard.

        Args:
            conn: an open read of the store.
            seen: members that are new, changed, or unchanged with a date that fell due.
            missing: passes whose member the source did not show, although it was read to its end.
            abandoned: passes that the source never showed and that the program's policy ends.
            due: passes with a date that fell due whose member the source did not show, or showed in a refused row.
        """
        rows = read_rows(
            conn, self.program, [*(item.id_hash for item in seen), *missing, *abandoned, *due], records=True
        )
        keys = load_keys(self.store, conn, self.program, sorted(rows))
        drafts = Drafts(keys=keys)
        for item in seen:
            self._draft_seen(drafts, item, rows.get(item.id_hash), keys)
        for id_hash in missing:
            self._draft_missing(drafts, rows[id_hash], keys, self.design.lifecycle.on_missing)
        for id_hash in abandoned:
            self._draft_missing(drafts, rows[id_hash], keys, "delete")
        for id_hash in due:
            self._draft_due(drafts, rows[id_hash], keys)
        drafts.operations.sort(key=lambda operation: operation.id_hash)
        return drafts

    def _draft_seen(self, drafts: Drafts, item: Seen, row: PassRow | None, keys: Mapping[bytes, DataKey]) -> None:
        overlay = self._overlay(row, keys)
        values = self.design.values(item.record, overlay)
        try:
            status, due_at = evaluate(self.design.lifecycle, values, self.now)
            content = None if status is Status.DELETED else self.design.content_hash(values, status)
        except SourceError as error:
            drafts.rejections.append(_reject(item, error.error_code, "status"))
            return
        except TemplateError:
            drafts.rejections.append(_reject(item, "value.not_shown", None))
            return
        live = row is not None and row.status is not Status.DELETED
        if status is Status.DELETED and not live:
            drafts.ignored += 1
            return
        kind = Kind.DELETE if status is Status.DELETED else Kind.UPDATE if live else Kind.CREATE
        old = self._record(row, keys)
        changed = tuple(name for name in item.record if live and item.record[name] != old.get(name))
        drafts.operations.append(
            Operation(
                op_id=operation_id(
                    self.program, item.id_hash, kind, row.revision if row else 0, (item.fingerprint, status, due_at)
                ),
                program=self.program,
                id_hash=item.id_hash,
                kind=kind,
                base_revision=row.revision if row else 0,
                fingerprint=item.fingerprint,
                status=status,
                due_at=due_at,
                changed=changed,
                rings=self._rings(old, overlay, values) if live else (),
                content_hash=content,
                record=encode_record(item.record),
            )
        )

    def _draft_missing(self, drafts: Drafts, row: PassRow, keys: Mapping[bytes, DataKey], ending: OnMissing) -> None:
        if ending == "keep":
            return
        status = {"delete": Status.DELETED, "void": Status.VOIDED, "expire": Status.EXPIRED}[ending]
        if row.status is status:
            return
        # voiding or expiring at once what vanished from a broken export does the same harm as deleting it: same guard
        content = None
        if status is not Status.DELETED:
            content = self.design.content_hash(
                self.design.values(self._record(row, keys), self._overlay(row, keys)), status
            )
        drafts.operations.append(
            Operation(
                op_id=operation_id(self.program, row.id_hash, Kind.DELETE, row.revision, (NOTHING, status, None)),
                program=self.program,
                id_hash=row.id_hash,
                kind=Kind.DELETE,
                base_revision=row.revision,
                fingerprint=NOTHING,
                status=status,
                content_hash=content,
            )
        )

    def _draft_due(self, drafts: Drafts, row: PassRow, keys: Mapping[bytes, DataKey]) -> None:
        values = self.design.values(self._record(row, keys), self._overlay(row, keys))
        status, due_at = evaluate(self.design.lifecycle, values, self.now)
        kind = Kind.DELETE if status is Status.DELETED else Kind.UPDATE
        drafts.operations.append(
            Operation(
                op_id=operation_id(self.program, row.id_hash, kind, row.revision, (row.fingerprint, status, due_at)),
                program=self.program,
                id_hash=row.id_hash,
                kind=kind,
                base_revision=row.revision,
                fingerprint=row.fingerprint,
                status=status,
                due_at=due_at,
                content_hash=None if kind is Kind.DELETE else self.design.content_hash(values, status),
            )
        )

    def _record(self, row: PassRow | None, keys: Mapping[bytes, DataKey]) -> Record:
        if row is None or row.record_sealed is None or row.id_hash not in keys:
            return {}
        return open_record(self.program, row.id_hash, keys[row.id_hash], row.record_sealed)

    def _overlay(self, row: PassRow | None, keys: Mapping[bytes, DataKey]) -> Record:
        if row is None or row.id_hash not in keys:
            return {}
        return open_overlay(self.program, row.id_hash, keys[row.id_hash], row.overlay_sealed)

    def _rings(self, old: Record, overlay: Record, values: Values) -> tuple[str, ...]:
        return tuple(ringing_fields(self.design.compiled, self.design.values(old, overlay), values))


def _reject(item: Seen, code: str, field: str | None) -> Rejection:
    return Rejection(item.row, code, field, item.id_hash, encode_record(item.record))


def operation_id(
    program: str,
    id_hash: bytes,
    kind: Kind,
    base_revision: int,
    target: tuple[bytes, Status, int | None],
) -> bytes:
    """Id of an operation, 16 bytes: the same change planned twice on the same base has the same id.

    Args:
        base_revision: of the pass; 0 where there is none.
        target: fingerprint, status and due date after it; time alone may change the last two.
    """
    fingerprint, status, due_at = target
    digest = hashlib.blake2b(digest_size=16)
    state = fingerprint + status.value.encode() + (due_at or 0).to_bytes(8, "big", signed=True)
    for part in (program.encode(), id_hash, kind.value.encode(), base_revision.to_bytes(8, "big"), state):
        digest.update(len(part).to_bytes(2, "big") + part)
    return digest.digest()
