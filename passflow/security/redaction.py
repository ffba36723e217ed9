"""Redaction: personal data masked where people read plans, secrets dropped where machines write logs."""

from __future__ import annotations

import base64
import json
import logging
import threading
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "…"
REDACTED: Final = "[secret]"
MIN_SECRET: Final = 6
"""Shorter values would erase ordinary words from every log line, and are no secrets."""

_SHOWN_FROM: Final = 6
"""Two characters of at most a third of a value may show."""

_known: set[str] = set()
_ordered: tuple[str, ...] = ()
_lock = threading.Lock()


def mask(value: object) -> str:
    """A stand-in for a personal value that lets two different people be told apart, no more.

    Text keeps its first and last character from six characters on; an address keeps its shape (``a…a@e…com``).
    The mask has the same length whatever the value's was. None stays visible as ``∅``, because empty says nothing.
    """
    if value is None:
        return "∅"
    if not isinstance(value, str):
        return MASK
    text = value.strip()
    if text.count("@") == 1 and not text.startswith("@"):
        local, domain = text.split("@")
        host, _, top = domain.rpartition(".")
        if host and top.isalpha() and len(top) <= _SHOWN_FROM:
            return f"{_mask_text(local, 4)}@{host[0]}{MASK}{top}"
        return f"{_mask_text(local, 4)}@{MASK}"
    return _mask_text(text, _SHOWN_FROM)


def _mask_text(text: str, shown_from: int) -> str:
    if len(text) < shown_from or not (text[0].isprintable() and text[-1].isprintable()):
        return MASK
    return f"{text[0]}{MASK}{text[-1]}"


def remember(secret: bytes | str) -> None:
    """Adds one secret to what ``redact`` drops, in the spellings in which it may travel (URL, JSON, Base64)."""
    global _ordered  # noqa: PLW0603 - one list per process: any handler may print any secret that was read
    raw = secret.encode("utf-8", "surrogateescape") if isinstance(secret, str) else secret
    text = raw.decode("utf-8", "replace").strip()
    encoded = base64.b64encode(raw).decode()
    lines = [line.strip() for line in text.splitlines()] if "\n" in text else []
    spellings = {text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1], repr(text)[1:-1], encoded}
    spellings |= {base64.urlsafe_b64encode(raw).decode(), encoded.rstrip("=")}
    # a PEM key may be printed line by line; its frame is no secret
    spellings |= {line for line in lines if len(line) >= 16 and not line.startswith("-----")}
    with _lock:
        _known.update(spelling for spelling in spellings if len(spelling) >= MIN_SECRET)
        # the longest first, so that a secret containing another one goes as a whole
        _ordered = tuple(sorted(_known, key=lambda known: (-len(known), known)))


def forget() -> None:
    """Empties what ``redact`` knows; for tests and for processes that drop their secrets."""
    global _ordered  # noqa: PLW0603 - see remember
    with _lock:
        _known.clear()
        _ordered = ()


def redact(text: str) -> str:
    """The text with every secret that was read replaced by ``[secret]``."""
    for known in _ordered:
        if known in text:
            text = text.replace(known, REDACTED)
    return text


class RedactingFilter(logging.Filter):
    """Drops known secrets from a record: message, arguments, traceback, and what ``extra=`` added.

    Put it on handlers: a filter on a logger does not see what its children log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place and always lets it pass."""
        if not _ordered:
            return True
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # a call with the wrong number of arguments; logging would print them raw to stderr
            message = f"{record.msg} (arguments do not fit)"
        record.msg, record.args = redact(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        for name, value in record.__dict__.items():
            if isinstance(value, str):
                setattr(record, name, redact(value))
        return True


def protect(*handlers: logging.Handler) -> None:
    """Puts the filter on these handlers, or on all of the root logger's; doing it twice changes nothing."""
    for handler in handlers or tuple(logging.getLogger().handlers):
        if not any(isinstance(known, RedactingFilter) for known in handler.filters):
            handler.addFilter(RedactingFilter())
