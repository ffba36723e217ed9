"""A member's own images beside the shared ones: what is packed into the archive, and where each came from.

Beside the files of an image stands a note, the hash of the reference they were made from, so that the same reference is
fetched once however often the pass is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

NOTE: Final = "#"
"""Begins the name of a note; no path in an archive may."""


def packaged(personal: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that stand in the archive, without the notes."""
    return {path: data for path, data in personal.items() if not path.startswith(NOTE)}


def noted(name: str, reference: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of one image with the note of where they came from."""
    return {**files, NOTE + name: _mark(reference)}


def kept(name: str, reference: str, before: Mapping[str, bytes]) -> dict[str, bytes] | None:
    """The files of one image as they were, if they were made from the same reference; None otherwise."""
    if before.get(NOTE + name) != _mark(reference):
        return None
    stem = name.partition("@")[0]
    same = {path: data for path, data in packaged(before).items() if path.partition(".")[0].partition("@")[0] == stem}
    return noted(name, reference, same)


def _mark(reference: str) -> bytes:
    return hashlib.sha256(reference.encode()).digest()
