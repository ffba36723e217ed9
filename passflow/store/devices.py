"""Devices and their registrations, as Apple's pass web service asks for them.

Locks are taken in one order everywhere: the pass, its wallet state, the device, its registrations.
https://developer.apple.com/documentation/walletpasses/adding-a-web-service-to-update-passes
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, select, update

from passflow.model import HASH_BYTES, EventKind
from passflow.security.encryption import DataKey, Slot
from passflow.store.engine import Store
from passflow.store.events import Subscribers, add_event, nobody, unknown_pass
from passflow.store.keys import store_key
from passflow.store.statements import insert, upsert
from passflow.store.tables import devices, passes, registrations, wallet_states

DAY: Final = 86_400
_TOKEN_SLOT: Final = Slot("devices", "push_token_sealed")
_SAME_PASS: Final = and_(
    wallet_states.c.serial == registrations.c.serial, wallet_states.c.pass_type == registrations.c.pass_type
)
_UPDATABLE: Final = (
    select(registrations.c.serial, wallet_states.c.published)
    .join(wallet_states, _SAME_PASS)
    .where(
        registrations.c.device_hash == bindparam("device"),
        registrations.c.pass_type == bindparam("topic"),
        wallet_states.c.published > bindparam("since"),
    )
    .order_by(registrations.c.serial)
)


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering did.

    Attributes:
        new: the device had not registered this pass (201); False where it had (200).
    """

    new: bool


@dataclass(frozen=True, slots=True)
class Updatable:
    """What a device should fetch.

    Attributes:
        serials: serial numbers of its passes that changed, in order.
        tag: what it hands in next time; grows whenever serials are named.
    """

    serials: tuple[str, ...]
    tag: str


def device_hash(store: Store, device_id: str) -> bytes:
    """Keyed hash of a device library identifier, 16 bytes.

    Raises:
        CryptoError: this process does not hold the master key ``packages``.
    """
    return _keyed_hash(store, "device library identifier", device_id)


def push_token_hash(store: Store, push_token: str) -> bytes:
    """Keyed hash of a push token, 16 bytes.

    Raises:
        CryptoError: this process does not hold the master key ``packages``.
    """
    return _keyed_hash(store, "push token", push_token)


def open_push_token(store: Store, device: bytes, sealed: bytes) -> str:
    """The push token of a device.

    Raises:
        CryptoError: the key is not held, or the row was altered.
    """
    return _TOKEN_SLOT.open(DataKey(store_key(store, "push_token")), device, sealed).decode()


def register(
    store: Store,
    conn: Connection,
    *,
    device_id: str,
    push_token: str,
    pass_type: str,
    serial: str,
    subscribers: Subscribers = nobody,
) -> Registered:
    """Records that a device holds a pass; the first device of a pass makes it installed, once.

    A pass that was published within the last 24 hours counts as behind: the device may have fetched the bytes before.

    Args:
        store: the store.
        conn: an open write transaction.
        device_id: device library identifier.
        push_token: replaces the one known for this device.
        pass_type: pass type identifier.
        serial: serial number; its authentication token was checked by the caller.
        subscribers: which CRMs hear of the installation.

    Raises:
        StoreError: no pass of this type has the serial number.
    """
    now = store.now(conn)
    state = _lock_pass(conn, pass_type, serial)
    if state is None:
        raise unknown_pass(serial)
    device = device_hash(store, device_id)
    moved = _save_device(store, conn, device, push_token, now)
    recent = state.last_modified is not None and state.last_modified >= now // 1_000_000 - DAY
    pushed = 0 if recent or state.published is None else state.published
    row = {"device_hash": device, "pass_type": pass_type, "serial": serial}
    statement = insert(conn, registrations).values(**row, pushed=pushed, created_at=now, updated_at=now)
    statement = statement.on_conflict_do_nothing()
    new = conn.execute(statement.returning(registrations.c.serial)).first() is not None
    if not new:
        changes: dict[str, Any] = {"updated_at": now}
        if moved and recent:
            changes["pushed"] = 0  # a push to the old token may never have arrived
        conn.execute(update(registrations).where(*_is(registrations, row)).values(**changes))
    if state.installation != "installed":
        _turn(conn, state, "installed", now, subscribers)
    return Registered(new)


def unregister(
    store: Store,
    conn: Connection,
    *,
    device_id: str,
    pass_type: str,
    serial: str,
    subscribers: Subscribers = nobody,
) -> bool:
    """Forgets that a device holds a pass; the last device to go makes the pass uninstalled, once.

    Args:
        store: the store.
        conn: an open write transaction.
        device_id: device library identifier.
        pass_type: pass type identifier.
        serial: serial number.
        subscribers: which CRMs hear of it.

    Returns:
        Whether the device was registered.
    """
    device = device_hash(store, device_id)
    gone = _remove(store, conn, device, pass_type=pass_type, serial=serial, subscribers=subscribers)
    _forget_idle_device(conn, device)
    return gone


