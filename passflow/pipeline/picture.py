"""The picture of a pass: the program's design with invented values, never a person's."""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from passflow.model import FieldType, Value
from passflow.pipeline.lineage import slots_of
from passflow.pipeline.metadata import PreviewMetadata
from passflow.program import Program

if TYPE_CHECKING:
    from passflow.store.engine import Store

SCALE = 1.5
"""Pixels to the point: sharp enough for the UI, and small in Dagster's event log."""

INVENTED: Mapping[str, Value] = {
    "external_id": "000417",
    "given_name": "Zoë",
    "family_name": "Adler",
    "display_name": "Zoë Adler",
    "email": "zoe.adler@example.com",
    "phone": "+49 30 5550100",
    "points": Decimal(1250),
    "balance": Decimal("42.50"),
    "currency": "EUR",
    "tier": "gold",
    "locale": "en",
}
_BY_TYPE: Mapping[FieldType, Value] = {
    "text": "Sample",
    "integer": 1250,
    "decimal": Decimal("42.50"),
    "date": date(2035, 12, 31),
    "datetime": datetime(2035, 12, 31, 19, 30, tzinfo=UTC),
    "boolean": True,
}


def specimen(program: Program) -> dict[str, Value]:
    """An invented member of a program; a field with a table takes the first value the table knows."""
    listed = dict(_listed_values(program))
    return {name: _invent(name, kind, program, listed) for name, kind in program.members.fields.items()}


def preview_metadata(program: Program, store: "Store", revision: str) -> PreviewMetadata:
    """The picture of the design under one template revision.

    Args:
        program: the program.
        store: where the design and its images are kept.
        revision: the template revision of a saved plan.
    """
    picture = base64.b64encode(_draw(program, store, revision)).decode()
    return PreviewMetadata(
        preview=dg.MetadataValue.md(f"![A pass with invented values](data:image/png;base64,{picture})")
    )


def _draw(program: Program, store: "Store", revision: str) -> bytes:
    from passflow.files import open_files
    from passflow.sync.design import load_design
    from passflow.template import AppleEnvelope, render_apple
    from passflow.template.preview import preview_png

    with store.read() as conn:
        design = load_design(conn, revision)
    names: dict[str, Any] = {"pass_type": "pass.specimen", "team": "SPECIMEN", "serial": "specimen"}
    envelope = AppleEnvelope(**names, status="active")
    shown = render_apple(design.compiled, specimen(program), envelope)
    images = open_files(store, design).shared()
    return preview_png(shown, images, language=program.template.locale, scale=SCALE)


def _invent(name: str, kind: FieldType, program: Program, listed: Mapping[str, str]) -> Value:
    field = program.members.by_name[name]
    if name in listed and kind == "text":
        return listed[name]
    if field.value is not None and kind == "text":
        return field.value
    if field.table and kind == "text":
        return next(iter(field.table.values()))
    known = INVENTED.get(name)
    if known is not None and kind in ("text", "decimal"):
        return known
    return _BY_TYPE[kind]


def _listed_values(program: Program) -> Iterator[tuple[str, str]]:
    """Member fields that are shown by way of a lookup table, with a value the table lists."""
    for slot in slots_of(program):
        keys = [key for key in program.template.lookups.get(slot.argument, ()) if key != "*"]
        if slot.kind == "lookup" and keys:
            yield slot.field, keys[0]
