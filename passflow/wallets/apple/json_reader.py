"""Reads a stranger's JSON as strictly as RFC 8259 allows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from passflow.wallets.apple.findings import Finding, error, shown

MAX_BYTES = 5_000_000


@dataclass
class ReadJson:
    """A parsed document (None when it could not be parsed) and what is wrong with its text."""

    value: object = None
    findings: list[Finding] = field(default_factory=list)


def read_json(where: str, data: bytes) -> ReadJson:
    """Parse a file; a byte order mark and repeated keys are reported and read past.

    Args:
        where: name of the file.
        data: its content.
    """
    result = ReadJson()
    if data.startswith(b"\xef\xbb\xbf"):
        message = "It begins with a byte order mark."
        result.findings.append(error("json.bom", where, message, "Save it as UTF-8 without BOM."))
        data = data[3:]
    if len(data) > MAX_BYTES:
        message = f"It has more than {MAX_BYTES // 1_000_000} MB."
        result.findings.append(error("json.too_large", where, message, "Shorten it."))
        return result
    twice: set[str] = set()

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in items:
            if key in found:
                twice.add(key)
            found[key] = value
        return found

    try:
        text = data.decode("utf-8")
        result.value = json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse)
    except UnicodeDecodeError as problem:
        message = f"Byte {problem.start} is not UTF-8."
        result.findings.append(error("json.encoding", where, message, "Save it as UTF-8."))
    except json.JSONDecodeError as problem:
        message = f"Line {problem.lineno}, column {problem.colno} is not JSON: {_reason(text, problem)}."
        result.findings.append(error("json.syntax", where, message, "Check it with `python -m json.tool`."))
    except (ValueError, RecursionError):
        message = "It holds NaN, Infinity, an endless number or too many levels."
        result.findings.append(error("json.syntax", where, message, "Use plain JSON."))
    for key in sorted(twice):
        message = f"The key {shown(key)} stands twice in one object."
        result.findings.append(error("json.key_twice", where, message, "Keep one."))
    return result


def _reason(text: str, problem: json.JSONDecodeError) -> str:
    before = text[: problem.pos].rstrip()
    after = text[problem.pos :].lstrip()
    if (before.endswith(",") and after[:1] in ("}", "]")) or after[:1] == ",":
        return "a comma too many"
    return problem.msg.lower()


def _refuse(name: str) -> object:
    raise ValueError(name)
