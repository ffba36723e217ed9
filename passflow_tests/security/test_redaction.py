"""Masks never give a value back; logs never hold a secret that was read."""

import base64
import io
import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.security import redaction
from passflow.security.redaction import RedactingFilter, mask, protect, redact, remember

TOKEN = 'canary/7f+3a="ü\\x&y'


@pytest.fixture(autouse=True)
def _forget():
    redaction.forget()
    yield
    redaction.forget()


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(note)s", defaults={"note": ""}))
    logger = logging.getLogger("passflow.test_redaction.child")
    logger.propagate = False
    logger.addHandler(handler)
    protect(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("anna@example.com", "a…a@e…com"),
        ("annabella.long@example.com", "a…g@e…com"),
        ("bo@example.co.uk", "…@e…uk"),
        ("a@b.de", "…@b…de"),
        ("root@localhost", "r…t@…"),
        ("x@secretsecretsecret", "…@…"),
        ("Anna Schmidt", "A…t"),
        ("Anna", "…"),
        ("Bo", "…"),
        ("", "…"),
        ("   ", "…"),
        ("+491701234567", "+…7"),
        (42, "…"),
        (True, "…"),
        (None, "∅"),
        ("@handle", "@…e"),
        ("a@b@c@d", "a…d"),
    ],
)
def test_masks(value, expected):
    assert mask(value) == expected


@given(st.text(max_size=60))
def test_a_mask_has_one_length_and_shows_at_most_a_third(text):
    masked = mask(text)
    if "@" in text:
        return
    assert masked == "…" or len(masked) == 3
    shown = masked.replace("…", "")
    assert len(shown) * 3 <= max(len(text.strip()), 0) or not shown


@given(st.emails())
def test_a_masked_address_never_holds_its_local_part(address):
    local, domain = address.rsplit("@", 1)
    masked = mask(address)
    assert address not in masked
    assert len(masked) <= 14
    if len(local) >= 2:
        assert local + "@" not in masked
    assert domain not in masked


def test_all_spellings_of_a_secret_go():
    remember(TOKEN)
    spellings = [
        TOKEN,
        quote(TOKEN, safe=""),
        json.dumps({"key": TOKEN}),
        repr([TOKEN]),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
    ]
    for spelling in spellings:
        assert "canary" not in redact(f"before {spelling} after")
        assert "Y2FuYXJ5" not in redact(spelling)
        assert redact(f"before {spelling} after").startswith("before ")


def test_a_secret_inside_another_leaves_no_remainder():
    remember("abcdefgh")
    remember("abcdefgh-and-the-rest")
    assert redact("x abcdefgh-and-the-rest y") == "x [secret] y"


def test_short_values_do_not_eat_the_log():
    remember("no")
    remember("")
    assert redact("no, nothing") == "no, nothing"


def test_a_key_is_dropped_line_by_line():
    lines = ["MIIEvQIBADANBgkqhkiG9w0B", "AQEFAASCBKcwggSjAgEAAoIB"]
    remember("-----BEGIN PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END PRIVATE KEY-----\n")
    assert redact("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    for line in lines:
        assert redact(f"| {line}") == "| [secret]"


def test_log_message_arguments_and_extras(log):
    logger, stream = log
    remember(TOKEN)
    logger.warning("sent %s to %s", TOKEN, "example.com")
    logger.warning("dict %s", {"authorization": TOKEN})
    logger.warning(TOKEN)
    logger.warning("extra", extra={"note": TOKEN})
    logger.warning("%d items", 3)
    assert "canary" not in stream.getvalue()
    assert "to example.com" in stream.getvalue()
    assert "3 items" in stream.getvalue()


def test_log_traceback(log):
    logger, stream = log
    remember(TOKEN)
    try:
        raise ValueError(f"bad key {TOKEN}")
    except ValueError:
        logger.exception("failed")
    assert "canary" not in stream.getvalue()
    assert "ValueError: bad key [secret]" in stream.getvalue()
    assert "Traceback" in stream.getvalue()


def test_a_malformed_log_call_is_not_lost_and_shows_no_arguments(log, capsys):
    logger, stream = log
    remember(TOKEN)
    logger.warning("one %s", TOKEN, TOKEN)  # noqa: PLE1205 - the mistake under test
    assert "arguments do not fit" in stream.getvalue()
    assert "canary" not in stream.getvalue() + capsys.readouterr().err


def test_protect_twice_puts_one_filter(log):
    logger, _ = log
    handler = next(known for known in logger.handlers if type(known) is logging.StreamHandler)
    protect(handler)
    protect(handler)
    assert sum(isinstance(known, RedactingFilter) for known in handler.filters) == 1
    root = logging.getLogger()
    probe = logging.NullHandler()
    root.addHandler(probe)
    try:
        protect()
        assert any(isinstance(known, RedactingFilter) for known in probe.filters)
    finally:
        for known in root.handlers:
            known.filters = [f for f in known.filters if not isinstance(f, RedactingFilter)]
        root.removeHandler(probe)


def test_nothing_known_changes_nothing(log):
    logger, stream = log
    logger.warning("plain %s", "text")
    assert stream.getvalue().strip().endswith("plain text")