def drop_token(
    store: Store,
    conn: Connection,
    token_hash: bytes,
    *,
    not_after_ms: int | None = None,
    subscribers: Subscribers = nobody,
) -> int:
    """Removes the devices of a push token that APNs will not take any more, and all their registrations.

    Args:
        store: the store.
        conn: an open write transaction.
        token_hash: of the token that was refused; a device that has another by now stays.
        not_after_ms: the ``timestamp`` of a 410 answer, milliseconds: a device that registered later stays.
        subscribers: which CRMs hear of passes that are on no device any more.

    Returns:
        How many registrations were removed.
    """
    condition = [devices.c.push_token_hash == token_hash]
    if not_after_ms is not None:
        condition.append(devices.c.updated_at <= not_after_ms * 1000)
    removed = 0
    for device in conn.execute(select(devices.c.device_hash).where(*condition)).scalars().all():
        held = select(registrations.c.pass_type, registrations.c.serial).where(registrations.c.device_hash == device)
        rows = conn.execute(held.order_by(registrations.c.serial)).all()
        for _, serial in rows:  # passes are locked before the device, and in one order
            conn.execute(select(passes.c.serial).where(passes.c.serial == serial).with_for_update())
        still = select(devices.c.device_hash).where(devices.c.device_hash == device, *condition).with_for_update()
        if conn.execute(still).first() is None:
            continue  # it registered again while we waited
        for pass_type, serial in rows:
            removed += _remove(store, conn, device, pass_type=pass_type, serial=serial, subscribers=subscribers)
        _forget_idle_device(conn, device)
    return removed


def updatable(store: Store, conn: Connection, *, device_id: str, pass_type: str, since: str | None) -> Updatable:
    """The device's passes of one type that were published after its tag; all of them without a tag, or with a strange one.

    Args:
        store: the store.
        conn: an open read.
        device_id: device library identifier.
        pass_type: pass type identifier.
        since: the tag the device hands in.
    """
    known = int(since) if since and len(since) <= 18 and since.isascii() and since.isdigit() else 0
    device = device_hash(store, device_id)
    rows = conn.execute(_UPDATABLE, {"device": device, "topic": pass_type, "since": known}).all()
    return Updatable(tuple(row.serial for row in rows), str(max((row.published for row in rows), default=known)))


def count_registrations(conn: Connection, program: str) -> int:
    """Registrations of a program's passes: phones that a change of every pass would ring, at most."""
    query = select(func.count()).select_from(registrations.join(wallet_states, _SAME_PASS))
    return int(conn.execute(query.where(wallet_states.c.program == program)).scalar_one())


def _lock_pass(conn: Connection, pass_type: str, serial: str) -> Row[Any] | None:
    conn.execute(select(passes.c.serial).where(passes.c.serial == serial).with_for_update())
    same = (wallet_states.c.serial == serial, wallet_states.c.pass_type == pass_type)
    columns = ("serial", "wallet", "installation", "published", "last_modified")
    return conn.execute(select(*(wallet_states.c[name] for name in columns)).where(*same).with_for_update()).first()


def _save_device(store: Store, conn: Connection, device: bytes, push_token: str, now: int) -> bool:
    """Records the device's token and returns whether it is another than before."""
    token = push_token_hash(store, push_token)
    present = select(devices.c.push_token_hash).where(devices.c.device_hash == device).with_for_update()
    before = conn.execute(present).scalar_one_or_none()
    if before == token:
        conn.execute(update(devices).where(devices.c.device_hash == device).values(updated_at=now))
        return False
    sealed = _TOKEN_SLOT.seal(DataKey(store_key(store, "push_token")), device, push_token.encode())
    row = {"device_hash": device, "push_token_hash": token, "push_token_sealed": sealed}
    statement = upsert(conn, devices, update=("push_token_hash", "push_token_sealed", "updated_at"))
    conn.execute(statement, [{**row, "created_at": now, "updated_at": now}])
    return True


def _remove(
    store: Store, conn: Connection, device: bytes, *, pass_type: str, serial: str, subscribers: Subscribers
) -> bool:
    state = _lock_pass(conn, pass_type, serial)
    row = {"device_hash": device, "pass_type": pass_type, "serial": serial}
    if conn.execute(delete(registrations).where(*_is(registrations, row))).rowcount == 0:
        return False
    same = (registrations.c.serial == serial, registrations.c.pass_type == pass_type)
    others = conn.execute(select(registrations.c.serial).where(*same).limit(1)).first()
    if state is not None and others is None and state.installation == "installed":
        _turn(conn, state, "uninstalled", store.now(conn), subscribers)
    return True


def _turn(
    conn: Connection, state: Row[Any], to: Literal["installed", "uninstalled"], now: int, subscribers: Subscribers
) -> None:
    same = (wallet_states.c.serial == state.serial, wallet_states.c.wallet == state.wallet)
    conn.execute(update(wallet_states).where(*same).values(installation=to))
    kind = EventKind.INSTALLED if to == "installed" else EventKind.UNINSTALLED
    add_event(
        conn, serial=state.serial, kind=kind, wallet=state.wallet, occurred_at=now, now=now, subscribers=subscribers
    )


def _forget_idle_device(conn: Connection, device: bytes) -> None:
    # locked first: the second statement then sees a registration that came while the first one waited
    conn.execute(select(devices.c.device_hash).where(devices.c.device_hash == device).with_for_update())
    held = select(registrations.c.serial).where(registrations.c.device_hash == device)
    conn.execute(delete(devices).where(devices.c.device_hash == device, ~held.exists()))


def _is(table: Any, row: dict[str, Any]) -> Sequence[Any]:
    return [table.c[name] == value for name, value in row.items()]


def _keyed_hash(store: Store, purpose: str, text: str) -> bytes:
    # the length of the purpose is fixed by the NUL, which no purpose holds
    data = purpose.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=HASH_BYTES, key=store_key(store, "device")).digest()
