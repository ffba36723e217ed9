"""Checks single values of pass.json by kind, and whole objects by a table of kinds.

Kinds: text, switch (true or false), number, integer, value (text or number), date, colour, url, texts, numbers, list,
object, any.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from passflow.wallets.apple.findings import Finding, error, shown, warning
from passflow.wallets.apple.rules.keys import Kinds

# a complete W3C date-time with zone; seconds are optional, nothing may follow
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.ASCII)
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")


def parse_date(value: object) -> datetime | None:
    """Read a date as Wallet does; None when it is not one."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def is_number(value: object) -> bool:
    """Tell whether this is a finite JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def is_colour(value: object) -> bool:
    """Tell whether this is ``rgb(r, g, b)`` with 0-255, ``#RGB`` or ``#RRGGBB``."""
    if not isinstance(value, str):
        return False
    parts = _RGB.fullmatch(value)
    return all(int(part) <= 255 for part in parts.groups()) if parts else bool(_HEX.fullmatch(value))


def is_url(value: object) -> bool:
    """Tell whether this is an absolute URL without spaces."""
    if not isinstance(value, str) or any(ord(sign) <= 0x20 for sign in value):
        return False
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def _is_list_of(kind: type) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, list) and all(isinstance(each, kind) and not isinstance(each, bool) for each in value)
    )


_KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "text": (lambda value: isinstance(value, str), "a text"),
    "switch": (lambda value: isinstance(value, bool), "true or false"),
    "number": (is_number, "a number"),
    "integer": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "value": (lambda value: isinstance(value, str) or is_number(value), "a text or a number"),
    "date": (
        lambda value: parse_date(value) is not None,
        "a date and time with zone, such as 2026-03-01T18:00:00+01:00",
    ),
    "colour": (is_colour, "a colour such as rgb(10, 20, 30) or #0A141E"),
    "url": (is_url, "an absolute URL"),
    "texts": (_is_list_of(str), "a list of texts"),
    "numbers": (_is_list_of(int), "a list of whole numbers"),
    "list": (lambda value: isinstance(value, list), "a list"),
    "object": (lambda value: isinstance(value, dict), "an object"),
    "any": (lambda value: True, "anything"),
}


def check_object(where: str, value: object, kinds: Kinds, required: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Check the keys of one object and the kind of each value.

    Args:
        where: path of the object; "" for the document.
        value: what stands there.
        kinds: the kind of each known key.
        required: keys that must be there and not empty.
    """
    if not isinstance(value, dict):
        yield error("pass.type", where, "This must be an object.", "Write { … } here.")
        return
    for key in required:
        if value.get(key) in (None, ""):
            yield error("pass.key_missing", join(where, key), "The required key is missing or empty.", f"Add {key}.")
    for key, content in value.items():
        place = join(where, shown(key))
        if key not in kinds:
            yield warning(
                "pass.key_unknown", place, "Wallet does not know this key.", "Correct its spelling or remove it."
            )
        elif not _KINDS[kinds[key]][0](content):
            yield error("pass.type", place, f"This must be {_KINDS[kinds[key]][1]}.", "Correct the value.")


def join(where: str, key: str) -> str:
    """Append a key to a path."""
    return f"{where}.{key}" if where else key


def objects(where: str, value: object) -> Iterator[tuple[str, dict[str, object]]]:
    """Walk the objects of a list with their paths; anything else is left to `check_object`."""
    for number, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, dict):
            yield f"{where}[{number}]", each
