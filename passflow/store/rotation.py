"""Replacing a master key: every key it wraps is wrapped anew, and it may go only when nothing needs it any more.

What the keys protect is not touched. A rotation works in batches of one transaction each and remembers nothing: killed
midway, the next one finds the rows that are still under an old key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, func, select, tuple_, update

from passflow.errors import CryptoError
from passflow.security.encryption import Slot
from passflow.security.keyring import SETTING, Role, Wrapped
from passflow.store.audit import add_entry
from passflow.store.engine import Store
from passflow.store.keys import package_row
from passflow.store.tables import member_keys, plans, store_keys, wallet_states

BATCH: Final = 1000
"""Rows in one transaction: some 20 ms of SQLite's write lock."""

Progress = Callable[[str, int, int | None], None]
"""Called with (table, rows done, rows in all)."""


@dataclass(frozen=True, slots=True)
class MasterUse:
    """How many rows one master key wraps in one table.

    Attributes:
        role: members or packages.
        master_id: the key's id.
        table: the table.
        rows: how many rows.
        held: whether this process holds the key.
        newest: whether it is the one that wraps now.
    """

    role: Role
    master_id: str
    table: str
    rows: int
    held: bool
    newest: bool


@dataclass(frozen=True, slots=True)
class _Kept:
    """A column of wrapped keys: where it is, and what each value is bound to."""

    table: Table
    role: Role
    master: str
    sealed: str
    slot: Callable[[Row[Any]], Slot]
    row: Callable[[Row[Any]], bytes]
    only: tuple[ColumnElement[bool], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key)


def _store_keys(role: Role) -> _Kept:
    slot = Slot("store_keys", "wrapped_sealed")
    only = (store_keys.c.master == role,)
    return _Kept(store_keys, role, "master_id", "wrapped_sealed", lambda _: slot, lambda row: row.name.encode(), only)


_KEPT: Final[tuple[_Kept, ...]] = (
    _store_keys("members"),
    _store_keys("packages"),
    _Kept(
        plans, "members", "key_master_id", "key_sealed",
        lambda row: Slot("plans", "key_sealed", row.program), lambda row: row.plan_id.encode(),
    ),
    _Kept(
        member_keys, "members", "master_id", "wrapped_sealed",
        lambda row: Slot("member_keys", "wrapped_sealed", row.program), lambda row: bytes(row.id_hash),
    ),
    _Kept(
        wallet_states, "packages", "key_master_id", "key_sealed",
        lambda row: Slot("wallet_states", "key_sealed", row.program),
        lambda row: package_row(row.serial, row.wallet),
    ),
)  # fmt: skip


def read_uses(store: Store, role: Role | None = None) -> list[MasterUse]:
    """Which master keys the store's rows need, by role, key and table.

    Args:
        store: the store.
        role: one role only.
    """
    found = []
    with store.read() as conn:
        for kept in _KEPT:
            if role in {None, kept.role}:
                for master_id, rows in _count(conn, kept):
                    ids = store.keyring.ids(kept.role)
                    use = MasterUse(
                        kept.role, master_id, kept.table.name, rows, master_id in ids, ids[:1] == (master_id,)
                    )
                    found.append(use)
    return sorted(found, key=lambda use: (use.role, not use.newest, use.master_id, use.table))


def check_masters(store: Store) -> None:
    """Makes sure that this process can open every key of the roles it holds.

    Raises:
        CryptoError: rows need a master key that it does not hold; names the key, the table and how many rows.
    """
    for use in read_uses(store):
        if store.keyring.holds(use.role) and not use.held:
            raise CryptoError(
                f"{use.rows:,} rows of {use.table} need the {use.role} master key {use.master_id}, "
                "which this process does not hold.",
                fix=f"Add that key behind the newest one in {SETTING[use.role]}; "
                "remove it only after `passflow keys rotate`.",
                code="crypto.master_unknown",
            )


