"""A small sound template, member fields and a member, that the tests bend to what they need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import yaml

from passflow.errors import TemplateError
from passflow.model import FieldType, Value
from passflow.template import AppleEnvelope, CompiledTemplate, compile_template, read_template

FIELDS: dict[str, FieldType] = {
    "external_id": "text",
    "given_name": "text",
    "family_name": "text",
    "points": "integer",
    "cents": "integer",
    "balance": "decimal",
    "currency": "text",
    "tier": "text",
    "vip": "boolean",
    "joined": "date",
    "seen_at": "datetime",
    "photo_url": "text",
    "locale": "text",
}
MEMBER: dict[str, Value] = {
    "external_id": "M-1001",
    "given_name": "Zoë",
    "family_name": "Ünal",
    "points": 12345,
    "cents": 1050,
    "balance": Decimal("1234.5"),
    "currency": "EUR",
    "tier": "gold",
    "vip": True,
    "joined": date(2026, 1, 31),
    "seen_at": datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
    "photo_url": "https://img.example/zoe.png",
    "locale": "de-DE",
}
MINIMAL = """
style: generic
organization: Café Aurora
description: Gold Club card
images: {icon: images/icon.png}
"""
ENVELOPE = AppleEnvelope(pass_type="pass.com.example.gold", team="A1B2C3D4E5", serial="S-1")


def design(text: str = "", base: str = MINIMAL, **changes: Any) -> dict[str, Any]:
    """The minimal template with the YAML's keys laid over it."""
    return {**yaml.safe_load(base), **(yaml.safe_load(text) or {}), **changes}


def compiled(text: str = "", fields: Mapping[str, FieldType] = FIELDS, **changes: Any) -> CompiledTemplate:
    return compile_template(read_template(design(text, **changes)), fields)


def problems(text: str = "", fields: Mapping[str, FieldType] = FIELDS, **changes: Any) -> dict[str, str]:
    """Path to `what. fix` of everything that is wrong with a template."""
    try:
        compiled(text, fields, **changes)
    except TemplateError as error:
        assert error.error_code == "template.invalid"
        return {path: f"{what}. {fix}" for path, what, fix in error.problems}
    return {}
