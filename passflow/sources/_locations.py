"""Where files are: here or in any store that fsspec reaches, and which version of them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from passflow.errors import SourceError

_VERSIONS: Final = ("ETag", "etag", "md5Hash", "content_md5", "checksum", "generation", "version_id", "mtime", "LastModified",
                    "last_modified", "updated", "modified", "created")  # fmt: skip
"""Keys under which fsspec's file systems tell one version of a file from the next."""

_SAMPLE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Location:
    """A file as it was when it was looked up.

    Args:
        system: the fsspec file system.
        path: its path there.
        size: bytes, or None where the store does not tell.
        stamp: what changes with its content, as far as its store tells.
    """

    system: Any
    path: str
    size: int | None
    stamp: str

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return posixpath.basename(self.path)

    def open(self) -> IO[bytes]:
        """Its bytes, decompressed where its ending says so.

        Raises:
            SourceError: it cannot be opened.
        """
        from fsspec.compression import compr
        from fsspec.utils import infer_compression

        try:
            raw = self.system.open(self.path, "rb")
            kind = infer_compression(self.path)
            return cast("IO[bytes]", compr[kind](raw, mode="rb") if kind else raw)
        except Exception as error:  # noqa: BLE001 - each file system raises errors of its own, which may quote secrets
            raise out_of_reach(self.name, error) from None

    def sample(self) -> bytes:
        """Its first and last 64 KiB.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            head: bytes = self.system.cat_file(self.path, 0, _SAMPLE)
            tail: bytes = self.system.cat_file(self.path, max(self.size - _SAMPLE, 0), self.size) if self.size else b""
        except Exception as error:  # noqa: BLE001 - as above
            raise out_of_reach(self.name, error) from None
        return head + tail


def find_files(path: str, base_dir: Path, options: dict[str, Any]) -> list[Location]:
    """The files that a path, URL or pattern names now, in the order of their paths.

    Args:
        path: relative paths start at ``base_dir``.
        options: of the fsspec file system, secrets revealed.

    Raises:
        SourceError: there is none, or the store cannot be reached.
    """
    from fsspec.core import has_magic, url_to_fs

    shown = posixpath.basename(path)
    try:
        system, plain = url_to_fs(path if "://" in path or "::" in path else str(base_dir / path), **options)
        system.invalidate_cache()
        paths = sorted(system.glob(plain)) if has_magic(plain) else [plain]
        infos = [system.info(one) for one in paths]
    except FileNotFoundError:
        infos = paths = []
    except Exception as error:  # noqa: BLE001 - each file system raises errors of its own, which may quote secrets
        raise out_of_reach(shown, error) from None
    found = [
        Location(system, one, info.get("size"), _stamp(info))
        for one, info in zip(paths, infos, strict=True)
        if info.get("type") == "file"
    ]
    if not found:
        raise SourceError(
            f"There is no file {shown!r}.",
            fix="Correct `path:` of the source; a relative one starts at the program file.",
            code="source.missing",
        )
    return found


def out_of_reach(name: str, error: Exception) -> SourceError:
    """A file system's error without what it may quote."""
    if isinstance(error, ImportError):
        return SourceError(
            "The package for this kind of URL is not installed.",
            fix="Install the fsspec file system it needs, such as s3fs, gcsfs or adlfs.",
            code="source.package_missing",
        )
    return SourceError(
        f"{name} is out of reach ({type(error).__name__}).",
        fix="Check the address, the access rights and the credentials of the source.",
        code="source.unreachable",
    )


def _stamp(info: dict[str, Any]) -> str:
    versions = [f"{key}={info[key]}" for key in _VERSIONS if info.get(key) is not None]
    return f"size={info.get('size')} {' '.join(versions)}"
