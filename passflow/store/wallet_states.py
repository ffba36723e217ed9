"""Wallet states: which passes a wallet is behind on, and recording what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Select, String, and_, bindparam, func, or_, select, update

from passflow.errors import CryptoError
from passflow.model import Status
from passflow.ports import Brought
from passflow.security.encryption import DataKey, Slot
from passflow.security.keyring import Keyring, Wrapped
from passflow.store.engine import Store
from passflow.store.keys import new_package_key, open_package_key, package_row
from passflow.store.passes import range_clause
from passflow.store.publish import next_modified, publish
from passflow.store.tables import pass_records, passes, wallet_states

SIGNED_COLUMNS: Final = (
    "pass_type", "token_hash", "signature", "signed_at", "certificate_id", "asset_set", "package_format",
    "manifest_hash", "remote_id",
)  # fmt: skip
FIRST_RETRY: Final = 60
LAST_RETRY: Final = 6 * 3600
"""Seconds before a failed pass is tried again: doubled from one minute up to six hours."""


@dataclass(frozen=True, slots=True)
class Behind:
    """One pass that a wallet is behind on.

    Args:
        state: its row of ``wallet_states``.
        status: status of the pass.
        template_revision: what it is rendered with.
        record_sealed: the member's record; None after an erasure.
    """

    state: Mapping[str, Any] = field(repr=False)
    status: Status
    template_revision: str
    record_sealed: bytes | None = field(repr=False)
    overlay_sealed: bytes | None = field(repr=False)

    @property
    def id_hash(self) -> bytes:
        """Whose pass it is."""
        return bytes(self.state["id_hash"])


def _content_slot(program: str, column: str) -> Slot:
    return Slot("wallet_states", column, program)


def read_behind(
    conn: Connection, program: str, wallet: str, *, low: int, high: int, after: bytes, limit: int, now: int
) -> list[Behind]:
    """Passes that a wallet is behind on and may try now, in key order.

    Args:
        after: begin behind this id hash.
        limit: at most so many.
        now: the store's clock; passes that wait for a retry until later are left out.
    """
    query = (
        _behind(program, wallet)
        .where(
            or_(wallet_states.c.retry_at.is_(None), wallet_states.c.retry_at <= now),
            range_clause(wallet_states.c.id_hash, low, high),
        )
        .order_by(wallet_states.c.id_hash)
        .limit(limit)
    )
    if after:
        query = query.where(wallet_states.c.id_hash > after)
    return _read(conn, query)


def read_behind_one(conn: Connection, program: str, wallet: str, id_hash: bytes) -> list[Behind]:
    """A member's pass if the wallet is behind on it, also one that waits for a retry."""
    return _read(conn, _behind(program, wallet).where(wallet_states.c.id_hash == id_hash))


def _behind(program: str, wallet: str) -> Select[Any]:
    same = and_(passes.c.program == wallet_states.c.program, passes.c.id_hash == wallet_states.c.id_hash)
    recorded = and_(pass_records.c.program == passes.c.program, pass_records.c.id_hash == passes.c.id_hash)
    return (
        select(
            wallet_states,
            passes.c.status,
            passes.c.template_revision,
            pass_records.c.record_sealed,
            pass_records.c.overlay_sealed,
        )
        .select_from(wallet_states.join(passes, same).outerjoin(pass_records, recorded))
        .where(wallet_states.c.program == program, wallet_states.c.wallet == wallet, wallet_states.c.behind)
    )


def _read(conn: Connection, query: Select[Any]) -> list[Behind]:
    names = wallet_states.columns.keys()
    return [
        Behind(
            {name: row[name] for name in names},
            Status(row["status"]),
            row["template_revision"],
            row["record_sealed"],
            row["overlay_sealed"],
        )
        for row in conn.execute(query).mappings()
    ]


def count_behind(conn: Connection, program: str, wallet: str) -> int:
    """Passes that a wallet is behind on, those waiting for a retry included."""
    query = select(func.count()).where(
        wallet_states.c.program == program, wallet_states.c.wallet == wallet, wallet_states.c.behind
    )
    return int(conn.execute(query).scalar_one())


def mark_resign(conn: Connection, program: str, wallet: str, mark: str, *, low: int, high: int) -> int:
    """Puts passes behind that were signed with another certificate; returns how many."""
    result = conn.execute(
        update(wallet_states)
        .where(
            wallet_states.c.program == program,
            wallet_states.c.wallet == wallet,
            wallet_states.c.certificate_id.is_not(None),
            wallet_states.c.certificate_id != mark,
            wallet_states.c.behind.is_(False),
            range_clause(wallet_states.c.id_hash, low, high),
        )
        .values(behind=True, attempts=0, retry_at=None)
    )
    return int(result.rowcount)


