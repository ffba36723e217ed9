"""Public halves of certificates: what the gateway needs to put a signed pass together again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from passflow.errors import StoreError
from passflow.store.statements import insert_new
from passflow.store.tables import certificates


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """The public half of a certificate that passes are signed with.

    Attributes:
        certificate_id: SHA-256 of the leaf's DER, hex.
        pass_type: pass type identifier.
        team: Apple's team identifier.
        leaf: DER of the certificate.
        chain: concatenated DER of the intermediates.
        not_after: end of its validity.
    """

    certificate_id: str
    pass_type: str
    team: str
    leaf: bytes = field(repr=False)
    chain: bytes = field(repr=False)
    not_after: datetime


def add_certificate(conn: Connection, certificate: StoredCertificate, *, now: int) -> None:
    """Keeps a certificate; keeping it twice changes nothing.

    Raises:
        StoreError: the id is not the leaf's hash, or ``not_after`` has no time zone.
    """
    if hashlib.sha256(certificate.leaf).hexdigest() != certificate.certificate_id:
        raise StoreError(
            f"Certificate id {certificate.certificate_id[:12]!r} does not belong to the certificate.",
            fix="Use the SHA-256 of the leaf's DER.",
            code="certificate.id",
        )
    if certificate.not_after.tzinfo is None:
        raise StoreError(
            f"The end of certificate {certificate.certificate_id[:12]} has no time zone.", code="certificate.date"
        )
    row = {
        "certificate_id": certificate.certificate_id,
        "pass_type": certificate.pass_type,
        "team": certificate.team,
        "leaf": certificate.leaf,
        "chain": certificate.chain,
        "not_after": int(certificate.not_after.timestamp()) * 1_000_000,
        "created_at": now,
    }
    insert_new(conn, certificates, [row])


def load_certificate(conn: Connection, certificate_id: str) -> StoredCertificate:
    """The certificate with this id.

    Raises:
        StoreError: it is not kept.
    """
    query = select(certificates).where(certificates.c.certificate_id == certificate_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise StoreError(
            f"The store does not keep the certificate {certificate_id[:12]}.",
            fix="Sign the passes again: `passflow apply`.",
            code="certificate.missing",
        )
    return _stored(row)


def list_certificates(conn: Connection) -> list[StoredCertificate]:
    """Every certificate that is kept, the one that ends first leading."""
    query = select(certificates).order_by(certificates.c.not_after, certificates.c.certificate_id)
    return [_stored(row) for row in conn.execute(query)]


def _stored(row: Row[Any]) -> StoredCertificate:
    return StoredCertificate(
        certificate_id=row.certificate_id,
        pass_type=row.pass_type,
        team=row.team,
        leaf=bytes(row.leaf),
        chain=bytes(row.chain),
        not_after=datetime.fromtimestamp(row.not_after // 1_000_000, UTC),
    )
