"""Client certificates and provider tokens."""

from __future__ import annotations

import asyncio
import ssl
import tempfile

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)

from passflow.errors import CertificateError, PushError
from passflow.testing.apns import Limits, Reply
from passflow.wallets.apple.push_auth import ProviderToken, client_context

from .push_helpers import Results, fake_apns, jobs, material, pem, push_over, run, tokens, transport

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Clock:
    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def provider(clock: Clock | None = None) -> ProviderToken:
    return ProviderToken(pem(KEY), key_id="ABC123DEFG", team_id="TEAM123456", clock=clock or Clock())


def check_bearer(header: str | None) -> str | None:
    """Judges as APNs does, with pyjwt and the public key."""
    if header is None or not header.startswith("bearer "):
        return "MissingProviderToken"
    token = header.removeprefix("bearer ")
    try:
        claims = jwt.decode(token, PUBLIC, algorithms=["ES256"], options={"verify_iat": False})
    except jwt.InvalidTokenError:
        return "InvalidProviderToken"
    ours = claims["iss"] == "TEAM123456" and jwt.get_unverified_header(token) == {
        "alg": "ES256",
        "kid": "ABC123DEFG",
        "typ": "JWT",
    }
    return None if ours else "InvalidProviderToken"


def test_a_provider_token_is_what_apple_documents():
    clock = Clock()
    header = provider(clock)()
    assert check_bearer(header) is None
    claims = jwt.decode(header.removeprefix("bearer "), options={"verify_signature": False})
    assert claims == {"iss": "TEAM123456", "iat": 1_700_000_000}


def test_a_provider_token_is_renewed_between_20_and_60_minutes():
    clock = Clock()
    make = provider(clock)
    first = make()
    renewed_at = None
    for minute in range(61):
        clock.now = 1_700_000_000 + minute * 60
        if make() != first:
            renewed_at = minute
            break
    assert renewed_at is not None
    assert 20 < renewed_at < 60


def test_a_clock_set_back_makes_a_new_token():
    clock = Clock()
    make = provider(clock)
    first = make()
    clock.now -= 7200
    assert make() != first


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"not pem",
        pem(ec.generate_private_key(ec.SECP384R1())),
        rsa.generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
        PUBLIC,
    ],
)
def test_other_keys_make_no_provider_token(key):
    with pytest.raises(CertificateError, match="P-256") as caught:
        ProviderToken(key, key_id="ABC123DEFG", team_id="TEAM123456")
    assert caught.value.__cause__ is None


def test_pushing_with_a_provider_token():
    with fake_apns(ask_client=False, check_bearer=check_bearer) as apns:
        results, _ = run(transport(apns.port, with_certificate=False, bearer=provider()), jobs(tokens(50)))
    results.assert_once_each(tokens(50))
    assert results.actions == {"accepted": 50}
    assert apns.violations == []


def test_one_stream_until_the_first_valid_answer():
    with fake_apns(ask_client=False, check_bearer=check_bearer, reply=Reply(delay=0.1)) as apns:
        carrier = transport(apns.port, with_certificate=False, bearer=provider())

        async def watch() -> list[int]:
            seen: list[int] = []
            results = Results()
            task = asyncio.ensure_future(push_over(carrier, jobs(tokens(30)), results))
            while not task.done():
                seen.append((len(results.calls), apns.busiest))
                await asyncio.sleep(0.01)
            await task
            return seen

        seen = asyncio.run(watch())
    assert {busiest for answered, busiest in seen if not answered} <= {0, 1}
    assert apns.busiest == 29


def test_one_stream_is_kept_while_the_token_is_refused():
    with fake_apns(ask_client=False, check_bearer=lambda _: "ExpiredProviderToken") as apns:
        with pytest.raises(PushError, match="403 ExpiredProviderToken"):
            run(transport(apns.port, with_certificate=False, bearer=provider()), jobs(tokens(30)))
    assert apns.busiest == 1
    assert apns.violations == ["ExpiredProviderToken"]


def test_the_token_in_use_follows_the_clock_within_a_batch():
    clock = Clock()
    with fake_apns(ask_client=False, check_bearer=check_bearer, limits=Limits(max_streams=1)) as apns:
        carrier = transport(apns.port, with_certificate=False, bearer=provider(clock))

        def source():
            for number, job in enumerate(jobs(tokens(10))):
                if number == 5:
                    clock.now += 45 * 60
                yield job

        from passflow.wallets.apple.apns import PushSettings

        run(carrier, source(), settings=PushSettings(in_flight=1))
    assert len({push.headers["authorization"] for push in apns.pushes}) == 2


def test_a_bearer_that_fails_is_heard_of():
    def broken() -> str:
        raise RuntimeError("the key server is down")

    with fake_apns(ask_client=False) as apns, pytest.raises(RuntimeError, match="key server"):
        run(transport(apns.port, with_certificate=False, bearer=broken), jobs(["ab12"]))


def test_a_push_without_the_token_is_refused():
    with fake_apns(ask_client=False, check_bearer=check_bearer) as apns:
        with pytest.raises(PushError, match="MissingProviderToken"):
            run(transport(apns.port, with_certificate=False), jobs(["ab12"]))
    assert apns.pushes == []


def test_the_context_demands_modern_tls_and_checks_the_host():
    made = material()
    context = client_context(made.client, made.client_key, trust=made.root)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is True


def test_an_encrypted_key_is_opened_with_its_passphrase():
    made = material()
    key = ec.generate_private_key(ec.SECP256R1())
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    with pytest.raises(CertificateError, match="do not belong together"):
        client_context(made.client, sealed, passphrase=b"open sesame")
    with pytest.raises(CertificateError, match="cannot be read"):
        client_context(made.client, sealed, passphrase=b"wrong")
    with pytest.raises(CertificateError, match="cannot be read"):
        client_context(made.client, sealed)


@pytest.mark.parametrize("part", ["certificate", "key", "trust"])
def test_material_that_is_no_pem_is_refused(part):
    made = material()
    given = {"certificate": made.client, "key": made.client_key, "trust": made.root} | {part: b"-----BEGIN X-----\xff"}
    with pytest.raises(CertificateError, match="PEM"):
        client_context(**given)


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_half_an_identity_is_refused(missing):
    made = material()
    given = {"certificate": made.client, "key": made.client_key} | {missing: None}
    with pytest.raises(CertificateError, match="needs"):
        client_context(**given)


def test_the_key_never_lies_readable_in_a_file(tmp_path, monkeypatch):
    made = material()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self, path, **options):
        seen.append((path.read_bytes(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777))
        return load(self, path, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    client_context(made.client, made.client_key, trust=made.root)
    ((content, mode, folder_mode),) = seen
    assert (mode, folder_mode) == (0o600, 0o700)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert b"BEGIN PRIVATE KEY" not in content
    assert list(tmp_path.iterdir()) == []
