"""Shared files of passes, kept under the hash of their content, and the image library that names them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, Select, delete, select

from passflow.errors import StoreError
from passflow.store.statements import insert_new, upsert
from passflow.store.tables import asset_names, assets

MAX_BYTES: Final = 20_000_000
"""Largest file; a pass image beyond it is a mistake."""

SET_TYPE: Final = "application/vnd.passflow.set+json"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class NamedAsset:
    """One entry of the image library.

    Attributes:
        name: its name in the library.
        hash: SHA-256 of the content, hex.
        media_type: such as ``image/png``.
        size: bytes.
        updated_at: when the name last came to mean this content, microseconds.
    """

    name: str
    hash: str
    media_type: str
    size: int
    updated_at: int


def add_file(conn: Connection, content: bytes, media_type: str, *, now: int) -> str:
    """Keeps a file and returns the SHA-256 of its content, hex; keeping it twice changes nothing.

    Raises:
        StoreError: larger than 20 MB.
    """
    if len(content) > MAX_BYTES:
        raise StoreError(
            f"A file of {len(content):,} bytes is too large to keep.",
            fix=f"Use an image of at most {MAX_BYTES // 1_000_000} MB.",
            code="asset.too_large",
        )
    digest = hashlib.sha256(content).hexdigest()
    row = {"hash": digest, "kind": "file", "media_type": media_type, "size": len(content)}
    insert_new(conn, assets, [{**row, "content": content, "created_at": now}])
    return digest


def load_file(conn: Connection, digest: str) -> bytes:
    """The content of a file, checked against its hash.

    Raises:
        StoreError: it is not kept, or was altered.
    """
    content = conn.execute(
        select(assets.c.content).where(assets.c.hash == digest, assets.c.kind == "file")
    ).scalar_one_or_none()
    if content is None:
        raise _missing("file", digest)
    if hashlib.sha256(content).hexdigest() != digest:
        raise StoreError(f"The stored file {digest[:12]} was altered.", fix=_RESTORE, code="asset.altered")
    return bytes(content)


def set_hash(files: Mapping[str, str]) -> str:
    """Hash of a set of files: SHA-256, hex, over every path, a NUL and the content's SHA-256, in order of the paths.

    Args:
        files: SHA-256 of the content, hex, by path.
    """
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(path.encode() + b"\0" + bytes.fromhex(content))
    return digest.hexdigest()


def add_set(conn: Connection, files: Mapping[str, bytes], *, now: int) -> str:
    """Keeps the files that all passes of one template share, and returns the set's hash.

    Args:
        conn: an open write transaction.
        files: content by path inside the package.
        now: the store's clock.

    Raises:
        StoreError: a file is too large.
    """
    hashes = {path: add_file(conn, content, _media_type(path), now=now) for path, content in files.items()}
    digest = set_hash(hashes)
    listing = orjson.dumps(sorted(hashes.items()))
    row = {"hash": digest, "kind": "set", "media_type": SET_TYPE, "size": len(listing)}
    insert_new(conn, assets, [{**row, "content": listing, "created_at": now}])
    return digest


def load_set(conn: Connection, digest: str) -> dict[str, bytes]:
    """The files of a set by path, every one checked against its hash.

    Raises:
        StoreError: the set or a file is not kept, or was altered.
    """
    listing = conn.execute(
        select(assets.c.content).where(assets.c.hash == digest, assets.c.kind == "set")
    ).scalar_one_or_none()
    if listing is None:
        raise _missing("set of files", digest)
    try:
        hashes: dict[str, str] = dict(orjson.loads(listing))
        intact = set_hash(hashes) == digest
    except (ValueError, TypeError, AttributeError):
        intact = False
    if not intact:
        raise StoreError(f"The stored set of files {digest[:12]} was altered.", fix=_RESTORE, code="asset.altered")
    return {path: load_file(conn, content) for path, content in hashes.items()}


def add_name(conn: Connection, name: str, content: bytes, media_type: str, *, now: int, scope: str = "library") -> str:
    """Puts a file into the image library; the name means the new content from now on. Returns its hash.

    Args:
        conn: an open write transaction.
        name: lower-case letters, digits, ``.``, ``_`` and ``-``.
        content: the file.
        media_type: such as ``image/png``.
        now: the store's clock.
        scope: ``library``, or ``url`` for what was fetched (the name is then a keyed hash of the URL, in hex).

    Raises:
        StoreError: the name has other characters, or the file is too large.
    """
    if not _NAME.fullmatch(name):
        raise StoreError(
            f"{name[:128]!r} cannot be the name of an image.",
            fix="Use 1 to 128 lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit.",
            code="asset.name",
        )
    digest = add_file(conn, content, media_type, now=now)
    statement = upsert(conn, asset_names, update=("hash", "updated_at"))
    conn.execute(statement, [{"scope": scope, "name": name, "hash": digest, "updated_at": now}])
    return digest


def resolve(conn: Connection, name: str, *, scope: str = "library") -> NamedAsset | None:
    """What a name means now, or None."""
    query = _named().where(asset_names.c.scope == scope, asset_names.c.name == name)
    row = conn.execute(query).one_or_none()
    return None if row is None else NamedAsset(*row)


def list_names(conn: Connection) -> list[NamedAsset]:
    """The image library in order of its names."""
    query = _named().where(asset_names.c.scope == "library").order_by(asset_names.c.name)
    return [NamedAsset(*row) for row in conn.execute(query)]


def remove_name(conn: Connection, name: str) -> bool:
    """Takes a name out of the library; its content stays for the passes that were made with it."""
    gone = delete(asset_names).where(asset_names.c.scope == "library", asset_names.c.name == name)
    return conn.execute(gone).rowcount == 1


_RESTORE: Final = "Restore the store from a backup, or sign the passes of this template again."
_MEDIA_TYPES: Final = {"png": "image/png", "pdf": "application/pdf", "json": "application/json"}


def _media_type(path: str) -> str:
    return _MEDIA_TYPES.get(path.rpartition(".")[2].lower(), "text/plain")


def _missing(what: str, digest: str) -> StoreError:
    return StoreError(f"The store does not keep the {what} {digest[:12]}.", fix=_RESTORE, code="asset.missing")


def _named() -> Select[tuple[str, str, str, int, int]]:
    columns = (asset_names.c.name, assets.c.hash, assets.c.media_type, assets.c.size, asset_names.c.updated_at)
    return select(*columns).join(assets, assets.c.hash == asset_names.c.hash)
