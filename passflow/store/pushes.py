"""Which devices have not yet been told of what was published, and remembering that they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, and_, bindparam, func, select, update

from passflow.store.devices import open_push_token
from passflow.store.engine import Store
from passflow.store.tables import devices, registrations, wallet_states


@dataclass(frozen=True, slots=True)
class BehindPush:
    """One push that is due: a device and one of its pass types, however many passes it holds of it.

    Attributes:
        device_hash: the device.
        topic: the pass type identifier, which is the ``apns-topic``.
        push_token: where to send it.
        push_token_hash: for :func:`passflow.store.devices.drop_token`.
        published: the highest published number it tells of.
        selected_at: when it was selected, on the store's clock.
    """

    device_hash: bytes
    topic: str
    push_token: str = field(repr=False)
    push_token_hash: bytes
    published: int
    selected_at: int


def behind_pushes(
    store: Store,
    conn: Connection,
    *,
    programs: Sequence[str] | None = None,
    published_after: int = 0,
    after: bytes = b"",
    limit: int = 1000,
) -> list[BehindPush]:
    """Devices that hold a pass with newer published bytes than they were told of, in order of their hash.

    Args:
        store: the store.
        conn: an open read.
        programs: whose passes; all programs when left out.
        published_after: look only at passes published after this number: quick right after a publication, because an
            index leads there. 0 finds everything, also devices that registered since.
        after: the ``device_hash`` of the last push of the page before.
        limit: at most so many devices (each with all its pass types).

    Raises:
        CryptoError: this process does not hold the master key ``packages``.
    """
    selected_at = store.now(conn)
    same = and_(
        wallet_states.c.serial == registrations.c.serial,
        wallet_states.c.pass_type == registrations.c.pass_type,
    )
    behind = [wallet_states.c.published > registrations.c.pushed]
    if programs is not None:
        behind.append(wallet_states.c.program.in_(programs))
    if published_after:
        behind.append(wallet_states.c.published > published_after)
    if after:
        behind.append(registrations.c.device_hash > after)
    due = (
        select(
            registrations.c.device_hash,
            registrations.c.pass_type,
            func.max(wallet_states.c.published).label("published"),
        )
        .join(wallet_states, same)
        .where(*behind)
        .group_by(registrations.c.device_hash, registrations.c.pass_type)
        .order_by(registrations.c.device_hash, registrations.c.pass_type)
        .limit(limit + 1)
        .subquery()
    )
    columns = (due, devices.c.push_token_hash, devices.c.push_token_sealed)
    query = select(*columns).join(devices, devices.c.device_hash == due.c.device_hash)
    rows = conn.execute(query.order_by(due.c.device_hash, due.c.pass_type)).all()
    if len(rows) > limit:
        # the next page begins behind a device, so a device must not be torn apart
        torn = rows[-1].device_hash
        whole = [row for row in rows if row.device_hash != torn]
        rows = whole or rows
    return [
        BehindPush(
            device_hash=bytes(row.device_hash),
            topic=row.pass_type,
            push_token=open_push_token(store, bytes(row.device_hash), bytes(row.push_token_sealed)),
            push_token_hash=bytes(row.push_token_hash),
            published=row.published,
            selected_at=selected_at,
        )
        for row in rows
    ]


def mark_pushed(conn: Connection, pushes: Sequence[BehindPush]) -> int:
    """Remembers that APNs took these pushes; a registration made since they were selected stays behind.

    Returns:
        How many registrations are no longer behind.
    """
    if not pushes:
        return 0
    in_order = sorted(pushes, key=lambda push: (push.device_hash, push.topic))
    rows = [
        {"device": push.device_hash, "topic": push.topic, "number": push.published, "at": push.selected_at}
        for push in in_order
    ]
    return int(conn.execute(_MARK, rows).rowcount)


_MARK: Final = (
    update(registrations)
    .where(
        registrations.c.device_hash == bindparam("device"),
        registrations.c.pass_type == bindparam("topic"),
        registrations.c.pushed < bindparam("number"),
        registrations.c.updated_at <= bindparam("at"),
    )
    .values(pushed=bindparam("number"))
)
