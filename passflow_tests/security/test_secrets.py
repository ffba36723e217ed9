"""Secrets are references: never echoed, never pickled, never in a log."""

import copy
import json
import logging
import os
import pickle
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from passflow.errors import SecretError
from passflow.security import redaction
from passflow.security.secrets import MAX_BYTES, PATTERN, Secret, SecretRef

LITERALS = [
    "pk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "",
    " env:NAME",
    "env:",
    "env:A\n",
    "env:1NAME",
    "env:NAME WITH SPACE",
    "ENV:NAME",
    "file:",
    "file: /etc/key",
    "https://user:pa55word@example.com/",
    "env:A\nSECOND-LINE-SECRET",
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
]


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    key: SecretRef
    other: SecretRef | None = None


@pytest.fixture(autouse=True)
def _forget():
    redaction.forget()
    yield
    redaction.forget()


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("literal", LITERALS)
def test_a_literal_is_refused_and_not_echoed(literal):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"key": literal})
    (problem,) = caught.value.errors()
    assert problem["loc"] == ("key",)
    assert problem["type"] == "secret_literal"
    assert "env:NAME" in problem["msg"]
    said = str(caught.value) + repr(caught.value) + caught.value.json() + repr(caught.value.errors())
    for word in re.findall(r"[A-Za-z0-9_]{8,}", literal):
        assert word not in said
    with pytest.raises(SecretError) as direct:
        SecretRef(literal)
    assert direct.value.error_code == "secret.literal"
    assert len(literal) < 6 or literal not in str(direct.value)


@pytest.mark.parametrize("value", [12345678, 1.5, True, b"env:NAME", ["env:NAME"], {"env": "x"}])
def test_other_types_are_refused_without_echo(value):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"key": value})
    assert "12345678" not in str(caught.value)


def test_a_literal_in_an_optional_field_keeps_its_place_and_stays_hidden():
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"key": "env:A", "other": "sk_hidden_value"})
    assert caught.value.errors()[0]["loc"][0] == "other"
    assert "sk_hidden_value" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_either_a_reference_or_refused(text):
    try:
        ref = SecretRef(text)
    except SecretError:
        assert not re.fullmatch(PATTERN, text)
    else:
        assert str(ref) == text
        assert text.startswith(("env:", "file:"))


def test_the_json_schema_says_the_same_as_the_validator():
    schema = Settings.model_json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    for literal in LITERALS:
        assert not validator.is_valid({"key": literal}) or "\n" in literal, literal
    assert validator.is_valid({"key": "env:KLAVIYO_API_KEY"})
    assert validator.is_valid({"key": "file:/run/secrets/x"})


def test_a_reference_survives_a_round_trip_through_json():
    settings = Settings.model_validate({"key": "file:keys/a.p8"}, context={"folder": Path("/srv/programs")})
    assert json.loads(settings.model_dump_json()) == {"key": "file:keys/a.p8", "other": None}
    assert settings.key.path == Path("/srv/programs/keys/a.p8")
    assert Settings.model_validate(settings.model_dump()).key == settings.key
    assert hash(settings.key) == hash(SecretRef("file:keys/a.p8"))


def test_an_environment_variable_is_read_when_asked(monkeypatch):
    ref = SecretRef("env:PASSFLOW_TEST_KEY")
    monkeypatch.delenv("PASSFLOW_TEST_KEY", raising=False)
    with pytest.raises(SecretError, match="PASSFLOW_TEST_KEY") as caught:
        ref.reveal()
    assert caught.value.error_code == "secret.missing"
    monkeypatch.setenv("PASSFLOW_TEST_KEY", "first-value")
    assert ref.reveal().value == "first-value"
    monkeypatch.setenv("PASSFLOW_TEST_KEY", "second-value")
    assert ref.reveal().value == "second-value"
    assert ref.reveal({"PASSFLOW_TEST_KEY": "third"}).value == "third"
    monkeypatch.setenv("PASSFLOW_TEST_KEY", "  ")
    with pytest.raises(SecretError, match="empty"):
        ref.reveal()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"token-1", b"token-1"),
        (b"token-1\n", b"token-1"),
        (b"token-1\r\n", b"token-1"),
        (b"token-1\n\n", b"token-1\n"),
        (b"token-1\r", b"token-1\r"),
        (b"\x30\x82\x00\xff", b"\x30\x82\x00\xff"),
    ],
)
def test_a_file_is_read_without_its_last_line_end(tmp_path, content, expected):
    write(tmp_path / "key", content)
    assert SecretRef(f"file:{tmp_path}/key").reveal().data == expected
    assert SecretRef("file:key", tmp_path).reveal().data == expected


def test_missing_wrong_and_huge_files_are_named(tmp_path):
    for ref, code in [
        (SecretRef(f"file:{tmp_path}/none"), "secret.missing"),
        (SecretRef(f"file:{tmp_path}"), "secret.missing"),
        (SecretRef("file:/dev/zero"), "secret.missing"),
        (SecretRef("file:a\x00b"), "secret.missing"),
        (SecretRef("file:" + "x" * 5000), "secret.missing"),
    ]:
        with pytest.raises(SecretError) as caught:
            ref.reveal()
        assert caught.value.error_code in {code, "secret.unreadable"}
        assert str(ref) in str(caught.value)
    write(tmp_path / "huge", b"x" * (MAX_BYTES + 1))
    with pytest.raises(SecretError, match="1 MiB"):
        SecretRef("file:huge", tmp_path).reveal()


def test_a_pipe_does_not_hang_the_program(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SecretError, match="not a file"):
        SecretRef("file:pipe", tmp_path).reveal()


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o600, False), (0o400, False), (0o640, False), (0o644, True), (0o666, True), (0o660, True)]
)
def test_open_permissions_are_warned_of(tmp_path, mode, warned):
    write(tmp_path / "key", b"secret", mode)
    warnings = SecretRef("file:key", tmp_path).warnings()
    assert bool(warnings) is warned
    assert all("chmod 600" in text and "file:key" in text for text in warnings)


def test_no_warning_for_what_is_not_there(tmp_path):
    assert SecretRef("env:ANY").warnings() == ()
    assert SecretRef("file:none", tmp_path).warnings() == ()


def test_a_secret_shows_nothing_by_accident():
    secret = Secret(b"hunter2-hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{secret:>40}", "%s" % secret, format(secret, "x")]  # noqa: UP031 - the operator is under test
    assert all("hunter2" not in text for text in shown)
    assert repr({"a": [secret]}) == "{'a': [Secret()]}"
    assert "hunter2" not in str(vars(type(secret)))
    assert not hasattr(secret, "__dict__")
    for forbidden in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            forbidden(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.value == "hunter2-hunter2"


def test_bytes_that_are_no_text_are_not_quoted(tmp_path):
    with pytest.raises(SecretError) as caught:
        Secret(b"\xff\xfeabc", "file:key").value
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "file:key" in str(caught.value)
    assert "abc" not in str(caught.value)


def test_what_was_revealed_is_known_to_the_redaction(caplog):
    SecretRef("env:TOKEN").reveal({"TOKEN": "tok_8Zk3vQ"})
    assert redaction.redact("Bearer tok_8Zk3vQ") == "Bearer [secret]"
    logging.getLogger("x").info("nothing")
