"""What ``passflow doctor`` looks at in the store: keys, version, clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from passflow.errors import StoreVersionError

if TYPE_CHECKING:
    from passflow.cli.doctor import Checked
    from passflow.store.engine import Store

GROUP: Final = "store"
SKEW_SECONDS: Final = 5
"""Plans and leases go by the database's clock, signatures and logs by this machine's."""


def check_store(*, migrate: bool) -> Iterator[Checked]:
    """Checks settings, master keys and the store.

    Raises:
        ConfigError, SecretError, CryptoError, StoreError: the first thing that is wrong.
    """
    from passflow.cli.doctor import Checked
    from passflow.security.keyring import ROLES, SETTING
    from passflow.settings import open_store, read_settings

    settings = read_settings()
    for role in ROLES:
        reference = settings.key_ref(role)
        if reference is None:
            fix = f"Run `passflow init`, or set {SETTING[role]}."
            yield Checked(GROUP, "error", f"there is no master key of the role {role!r}", fix, "crypto.role_missing")
            continue
        for warning in reference.warnings():
            what, _, fix = warning.partition(": ")
            yield Checked(GROUP, "warning", what, fix)
    store = open_store(settings)
    try:
        yield from _check_database(store, migrate=migrate)
    finally:
        store.dispose()
    if settings.base_url is None:
        text = "PASSFLOW_BASE_URL is not set: passes are made, but phones cannot ask for updates"
        yield Checked(
            GROUP, "warning", text, "Set it to the gateway's public https address before passes are handed out."
        )
    else:
        yield Checked(GROUP, "good", f"phones ask for updates at {settings.base_url}")


def _check_database(store: Store, *, migrate: bool) -> Iterator[Checked]:
    from passflow.cli.doctor import Checked
    from passflow.store.keys import STORE_KEYS, store_key
    from passflow.store.migrate import check, upgrade

    if migrate:
        applied = upgrade(store)
        yield Checked(GROUP, "good", f"migrations run: {', '.join(applied) or 'none were missing'}")
    try:
        check(store)
    except StoreVersionError as error:
        yield Checked(GROUP, "error", error.message, error.fix, error.error_code)
        return
    with store.read() as conn:
        skew = abs(store.now(conn) / 1_000_000 - time.time())
    yield Checked(GROUP, "good", f"{store.dialect} answers and has this version's tables")
    for name, role in STORE_KEYS.items():
        if store.keyring.holds(role):
            store_key(store, name)
    yield Checked(GROUP, "good", "the master keys open the store's keys")
    if skew > SKEW_SECONDS:
        yield Checked(
            GROUP, "warning", f"the database's clock and this machine's differ by {skew:.0f} s", "Use NTP on both."
        )
