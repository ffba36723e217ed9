"""Images on their way to passes: found, fetched once, kept by content, prepared for a wallet.

An image is named by a path beside the program file, by ``library:NAME``, or by a public https URL. A member's own image
may be of the last two kinds only: a value from the master system never reads a file.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import orjson

from passflow.errors import FetchError, ProgramError
from passflow.images import IMAGE_TYPES, LIBRARY, read_beside
from passflow.security.media import media_type
from passflow.store.assets import add_file, add_name, add_set, load_file, load_set, resolve
from passflow.store.certificates import StoredCertificate, add_certificate
from passflow.store.engine import Store
from passflow.store.keys import store_key
from passflow.store.statements import upsert
from passflow.store.tables import asset_names
from passflow.sync.design import Design

if TYPE_CHECKING:
    from passflow.program import Program
    from passflow.security.fetch import SafeFetcher

MAX_BYTES: Final = 10_000_000
"""An image larger than this is no picture for a pass."""

PREPARED_VERSION: Final = "1"
"""Changes with how images are scaled, so that they are prepared anew."""


def save_images(program: Program, store: Store, *, fetcher: SafeFetcher | None = None) -> dict[str, str]:
    """Keeps the originals of a template's shared images and returns the SHA-256 of each by its name.

    Raises:
        ProgramError: a file or a library name does not exist.
        FetchError: a URL was refused or could not be fetched.
    """
    from passflow.template import shared_images

    found = {}
    for name, reference in shared_images(program.design).items():
        where = f"template.images.{name}"
        if reference.startswith(LIBRARY) or reference.startswith("https:"):
            found[name] = _find_stored(store, reference, fetcher, where)
        else:
            content = read_beside(program, reference, where)
            with store.begin() as conn:
                found[name] = add_file(conn, content, media_type(content) or "", now=store.now(conn))
    return found


def _find_stored(store: Store, reference: str, fetcher: SafeFetcher | None, where: str) -> str:
    """SHA-256 of the content behind a library name or a URL; a URL is fetched once and then known."""
    if reference.startswith(LIBRARY):
        name = reference.removeprefix(LIBRARY)
        with store.read() as conn:
            named = resolve(conn, name)
        if named is None:
            raise ProgramError(
                f"{where}: the image library has no {name!r}.",
                fix=f"Add it with `passflow image add {name} FILE`.",
                code="program.image",
            )
        return named.hash
    url_name = hmac.digest(store_key(store, "hash"), b"url\0" + reference.encode(), "sha256").hex()
    with store.read() as conn:
        known = resolve(conn, url_name, scope="url")
    if known is not None:
        return known.hash
    fetched = (fetcher or _fetcher()).fetch(reference, max_bytes=MAX_BYTES, allowed_types=IMAGE_TYPES)
    with store.begin() as conn:
        return add_name(conn, url_name, fetched.bytes, fetched.media_type, now=store.now(conn), scope="url")


def _fetcher() -> SafeFetcher:
    from passflow.security.fetch import SafeFetcher

    return SafeFetcher()


class StoredFiles:
    """A design's images out of the store, prepared for Apple's sizes; what passes are made of, kept there.

    Args:
        store: where originals and sets are kept.
        design: whose images they are.
        fetcher: for members' own images; one that reaches the public internet only, unless given.
    """

    def __init__(self, store: Store, design: Design, fetcher: SafeFetcher | None = None) -> None:
        self._store = store
        self._design = design
        self._fetcher = fetcher
        self._prepared: dict[tuple[str, str], Mapping[str, bytes]] = {}

    def shared(self) -> Mapping[str, bytes]:
        """The template's images in every scale: path inside the package to PNG."""
        parts = orjson.dumps([PREPARED_VERSION, self._design.images], option=orjson.OPT_SORT_KEYS)
        name = hashlib.sha256(parts).hexdigest()
        with self._store.read() as conn:
            known = resolve(conn, name, scope="prepared")
            if known is not None:
                return load_set(conn, known.hash)
            originals = {image: load_file(conn, digest) for image, digest in self._design.images.items()}
        from passflow.template.images import prepare_images

        prepared = prepare_images(originals)
        with self._store.begin() as conn:
            now = self._store.now(conn)
            digest = add_set(conn, prepared, now=now)
            row = {"scope": "prepared", "name": name, "hash": digest, "updated_at": now}
            conn.execute(upsert(conn, asset_names, update=("hash", "updated_at")), row)
        return prepared

    def personal(self, name: str, reference: str) -> Mapping[str, bytes]:
        """A member's own image in every scale.

        Raises:
            FetchError: the reference is neither a URL nor a library name, or the image cannot be had.
        """
        from passflow.errors import ConfigError
        from passflow.template.images import prepare_image

        try:
            if reference.startswith("https:"):
                # a person's picture is not kept in clear: it goes from here into the pass and its sealed wallet state
                fetcher = self._fetcher or _fetcher()
                fetched = fetcher.fetch(reference, max_bytes=MAX_BYTES, allowed_types=IMAGE_TYPES)
                return prepare_image(fetched.bytes, name)
            if reference.startswith(LIBRARY):
                return self._library(name, reference)
        except ConfigError as error:
            raise FetchError("A member's image cannot be used.", code=error.error_code) from None
        raise FetchError("A member's image is neither an https URL nor a library name.", code="image.reference")

    def _library(self, name: str, reference: str) -> Mapping[str, bytes]:
        from passflow.template.images import prepare_image

        if (name, reference) not in self._prepared:
            digest = _find_stored(self._store, reference, self._fetcher, f"template.images.{name}")
            with self._store.read() as conn:
                self._prepared[name, reference] = prepare_image(load_file(conn, digest), name)
        return self._prepared[name, reference]

    def keep(self, set_hash: str, files: Mapping[str, bytes]) -> None:
        """Keeps a set of shared files under its hash."""
        with self._store.begin() as conn:
            kept = add_set(conn, files, now=self._store.now(conn))
        if kept != set_hash:
            raise AssertionError("the store and the package hash a set of files differently")

    def keep_certificate(
        self, certificate_id: str, *, pass_type: str, team: str, leaf: bytes, chain: bytes, not_after: datetime
    ) -> None:
        """Keeps the public half of a certificate."""
        certificate = StoredCertificate(certificate_id, pass_type, team, leaf, chain, not_after)
        with self._store.begin() as conn:
            add_certificate(conn, certificate, now=self._store.now(conn))


def open_files(store: Store, design: Design) -> StoredFiles:
    """The files of a design."""
    return StoredFiles(store, design)
