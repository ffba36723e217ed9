"""The files that all passes of one template share: images and localised strings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from passflow.errors import PackageError
from passflow.wallets.apple.archive import Entries, encode_entries

RESERVED = frozenset({"manifest.json", "signature", "pass.json"})
MAX_FILES = 500
MAX_BYTES = 50_000_000
# a closed alphabet: what these letters cannot spell (.., /, \, drive letters, .DS_Store, spaces) needs no further check
_PATH = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9_-]{0,30}\.lproj/)?"
    r"(?:[A-Za-z][A-Za-z0-9_-]{0,60}(?:@[23]x)?\.(?:png|pdf|strings)|personalization\.json)"
)


@dataclass(frozen=True)
class AssetSet:
    """Images and ``xx.lproj/…`` files of a template, hashed and laid out once; make it with `AssetSet.of`.

    Attributes:
        files: (path, content), sorted by path.
    """

    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> AssetSet:
        """Check the paths and sizes of some files and make a set of them.

        Args:
            files: content by path, such as ``icon@2x.png`` or ``de.lproj/pass.strings``.

        Raises:
            PackageError: when a path is not allowed or appears twice, or the files are too many or too large.
        """
        check_paths(files)
        if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
            raise PackageError(
                f"The template has more than {MAX_FILES} files or {MAX_BYTES // 1_000_000} MB.",
                fix="Use fewer and smaller images.",
            )
        return cls(tuple(sorted(files.items())))

    def __repr__(self) -> str:
        return f"AssetSet({len(self.files)} files, {self.hash[:12]})"

    @cached_property
    def paths(self) -> frozenset[str]:
        """Paths in lower case, as devices compare them."""
        return frozenset(path.lower() for path, _ in self.files)

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, over every path and the SHA-256 of its content."""
        digest = hashlib.sha256()
        for path, content in self.files:
            digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
        return digest.hexdigest()

    @cached_property
    def entries(self) -> Entries:
        """The files as archive members that stand first in every archive, so that their bytes are constant."""
        return encode_entries(self.files)

    @cached_property
    def manifest_entries(self) -> bytes:
        """The files' share of manifest.json, with a comma after each."""
        return manifest_entries(self.files)


def manifest_entries(files: Collection[tuple[str, bytes]]) -> bytes:
    """Encode files as manifest.json has them: ``"path":"sha1",`` each, in lower-case hex.

    Apple's format asks for SHA-1; what protects the pass is the signature over the manifest.
    """
    return b"".join(
        b'"%s":"%s",' % (path.encode(), hashlib.sha1(content, usedforsecurity=False).hexdigest().encode())
        for path, content in files
    )


def check_paths(paths: Collection[str], taken: Collection[str] = ()) -> None:
    """Refuse paths that a pass may not hold.

    Args:
        paths: relative paths with ``/``.
        taken: lower-case paths that are in the archive already.

    Raises:
        PackageError: when one is reserved, outside the alphabet, or equal to another but for case.
    """
    seen = set(taken)
    for path in paths:
        if path.lower() in RESERVED or not _PATH.fullmatch(path):
            raise PackageError(
                f"{path!r} is not a file name that a pass may hold.",
                fix="Name it like icon@2x.png, logo.pdf, de.lproj/pass.strings or personalization.json.",
                code="package.path",
            )
        if path.lower() in seen:
            raise PackageError(
                f"{path!r} is in the pass twice (case does not count).", fix="Remove one.", code="package.path"
            )
        seen.add(path.lower())
