"""Compares manifest.json with the files of a pass, in both directions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, shown, warning
from passflow.wallets.apple.json_reader import read_json

_SHA1 = re.compile(r"[0-9a-f]{40}")
_UNLISTED = frozenset({"manifest.json", "signature"})


def check_manifest(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Check that the manifest lists every file but itself and the signature, with its SHA-1, and nothing else.

    Args:
        files: content by path.
    """
    if "manifest.json" not in files:
        yield error("manifest.missing", "manifest.json", "The pass has no manifest.", "Sign the pass again.")
        return
    document = read_json("manifest.json", files["manifest.json"])
    yield from document.findings
    if not isinstance(document.value, dict):
        if not document.findings:
            yield error("manifest.type", "manifest.json", "It must be an object.", "Sign the pass again.")
        return
    listed: dict[str, object] = document.value
    for path in sorted(files.keys() - listed.keys() - _UNLISTED):
        yield error("manifest.unlisted", shown(path), "The file is not in the manifest.", "Sign the pass again.")
    for path, digest in listed.items():
        where = shown(path)
        if path in _UNLISTED:
            yield error("manifest.extra", where, "The manifest may not list this file.", "Remove it and sign again.")
        elif path not in files:
            yield error("manifest.extra", where, "The manifest lists a file that is not there.", "Sign the pass again.")
        elif not isinstance(digest, str) or not _SHA1.fullmatch(digest.lower()):
            yield error("manifest.hash", where, "This is not the hex of a SHA-1.", "Sign the pass again.")
        elif digest.lower() != hashlib.sha1(files[path], usedforsecurity=False).hexdigest():
            yield error("manifest.hash", where, "The file is not the one in the manifest.", "Sign the pass again.")
        elif digest != digest.lower():
            yield warning("manifest.case", where, "The SHA-1 is not in lower case.", "Write it in lower case.")
