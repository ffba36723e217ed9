"""Throw-away TLS material, and ways to push at a fake APNs from a test."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from passflow.testing.apns import FakeApns
from passflow.wallets.apple.apns import PushJob, PushResult, PushSettings, PushSummary, push_all
from passflow.wallets.apple.h2_transport import H2Transport, TransportSettings
from passflow.wallets.apple.push_auth import client_context

TOPIC = "pass.com.example.club"


@dataclass(frozen=True)
class Material:
    """A root, a server certificate and a client certificate under it, all PEM."""

    root: bytes
    server: bytes
    server_key: bytes
    client: bytes
    client_key: bytes


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, ca: bool
) -> bytes:
    now = dt.datetime.now(dt.UTC)

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM)


@cache
def material() -> Material:
    root, server, client = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    return Material(
        certificate("root", root, "root", root, ca=True),
        certificate("server", server, "root", root, ca=False),
        pem(server),
        certificate("client", client, "root", root, ca=False),
        pem(client),
    )


def fake_apns(*, ask_client: bool = True, **options: Any) -> FakeApns:
    made = material()
    return FakeApns(made.server, made.server_key, client_roots=made.root if ask_client else None, **options)


def transport(port: int, *, bearer: Any = None, with_certificate: bool = True, **settings: Any) -> H2Transport:
    made = material()
    identity = (made.client, made.client_key) if with_certificate else (None, None)
    patience = {"connect_timeout": 5.0, "answer_timeout": 5.0, "backoff": 0.01} | settings
    where = TransportSettings(host="127.0.0.1", port=port, **patience)
    return H2Transport(client_context(*identity, trust=made.root), where, bearer=bearer)


def tokens(count: int) -> list[str]:
    return [f"{number:064x}" for number in range(count)]


def jobs(names: Iterable[str], topic: str = TOPIC) -> list[PushJob]:
    return [PushJob(name, topic) for name in names]


class Results:
    """Gathers what ``on_result`` was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[PushJob, PushResult]] = []

    def __call__(self, job: PushJob, result: PushResult) -> None:
        self.calls.append((job, result))

    @property
    def by_token(self) -> dict[str, PushResult]:
        return {job.token: result for job, result in self.calls}

    @property
    def actions(self) -> Counter[str]:
        return Counter(result.action.value for _, result in self.calls)

    def assert_once_each(self, names: Iterable[str]) -> None:
        assert Counter(job.token for job, _ in self.calls) == Counter(list(names))


async def push_over(carrier: H2Transport, batch: Iterable[PushJob], results: Results, **options: Any) -> PushSummary:
    await carrier.open()
    try:
        return await asyncio.wait_for(push_all(batch, carrier, on_result=results, **options), 60)
    finally:
        await carrier.close()


def run(carrier: H2Transport, batch: Iterable[PushJob], **options: Any) -> tuple[Results, PushSummary]:
    results = Results()
    return results, asyncio.run(push_over(carrier, batch, results, **options))


SMALL = PushSettings(in_flight=50)
