"""The overlay: what flows and links set on a pass beside what the master says.

It lives apart from the member's record, so a night that finds the member unchanged, or changes other fields, leaves it in
place. Every change of it makes a revision, so a plan made on the pass before ends as stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from passflow.errors import ProgramError, StoreError
from passflow.model import EventKind, Kind, Status
from passflow.program import Program
from passflow.store.changes import Change, write_changes
from passflow.store.engine import Store
from passflow.store.keys import load_keys, store_key
from passflow.store.passes import read_rows
from passflow.store.records import open_overlay, open_record, seal_overlay
from passflow.sync.design import load_design
from passflow.sync.draft import operation_id
from passflow.sync.fingerprint import id_hash as hash_id


def set_overlay(program: Program, store: Store, external_id: str, fields: Mapping[str, str | None]) -> int:
    """Lays values over a member's fields and returns the pass's revision; the same values again change nothing.

    Args:
        fields: canonical text by member field; None takes a field's value out of the overlay again.

    Raises:
        ProgramError: a field is not listed under ``flow_fields``.
        StoreError: the member has no live pass, or it was invalidated.
        TemplateError: the template cannot show the value.
    """
    refused = sorted(set(fields) - set(program.flow_fields))
    if refused:
        raise ProgramError(
            f"The field {refused[0]!r} of program {program.program!r} belongs to the master system.",
            fix="List it under `flow_fields` if flows and links may set it.",
            code="overlay.field",
        )
    name = program.program
    id_hash = hash_id(external_id, store_key(store, "hash"), name)
    with store.begin() as conn:
        row = read_rows(conn, name, [id_hash], records=True, lock=True).get(id_hash)
        key = load_keys(store, conn, name, [id_hash]).get(id_hash)
        final = (Status.DELETED, Status.INVALIDATED)
        if row is None or key is None or row.record_sealed is None or row.status in final:
            raise StoreError("The member has no live pass in this program.", code="pass.unknown")
        before = open_overlay(name, id_hash, key, row.overlay_sealed)
        after = {field: text for field, text in {**before, **fields}.items() if text is not None}
        if after == before:
            return row.revision
        design = load_design(conn, row.template_revision)
        values = design.values(open_record(name, id_hash, key, row.record_sealed), after)
        target = hashlib.blake2b(
            row.fingerprint + orjson.dumps(after, option=orjson.OPT_SORT_KEYS), digest_size=16
        ).digest()
        change = Change(
            id_hash=id_hash,
            serial=row.serial,
            is_new=False,
            fingerprint=row.fingerprint,
            content_hash=design.content_hash(values, row.status),
            template_revision=row.template_revision,
            status=row.status,
            origin=row.origin,
            adopted=row.adopted,
            revision=row.revision + 1,
            observed_at=row.observed_at,
            due_at=row.due_at,
            operation_id=operation_id(name, id_hash, Kind.UPDATE, row.revision, (target, row.status, row.due_at)),
            event_number=row.event_number + 1,
            event=EventKind.UPDATED,
            overlay_sealed=seal_overlay(name, id_hash, key, after),
        )
        write_changes(conn, program, [change], now=store.now(conn))
    return row.revision + 1
