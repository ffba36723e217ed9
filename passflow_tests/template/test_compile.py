"""Reading a template, its revision, its schema, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import TemplateError
from passflow.template import Template, compile_template, read_template, render_apple
from passflow_tests.template.designs import ENVELOPE, FIELDS, MEMBER, MINIMAL, compiled, design
from passflow_tests.template.test_apple import STORE_CARD


def revision(text: str = "", fields: dict[str, Any] = FIELDS, asset: str = "", **changes: Any) -> str:
    return compile_template(read_template(design(text, **changes)), fields, asset=asset).revision


def test_the_revision_is_the_same_in_another_process_and_order() -> None:
    script = (
        "import json, sys; from passflow.template import *; data, fields = json.load(sys.stdin); "
        "print(compile_template(read_template(data), fields).revision)"
    )
    data = design(STORE_CARD.replace("2026-05-01T20:00:00+02:00", "'2026-05-01T20:00:00+02:00'"))
    text = json.dumps([dict(reversed(data.items())), dict(reversed(FIELDS.items()))], default=str)
    made = subprocess.run([sys.executable, "-c", script], input=text, capture_output=True, text=True, check=True)
    assert made.stdout.strip() == revision("", **data)
    assert len(made.stdout.strip()) == 64


def test_the_revision_covers_what_shows_and_nothing_else() -> None:
    first = revision("header: [{key: a, value: '{points}'}]")
    assert revision("header: [{key: a, value: '{points}'}]", sharing=True) == first  # the default, written out
    assert revision("header: [{key: a, value: '{points}'}]", {**FIELDS, "unused": "text"}) == first
    others = {
        revision("header: [{key: a, value: '{points:,}'}]"),
        revision("header: [{key: a, value: '{points}'}]", {**FIELDS, "points": "decimal"}),
        revision("header: [{key: a, value: '{points}'}]", asset="00ff"),
        revision("header: [{key: a, value: '{points}'}]", images={"icon": "other.png"}),
        revision("header: [{key: a, value: '{points}'}]", {k: v for k, v in FIELDS.items() if k != "locale"}),
        revision("header: [{key: a, value: '{points}'}]", overrides={"google": {"x": 1}}),
        revision("header: [{key: a, value: '{points}'}]", locale="de"),
    }
    assert len(others) == 7 and first not in others


BAD = [
    ("style: storecard", "template.style", "storeCard"),
    ("organizaton: x", "template.organizaton", "`organization`"),
    ("header: [{key: a, vlue: x, value: y}]", "template.header[0].vlue", "`value`"),
    ("header: [{key: a}]", "template.header[0].value", "missing"),
    ("header: [{key: 'a b', value: x}]", "template.header[0].key", "pattern"),
    ("header: [{key: a, value: 1.10}]", "template.header[0].value", "string"),
    ("header: [{key: a, value: x, date_style: huge}]", "template.header[0].date_style", "medium"),
    ("header: [{key: a, value: x, when_empty: hide}]", "template.header[0].when_empty", "omit"),
    ("header: [{key: a, value: {english: x}}]", "template.header[0].value.english", "pattern"),
    ("header: [{key: a, value: {}}]", "template.header[0].value", "at least one"),
    ("header: [{key: a, value: \"a\\0b\"}]", "template.header[0].value", "control character"),
    ("header: [{key: a, value: {pt-BR: x, pt_br: y}}]", "template.header[0].value", "twice"),
    ("barcodes: [{format: qrcode, message: x}]", "template.barcodes[0].format", "qr"),
    ("images: {icon: i.png, lgoo: x}", "template.images.lgoo", "pattern"),
    ("nfc: {message: x}", "template.nfc.public_key", "missing"),
    ("transit: rocket", "template.transit", "air"),
    ("colors: {backgroud: x}", "template.colors.backgroud", "`background`"),
    ("overrides: {aple: {}}", "template.overrides.aple", "`apple`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "hint"), BAD)
def test_a_wrong_key_or_type_is_named_with_its_path(text: str, path: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        read_template(design(text))
    found = {where: f"{what}. {fix}" for where, what, fix in caught.value.problems}
    assert any(where.startswith(path) and hint in message for where, message in found.items()), found


def test_yaml_words_are_what_their_author_meant() -> None:
    template = read_template(
        design("logo_text: {no: Hei, en: Hi}\nheader: [{key: a, value: 2026}]\nexpires: 2026-12-31")
    )
    assert template.logo_text == {"no": "Hei", "en": "Hi"}
    assert template.header[0].value == "2026"
    assert template.expires == "2026-12-31"


def test_the_schema_is_complete_and_agrees_with_the_model() -> None:
    schema = Template.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, model in {"Template": schema, **schema["$defs"]}.items():
        assert model["additionalProperties"] is False, name
        for key, value in model["properties"].items():
            assert value.get("description") or "$ref" in value, f"{name}.{key}"
    validator = jsonschema.Draft202012Validator(schema)
    data = json.loads(json.dumps(design(STORE_CARD), default=str))
    assert list(validator.iter_errors(data)) == []
    assert list(validator.iter_errors({**data, "style": "x", "organizaton": "y"}))


def test_the_template_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_template(design()).locale = "de"  # type: ignore[misc]  # what the test is about


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet="{}pointser:,()a", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*Template.model_fields])


@given(st.dictionaries(KEYS, JSON, max_size=3))
def test_any_data_is_a_template_or_refused(data: dict[str, Any]) -> None:
    try:
        compile_template(read_template({**yaml.safe_load(MINIMAL), **data}), FIELDS)
    except TemplateError as error:
        assert all(path.startswith("template") and what and fix for path, what, fix in error.problems)


@given(JSON)
def test_any_override_is_merged_or_refused(data: Any) -> None:
    for patch in ({"generic": data}, {"barcodes": data}, {"nfc": data}, {"locations": data, "beacons": data},
                  {"relevantDates": [data]}, {"preferredStyleSchemes": data}, {"generic": {"headerFields": [data]}},
                  {"semantics": data, "userInfo": data, "featuredActions": data}):  # fmt: skip
        try:
            made = compiled("", overrides={"apple": patch})
        except TemplateError:
            continue
        json.dumps(render_apple(made, MEMBER, ENVELOPE))


def test_importing_costs_nothing_heavy() -> None:
    script = "import sys, passflow.template; print([m for m in ('babel', 'cryptography', 'PIL', 'polars', 'dagster') if m in sys.modules])"
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