def open_state(keyring: Keyring, state: Mapping[str, Any]) -> tuple[DataKey | None, bytes | None, dict[str, bytes]]:
    """Package key, content and personal files of a wallet state; None where nothing was signed yet."""
    if state["key_sealed"] is None:
        return None, None, {}
    program, serial, wallet = state["program"], state["serial"], state["wallet"]
    key = open_package_key(keyring, program, serial, wallet, Wrapped(state["key_master_id"], state["key_sealed"]))
    row = package_row(serial, wallet)
    content = state["content_sealed"]
    personal = state["personal_sealed"]
    return (
        key,
        None if content is None else _content_slot(program, "content_sealed").open(key, row, content),
        {} if personal is None else unpack_files(_content_slot(program, "personal_sealed").open(key, row, personal)),
    )


def record_brought(
    conn: Connection, store: Store, found: Sequence[tuple[Behind, DataKey | None, Brought]], *, now: int
) -> tuple[int, int | None]:
    """Records what a wallet did for a batch; one published number for all whose bytes are new.

    The number is taken last, so that readers of the tag wait for this transaction as shortly as can be.

    Returns:
        How many rows were recorded (a pass that moved on meanwhile stays behind), and the published number.
    """
    good = [item for item in found if item[2].code is None]
    for behind, _, brought in found:
        if brought.code is not None:
            _record_failure(conn, behind, brought, now)
    if not good:
        return 0, None
    rows = [_success_row(store, behind, key, brought, now) for behind, key, brought in good]
    publishing = [row for row, (_, _, brought) in zip(rows, good, strict=True) if brought.publishes]
    number = publish(conn) if publishing else None
    for row in publishing:
        row["published"] = number
    recorded = conn.execute(_SUCCESS, rows)
    return int(recorded.rowcount), number


_RECORDED: Final = (
    *SIGNED_COLUMNS, "key_master_id", "key_sealed", "content_sealed", "personal_sealed", "published", "last_modified",
    "revision", "error_code",
)  # fmt: skip
_SUCCESS: Final = (
    update(wallet_states)
    .where(
        wallet_states.c.serial == bindparam("own_serial"),
        wallet_states.c.wallet == bindparam("own_wallet"),
        # while this revision was signed, somebody else may have brought it, or the pass may have moved on or been erased
        wallet_states.c.target_revision == bindparam("revision"),
        wallet_states.c.revision == bindparam("old_revision"),
        wallet_states.c.certificate_id.is_not_distinct_from(bindparam("old_certificate", type_=String)),
    )
    .values(
        **{name: bindparam(name) for name in _RECORDED},
        attempts=0,
        retry_at=None,
        behind=False,
    )
)


def _success_row(store: Store, behind: Behind, key: DataKey | None, brought: Brought, now: int) -> dict[str, Any]:
    state = behind.state
    program, serial, wallet = state["program"], state["serial"], state["wallet"]
    values: dict[str, Any] = {name: state[name] for name in _RECORDED}
    values.update({name: brought.columns[name] for name in SIGNED_COLUMNS if name in brought.columns})
    if brought.content is not None:
        if key is None:
            key, wrapped = new_package_key(store.keyring, program, serial, wallet)
            values.update(key_master_id=wrapped.master_id, key_sealed=wrapped.sealed)
        row = package_row(serial, wallet)
        values["content_sealed"] = _content_slot(program, "content_sealed").seal(key, row, brought.content)
        packed = pack_files(brought.personal) if brought.personal else None
        values["personal_sealed"] = packed and _content_slot(program, "personal_sealed").seal(key, row, packed)
    if brought.publishes:
        values["last_modified"] = next_modified(state["last_modified"], now)
    values.update(revision=brought.revision, error_code=brought.notice)
    values.update(own_serial=serial, own_wallet=wallet)
    values.update(old_revision=state["revision"], old_certificate=state["certificate_id"])
    return values


def _record_failure(conn: Connection, behind: Behind, brought: Brought, now: int) -> None:
    attempts = behind.state["attempts"] + 1
    wait = LAST_RETRY if brought.permanent else min(LAST_RETRY, FIRST_RETRY * 2 ** (attempts - 1))
    conn.execute(
        update(wallet_states)
        .where(
            wallet_states.c.serial == behind.state["serial"],
            wallet_states.c.wallet == behind.state["wallet"],
            wallet_states.c.target_revision == behind.state["target_revision"],
        )
        .values(attempts=attempts, retry_at=now + wait * 1_000_000, error_code=brought.code)
    )


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """Files as one value: a JSON line of (path, length), then their bytes."""
    head = orjson.dumps([(path, len(content)) for path, content in files.items()])
    return head + b"\n" + b"".join(files.values())


def unpack_files(packed: bytes) -> dict[str, bytes]:
    """What :func:`pack_files` packed.

    Raises:
        CryptoError: the lengths do not add up, so it was not packed by us.
    """
    head, _, body = packed.partition(b"\n")
    files = {}
    start = 0
    for path, length in orjson.loads(head):
        files[path] = body[start : start + length]
        start += length
    if start != len(body):
        raise CryptoError("Stored personal files have another length than recorded.")
    return files


def read_state(conn: Connection, serial: str, wallet: str) -> Mapping[str, Any] | None:
    """The wallet state of a serial number, or None."""
    query = select(wallet_states).where(wallet_states.c.serial == serial, wallet_states.c.wallet == wallet)
    row = conn.execute(query).mappings().first()
    return None if row is None else dict(row)