def refuse_retiring(store: Store, role: Role, master_id: str) -> None:
    """Makes sure that an old master key may be removed.

    Raises:
        CryptoError: rows still need it, or it is the key that wraps now.
    """
    uses = [use for use in read_uses(store, role) if use.master_id == master_id]
    if uses:
        where = ", ".join(f"{use.rows:,} in {use.table}" for use in uses)
        raise CryptoError(
            f"The {role} master key {master_id} is still needed: {where}.",
            fix=f"Put the new key first in {SETTING[role]} and run `passflow keys rotate` to its end.",
            code="crypto.master_in_use",
        )
    if store.keyring.ids(role)[:1] == (master_id,):
        raise CryptoError(
            f"The {role} master key {master_id} is the one that wraps now.",
            fix=f"Put a new key before it in {SETTING[role]} first.",
            code="crypto.master_in_use",
        )


def rotate(store: Store, role: Role, *, actor: str, progress: Progress | None = None) -> int:
    """Wraps every key of a role under its newest master key; returns how many were wrapped anew.

    Other processes may go on meanwhile; those that still have the old key first leave rows for the next rotation.

    Args:
        store: the store.
        role: members or packages.
        actor: who asked, for the audit.
        progress: told after every batch.

    Raises:
        CryptoError: a row needs a master key that this process does not hold; what was done stays done.
    """
    newest = store.keyring.newest(role).key_id
    total = sum(use.rows for use in read_uses(store, role) if not use.newest)
    done = 0
    for kept in _KEPT:
        if kept.role != role:
            continue
        for batch in _batches(store, kept, newest):
            with store.begin() as conn:
                done += _rewrap(store, conn, kept, batch)
            if progress is not None:
                progress(kept.table.name, done, total)
    with store.begin() as conn:
        details = {"role": role, "master_id": newest, "rows": done}
        add_entry(store, conn, actor=actor, action="keys.rotated", details=details)
    store.opened_keys.clear()
    return done


def _count(conn: Connection, kept: _Kept) -> Sequence[Row[Any]]:
    master = kept.table.c[kept.master]
    query = select(master, func.count()).where(master.is_not(None), *kept.only).group_by(master)
    return conn.execute(query).all()


def _batches(store: Store, kept: _Kept, newest: str) -> Iterator[Sequence[Row[Any]]]:
    keys = [kept.table.c[name] for name in kept.keys]
    master = kept.table.c[kept.master]
    names = {*kept.keys, kept.master, kept.sealed} | ({"program"} & set(kept.table.c.keys()))
    query = select(*(kept.table.c[name] for name in sorted(names))).order_by(*keys).limit(BATCH)
    query = query.where(master.is_not(None), master != newest, *kept.only)
    last: tuple[Any, ...] | None = None
    while True:
        page = query if last is None else query.where(tuple_(*keys) > tuple_(*last))
        with store.read() as conn:
            batch = conn.execute(page).all()
        if not batch:
            return
        yield batch
        last = tuple(getattr(batch[-1], name) for name in kept.keys)


def _rewrap(store: Store, conn: Connection, kept: _Kept, batch: Sequence[Row[Any]]) -> int:
    rows = []
    for row in batch:
        slot, bound = kept.slot(row), kept.row(row)
        old = Wrapped(getattr(row, kept.master), bytes(getattr(row, kept.sealed)))
        new = store.keyring.wrap(kept.role, slot, bound, store.keyring.unwrap(kept.role, slot, bound, old))
        identity = {f"at_{name}": getattr(row, name) for name in kept.keys}
        rows.append({**identity, "old": old.sealed, "id": new.master_id, "sealed": new.sealed})
    same = [kept.table.c[name] == bindparam(f"at_{name}") for name in kept.keys]
    # a row that was erased or sealed anew since it was read is left as it is
    statement = update(kept.table).where(*same, kept.table.c[kept.sealed] == bindparam("old"))
    values: dict[Any, Any] = {kept.master: bindparam("id"), kept.sealed: bindparam("sealed")}
    return int(conn.execute(statement.values(values), rows).rowcount)
