"""What each kind of code can hold.

Sources: GS1 General Specifications section 7.9 (EAN check digit), ISO/IEC 16388 (Code 39), ISO/IEC 15417 (Code 128, here
without its extension to bytes), ISO/IEC 16390 (interleaved 2 of 5), EN 798 (Codabar).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

_HOLDS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "code128": (re.compile(r"[\x00-\x7f]+"), "ASCII characters"),
    "code39": (re.compile(r"[0-9A-Z $%*+./-]+"), "digits, capitals, space and - . $ / + %"),
    "codabar": (re.compile(r"[A-D]?[0-9$:/.+-]+[A-D]?"), "digits and - $ : / . +"),
    "itf": (re.compile(r"([0-9]{2})+"), "an even count of digits"),
    "ean13": (re.compile(r"[0-9]{13}"), "13 digits"),
    "ean8": (re.compile(r"[0-9]{8}"), "8 digits"),
    "upc_a": (re.compile(r"[0-9]{12}"), "12 digits"),
}
_CHECKED: Final = ("ean13", "ean8", "upc_a")


def message_fault(format_: str, message: str, encoding: str | None = None) -> tuple[str, str] | None:
    """Say why a code cannot hold a message and what it could hold, or None when it can.

    Args:
        format_: a format of the template.
        message: what to encode.
        encoding: character set the message must fit into.
    """
    if format_ in _HOLDS:
        pattern, holds = _HOLDS[format_]
        if not pattern.fullmatch(message):
            return f"it holds {holds}", "Correct the message or choose `qr`"
    if format_ in _CHECKED and not _check_digit_right(message):
        return "its last digit is not the check digit", "Correct the number in the master system"
    if encoding is not None:
        try:
            codecs.encode(message, encoding)
        except (UnicodeEncodeError, LookupError):
            return f"it does not fit into {encoding}", "Remove `encoding`, or use utf-8"
    return None


def _check_digit_right(digits: str) -> bool:
    weights = (1, 3) * 7
    return sum(int(digit) * weight for digit, weight in zip(reversed(digits), weights, strict=False)) % 10 == 0
