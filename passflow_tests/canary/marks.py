"""Marks that occur nowhere else, and a search for them in every form in which they could leak."""

from __future__ import annotations

import base64
import json
import secrets
import sys
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

WORD = 8
"""Bytes by which a needle is looked up; shorter ones would be found by chance."""


def new_mark(word: str) -> str:
    """A word that no file can hold by chance; its letter outside ASCII is written differently by every encoding."""
    return f"{word}ø{secrets.token_hex(9)}"


def base64_cores(data: bytes) -> Iterator[bytes]:
    """The Base64 of some bytes wherever they stand in a longer text: one core for each of the three alignments."""
    for lead in range(3):
        encoded = base64.b64encode(bytes(lead) + data)
        start = -(-lead * 4 // 3)  # characters that also depend on what stands before
        yield encoded[start + (1 if lead else 0) : len(encoded) - 4]


def forms(secret: str | bytes) -> dict[str, bytes]:
    """How a secret may be written."""
    data = secret.encode() if isinstance(secret, str) else secret
    found = {"plain": data, "hex": data.hex().encode(), "HEX": data.hex().upper().encode(), "reversed": data[::-1]}
    for number, core in enumerate(base64_cores(data)):
        found[f"base64/{number}"] = core
        found[f"base64url/{number}"] = core.translate(bytes.maketrans(b"+/", b"-_"))
    found["escaped bytes"] = repr(data)[2:-1].encode()
    if isinstance(secret, str):
        if secret.isdecimal():
            found["grouped"] = f"{int(secret):,}".encode()
        found["url"] = urllib.parse.quote(secret, safe="").encode()
        found["json"] = json.dumps(secret)[1:-1].encode()
        found["json upper"] = json.dumps(secret)[1:-1].upper().encode()
        found["lower"], found["upper"] = secret.lower().encode(), secret.upper().encode()
        found["utf-16-le"], found["utf-16-be"] = secret.encode("utf-16-le"), secret.encode("utf-16-be")
        found["latin-1"] = secret.encode("latin-1", "replace")
        found["rot"] = "".join(map(str, secret.encode())).encode()
    return found


@dataclass
class Search:
    """Looks for marks in bytes, texts and whole folders.

    Args:
        marks: what to look for, by a name that a finding may show.
    """

    marks: dict[str, str | bytes]
    _needles: dict[int, list[tuple[str, bytes]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._needles = {}
        for name, mark in self.marks.items():
            for form, needle in forms(mark).items():
                if len(needle) >= WORD:
                    start = int.from_bytes(needle[:WORD], sys.byteorder)
                    self._needles.setdefault(start, []).append((f"{name} as {form}", needle))
        self._starts = np.array(sorted(self._needles), dtype=np.uint64)

    def _scan(self, data: bytes) -> Iterator[str]:
        """Names of the needles in some bytes; thousands of them in one pass, by their first eight bytes."""
        for shift in range(WORD):
            words = np.frombuffer(data, np.uint64, (len(data) - shift) // WORD, shift) if len(data) > shift else ()
            if not len(words):
                continue
            place = np.minimum(np.searchsorted(self._starts, words), len(self._starts) - 1)
            for index in np.flatnonzero(self._starts[place] == words):
                at = int(index) * WORD + shift
                for name, needle in self._needles[int(words[index])]:
                    if data.startswith(needle, at):
                        yield name

    def in_bytes(self, data: bytes, where: str) -> list[str]:
        """Findings in bytes, and in what is compressed in them."""
        found = [f"{name} in {where}" for name in self._scan(data)]
        for start in _zlib_starts(data):
            with_dictionary = zlib.decompressobj()
            try:
                plain = with_dictionary.decompress(data[start:], 1 << 22)
            except zlib.error:
                continue
            found += [f"{name} in {where}, compressed" for name in self._scan(plain)]
        return found

    def in_texts(self, texts: Iterable[object], where: str) -> list[str]:
        """Findings in the ``str`` and ``repr`` of objects."""
        found = []
        for each in texts:
            for text in {str(each), repr(each)}:
                found += self.in_bytes(text.encode("utf-8", "surrogatepass"), f"{where}: {type(each).__name__}")
        return found

    def in_folder(self, folder: Path, *, apart: Iterable[str] = ()) -> list[str]:
        """Findings in all files below a folder, their names included, but for some that hold it rightly."""
        left_out = [folder / name for name in apart]
        found = []
        for path in sorted(folder.rglob("*")):
            if any(path == each or each in path.parents for each in left_out):
                continue
            found += self.in_bytes(
                str(path.relative_to(folder)).encode("utf-8", "surrogateescape"), f"the name of {path}"
            )
            if path.is_file() and not path.is_symlink():
                found += self.in_bytes(path.read_bytes(), str(path.relative_to(folder)))
        return found


def _zlib_starts(data: bytes) -> Iterator[int]:
    for head in (b"x\x9c", b"x\x01", b"x\xda"):
        start = data.find(head)
        while start >= 0:
            yield start
            start = data.find(head, start + 1)
