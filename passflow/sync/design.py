"""A design: everything that decides what a pass shows, under one revision.

Saved in the store with the first plan that uses it, so that a pass is rendered with what it was planned with, also after
the program file has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, select

from passflow.errors import StoreError
from passflow.model import FieldType, Status, Value, Values
from passflow.store.bulk import write_rows
from passflow.store.records import Record
from passflow.store.tables import templates
from passflow.sync.lifecycle import Lifecycle
from passflow.sync.mapping import decode
from passflow.template import AppleEnvelope, CompiledTemplate, Template, compile_template, render_apple

FORMAT = 1
"""Version of the document; a new one makes a new revision of every design."""


@dataclass(frozen=True)
class Design:
    """A compiled template with what else decides what its passes show.

    Args:
        revision: SHA-256 of the document, in hex.
        fields: name and type of every mapped member field.
        images: SHA-256 of the original of each shared image, by its name in the template.
    """

    revision: str
    document: str = field(repr=False)
    compiled: CompiledTemplate
    lifecycle: Lifecycle
    fields: Mapping[str, FieldType]
    images: Mapping[str, str]

    def values(self, record: Record, overlay: Record | None = None) -> dict[str, Value]:
        """A record's canonical texts as values, the overlay laid over them."""
        return decode({**record, **(overlay or {})}, self.fields)

    def content_hash(self, values: Values, status: Status) -> bytes:
        """Hash of what a pass shows, 16 bytes: equal hashes need no new revision and no push."""
        shown = render_apple(self.compiled, values, AppleEnvelope("pass", "TEAM", "serial", status=status))
        digest = hashlib.blake2b(digest_size=16)
        digest.update(orjson.dumps([shown, self.images], option=orjson.OPT_SORT_KEYS))
        return digest.digest()


def make_design(
    template: Template, fields: Mapping[str, FieldType], lifecycle: Lifecycle, images: Mapping[str, str]
) -> Design:
    """Compiles a design.

    Raises:
        TemplateError: the template breaks a rule.
    """
    document = orjson.dumps(
        {
            "format": FORMAT,
            "template": template.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "fields": dict(fields),
            "lifecycle": lifecycle.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "images": dict(images),
        },
        option=orjson.OPT_SORT_KEYS,
    )
    return _design(document.decode(), template, fields, lifecycle, images)


def save_design(conn: Connection, program: str, design: Design, now: int) -> None:
    """Keeps a design, once."""
    row = (design.revision, program, design.document, now)
    write_rows(conn, templates, ("revision", "program", "document", "created_at"), [row], on_conflict="ignore")


def load_design(conn: Connection, revision: str) -> Design:
    """A saved design.

    Raises:
        StoreError: it was never saved.
    """
    text = conn.execute(select(templates.c.document).where(templates.c.revision == revision)).scalar()
    if text is None:
        raise StoreError(f"The store lacks template revision {revision[:12]}.", code="store.template_missing")
    document: dict[str, Any] = orjson.loads(text)
    template = Template.model_validate(document["template"])
    lifecycle = Lifecycle.model_validate(document["lifecycle"])
    return _design(text, template, document["fields"], lifecycle, document["images"])


def _design(
    document: str,
    template: Template,
    fields: Mapping[str, FieldType],
    lifecycle: Lifecycle,
    images: Mapping[str, str],
) -> Design:
    return Design(
        revision=hashlib.sha256(document.encode()).hexdigest(),
        document=document,
        compiled=compile_template(template, fields),
        lifecycle=lifecycle,
        fields=dict(fields),
        images=dict(images),
    )
