"""Settings of the installation, from environment variables; everything else is in program files.

``PASSFLOW_HOME`` holds all local state (``.passflow`` unless set): the SQLite store, key files, Dagster's home.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from passflow.errors import ConfigError
from passflow.security.keyring import ROLES, SETTING, Keyring, Role, refuse_shared, write_key_file
from passflow.security.secrets import PATTERN, SecretRef
from passflow.store.engine import Store, parse_url

DEFAULT_HOME: Final = ".passflow"


class Settings(BaseModel):
    """Where this installation keeps its state and is reached; made by :func:`read_settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    home: Path = Field(description="Folder of all local state, absolute.")
    store_url: str = Field(repr=False, description="The store's database; may hold a password, so it is not printed.")
    members_key: SecretRef | None = Field(
        description="Master key of the role 'members'; None where this process has none."
    )
    packages_key: SecretRef | None = Field(description="Master key of the role 'packages'; None where it has none.")
    base_url: str | None = Field(description="Public address of the gateway, without a slash at its end.")
    dagster_home: Path = Field(description="Dagster's home.")

    def key_ref(self, role: Role) -> SecretRef | None:
        """The reference to a role's master keys, or None."""
        return self.members_key if role == "members" else self.packages_key


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings now.

    ``PASSFLOW_MEMBERS_KEY`` and ``PASSFLOW_PACKAGES_KEY`` hold Base64 keys, or a reference such as
    ``file:/run/secrets/members``; unset, ``PASSFLOW_HOME/keys/ROLE.key`` is used if that file exists.

    Args:
        environ: where variables are looked up; the process's own by default.

    Raises:
        ConfigError: a variable's value does not fit; names the variable and the fix.
    """
    variables = os.environ if environ is None else environ
    home = Path(variables.get("PASSFLOW_HOME") or DEFAULT_HOME).expanduser().absolute()
    store_url = variables.get("PASSFLOW_STORE_URL") or f"sqlite:///{home / 'store.db'}"
    parse_url(store_url)
    return Settings(
        home=home,
        store_url=store_url,
        members_key=_key_ref(variables, home, "members"),
        packages_key=_key_ref(variables, home, "packages"),
        base_url=_base_url(variables.get("PASSFLOW_BASE_URL")),
        dagster_home=Path(variables.get("DAGSTER_HOME") or home / "dagster").expanduser().absolute(),
    )


def key_file(home: Path, role: Role) -> Path:
    """Where a role's master keys are kept on a machine that has no better place."""
    return home / "keys" / f"{role}.key"


def prepare_home(settings: Settings, *, create_keys: bool = False) -> Settings:
    """Makes the home folder, and key files for the roles that have no key yet; what exists is left as it is.

    Args:
        settings: as read.
        create_keys: also make the missing key files, readable by their owner only.

    Returns:
        The settings with the new key files in them.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not create_keys:
        return settings
    made: dict[str, SecretRef] = {}
    for role in ROLES:
        path = key_file(settings.home, role)
        if settings.key_ref(role) is None:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_key_file(path)
            made[f"{role}_key"] = SecretRef(f"file:{path}")
    return settings.model_copy(update=made)


def open_keyring(settings: Settings, roles: Iterable[Role] = ROLES) -> Keyring:
    """Reads the master keys of some roles; the gateway asks for ``packages`` alone.

    Raises:
        SecretError: a reference cannot be read.
        CryptoError: what it holds is no key, or both roles share one.
    """
    wanted = {role: settings.key_ref(role) for role in roles}
    keyring = Keyring.from_secrets(members=wanted.get("members"), packages=wanted.get("packages"))
    refuse_shared(keyring)
    return keyring


def open_store(settings: Settings, roles: Iterable[Role] = ROLES) -> Store:
    """The installation's store with the master keys of some roles; migrations are not run.

    Raises:
        SecretError, CryptoError: a master key cannot be read.
        ConfigError: the URL names no database passflow can use.
    """
    return Store.open(settings.store_url, keyring=open_keyring(settings, roles))


def _key_ref(variables: Mapping[str, str], home: Path, role: Role) -> SecretRef | None:
    name = SETTING[role]
    value = variables.get(name, "").strip()
    if value:
        return SecretRef(value) if re.fullmatch(PATTERN, value) else SecretRef(f"env:{name}")
    path = key_file(home, role)
    return SecretRef(f"file:{path}") if path.exists() else None


def _base_url(text: str | None) -> str | None:
    if not text:
        return None
    parts = urlsplit(text.strip())
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    if not (secure and parts.hostname) or parts.query or parts.fragment or parts.username:
        raise ConfigError(
            "PASSFLOW_BASE_URL is not the address of a gateway.",
            fix="Write it like https://passes.example.com, https unless it is this machine, without user or query.",
        )
    return text.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
