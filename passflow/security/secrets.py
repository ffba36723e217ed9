"""Secrets: the program file holds references, never values.

A reference is ``env:NAME`` or ``file:/path``. It is read when it is needed, and what it yields does not print,
format, compare by ``==`` to text, copy into a pickle or reach a log (``passflow.security.redaction``).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from passflow.errors import SecretError
from passflow.security import redaction

PATTERN: Final = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s\x00-\x1f].*)$"
MAX_BYTES: Final = 1 << 20
"""Keys, tokens and certificates are kilobytes; more is the wrong file."""

_LITERAL: Final = "a secret must be a reference, `env:NAME` or `file:/path`; what stands here is not repeated"


class Secret:
    """One secret in memory; only ``value`` and ``data`` show it.

    Args:
        data: the secret's bytes.
        name: the reference it came from, for messages.
    """

    __slots__ = ("_data", "_name")

    def __init__(self, data: bytes, name: str = "secret") -> None:
        self._data = data
        self._name = name

    @property
    def data(self) -> bytes:
        """The secret as bytes, for keys and certificates."""
        return self._data

    @property
    def value(self) -> str:
        """The secret as text.

        Raises:
            SecretError: its bytes are not UTF-8 text.
        """
        try:
            return self._data.decode()
        except UnicodeDecodeError:
            pass  # the original error quotes the bytes, so it must not become the cause
        raise SecretError(
            f"{self._name} does not hold text.", fix="Point the reference at a UTF-8 text file.", code="secret.not_text"
        )

    def __repr__(self) -> str:
        return "Secret()"

    def __str__(self) -> str:
        return "Secret()"

    def __format__(self, spec: str) -> str:
        return "Secret()"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is never pickled or copied; pass its reference on instead")


class _Literal:
    """Stands in for a refused value, so that pydantic's report cannot quote it."""

    def __repr__(self) -> str:
        return "(not shown)"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret, usable as the type of a pydantic field.

    Relative file paths are resolved against ``folder``, which pydantic takes from the validation context
    ``{"folder": Path}`` (the program file's own folder).

    Attributes:
        text: the reference as written.
        folder: what a relative path starts from; None is the working directory.
    """

    text: str
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(PATTERN, self.text):
            raise SecretError("A secret is written out where a reference belongs.", code="secret.literal")

    def __str__(self) -> str:
        return self.text

    @property
    def path(self) -> Path | None:
        """The file it names; None for an environment variable."""
        scheme, _, target = self.text.partition(":")
        if scheme != "file":
            return None
        return (self.folder or Path()) / target

    def reveal(self, environ: Mapping[str, str] | None = None) -> Secret:
        """Reads the secret now; one line end at the end of a file is not part of it.

        Args:
            environ: where variables are looked up; the process's own by default.

        Raises:
            SecretError: the variable or file is missing, empty, too large or unreadable.
        """
        path = self.path
        data = self._from_environ(os.environ if environ is None else environ) if path is None else self._from_file(path)
        if not data.strip():
            raise SecretError(f"{self} is empty.", fix="Put the secret there and try again.", code="secret.empty")
        secret = Secret(data, self.text)
        redaction.remember(data)
        return secret

    def warnings(self) -> tuple[str, ...]:
        """What is unsafe about where the secret lies, one sentence with its fix each; empty when all is well."""
        path = self.path
        if path is None or os.name != "posix" or not path.is_file():
            return ()
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o007:
            return (f"{self} is open to every user of this machine (mode {mode:04o}): run `chmod 600` on it.",)
        if mode & 0o020:
            return (f"{self} may be changed by its whole group (mode {mode:04o}): run `chmod 600` on it.",)
        return ()

    def _from_environ(self, environ: Mapping[str, str]) -> bytes:
        name = self.text.removeprefix("env:")
        if name not in environ:
            raise SecretError(
                f"The environment variable of {self} is not set.",
                fix=f"Set {name} where passflow runs, in the code server as well as in your shell.",
                code="secret.missing",
            )
        return environ[name].encode("utf-8", "surrogateescape")

    def _from_file(self, path: Path) -> bytes:
        try:
            # a pipe or device would hang the read, so the kind is looked at before opening
            if not path.is_file():
                raise SecretError(
                    f"{self} is not a file.", fix="Create the file, or correct its path.", code="secret.missing"
                )
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            raise SecretError(
                f"{self} cannot be read ({type(error).__name__}).",
                fix="Let the user that runs passflow read the file.",
                code="secret.unreadable",
            ) from None
        if len(data) > MAX_BYTES:
            raise SecretError(f"{self} is larger than 1 MiB.", fix="Correct the path.", code="secret.too_large")
        return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        # two steps: pydantic reports the input of the step that failed, and the second one never sees the literal
        return core_schema.chain_schema(
            [
                core_schema.with_info_plain_validator_function(_parse),
                core_schema.no_info_plain_validator_function(_refuse_literal),
            ],
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": PATTERN,
            "examples": ["env:KLAVIYO_API_KEY", "file:/run/secrets/key"],
            "description": "Reference to a secret: an environment variable or a file. Never the secret itself.",
        }


def _parse(value: object, info: core_schema.ValidationInfo) -> SecretRef | _Literal:
    if isinstance(value, SecretRef):
        return value
    if not isinstance(value, str) or not re.fullmatch(PATTERN, value):
        return _Literal()
    folder = info.context.get("folder") if isinstance(info.context, Mapping) else None
    return SecretRef(value, Path(folder) if folder is not None else None)


def _refuse_literal(value: SecretRef | _Literal) -> SecretRef:
    if isinstance(value, _Literal):
        raise PydanticCustomError("secret_literal", _LITERAL)
    return value
