"""A server that speaks nonsense, and secrets that must not be seen anywhere."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passflow.errors import CertificateError, PassflowError
from passflow.testing.apns import Reply
from passflow.wallets.apple.apns import PushAction, PushJob, PushSettings
from passflow.wallets.apple.push_auth import ProviderToken, client_context

from .push_helpers import TOPIC, Results, fake_apns, jobs, material, pem, push_over, run, tokens, transport

FRAME = st.one_of(
    st.binary(min_size=1, max_size=80),
    st.builds(
        lambda i, d: DataFrame(i, d, flags=["END_STREAM"]).serialize(), st.integers(1, 9), st.binary(max_size=30)
    ),
    st.builds(
        lambda i, d: HeadersFrame(i, d, flags=["END_HEADERS"]).serialize(), st.integers(1, 9), st.binary(max_size=30)
    ),
    st.builds(lambda i, d: ContinuationFrame(i, d).serialize(), st.integers(1, 9), st.binary(max_size=30)),
    st.builds(lambda i, d: PushPromiseFrame(i, 2, d).serialize(), st.integers(1, 9), st.binary(max_size=30)),
    st.builds(lambda i, c: RstStreamFrame(i, c).serialize(), st.integers(1, 9), st.integers(0, 2**32 - 1)),
    st.builds(lambda d: PingFrame(0, d).serialize(), st.binary(min_size=8, max_size=8)),
    st.builds(lambda i, n: WindowUpdateFrame(i, n).serialize(), st.integers(0, 9), st.integers(1, 2**31 - 1)),
    st.builds(
        lambda i, d: GoAwayFrame(0, i, additional_data=d).serialize(), st.integers(0, 2**31 - 1), st.binary(max_size=40)
    ),
    st.builds(
        lambda k, v: SettingsFrame(0, {k: v}).serialize(),
        st.integers(1, 8),
        st.sampled_from([0, 1, 5, 2**31 - 1, 2**32 - 1]),
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(FRAME, min_size=1, max_size=4))
def test_whatever_the_server_sends_every_token_gets_one_result(frames):
    names = tokens(6)
    with fake_apns() as apns:
        apns.script(names[2], Reply(fault="garbage", body=b"".join(frames)), Reply())
        patience = {"answer_timeout": 0.3, "connect_timeout": 2.0, "max_connects": 20, "max_attempts": 3}
        results, _ = run(transport(apns.port, **patience), jobs(names), settings=PushSettings(in_flight=3))
    results.assert_once_each(names)
    # an answer made up for a stream may be believed, as any answer is; what is unsure is never dropped
    assert set(results.actions) <= {"accepted", "retry"}


@pytest.fixture
def everything_logged():
    """All that any logger of this process says, down to DEBUG."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    # the fake's own decoder logs what it reads; only the client's side is judged
    handler.addFilter(lambda record: record.threadName != "fake-apns")
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    for name in list(root.manager.loggerDict):
        logging.getLogger(name).disabled = False  # a library's logging set-up may have switched it off
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


CANARY = "c0ffee" * 10 + "cafe"
REPLIES = [
    Reply(),
    Reply(410, "Unregistered", 1_700_000_000_000),
    Reply(400, "BadDeviceToken"),
    Reply(400, body=json.dumps({"reason": CANARY}).encode()),
    Reply(403, "BadCertificate"),
    Reply(403, body=json.dumps({"reason": CANARY}).encode()),
    Reply(503, "ServiceUnavailable"),
    Reply(fault="reset"),
    Reply(fault="refuse"),
    Reply(fault="silent"),
    Reply(fault="close"),
    Reply(fault="garbage"),
    Reply(fault="garbage", body=b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + CANARY.encode()),
]


@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_tokens_are_in_no_log_and_no_error(reply, everything_logged):
    results = Results()
    told = ""

    async def debugged() -> None:
        asyncio.get_running_loop().set_debug(True)
        await push_over(transport(port, answer_timeout=0.3), jobs([CANARY]), results)

    with fake_apns(reply=reply) as apns:
        port = apns.port
        try:
            asyncio.run(debugged())
        except PassflowError as exc:
            told = "".join(traceback.format_exception(exc)) + repr(exc)
    spoken = everything_logged.getvalue() + told + repr(results.calls)
    assert CANARY not in spoken
    assert CANARY[:16] not in spoken


def test_bearers_are_in_no_log(everything_logged):
    key = ec.generate_private_key(ec.SECP256R1())
    make = ProviderToken(pem(key), key_id="ABC123DEFG", team_id="TEAM123456")
    with fake_apns(ask_client=False) as apns:
        carrier = transport(apns.port, with_certificate=False, bearer=make)
        run(carrier, jobs(["ab12"]))
    signature = make().rsplit(".", 1)[1]
    assert "Decoded (b':status', b'200')" in everything_logged.getvalue()  # the libraries did speak
    assert signature not in everything_logged.getvalue()
    assert apns.pushes[0].headers["authorization"].endswith(signature)
    body = "".join(pem(key).decode().splitlines()[1:-1])
    assert body[:24] not in repr(make) + repr(carrier) + repr(vars(carrier))


def test_reprs_hide_tokens():
    assert CANARY not in repr(PushJob(CANARY, TOPIC))
    with fake_apns() as apns:
        run(transport(apns.port), jobs([CANARY]))
    assert apns.tokens == [CANARY]
    assert CANARY not in repr(apns.pushes)


def test_key_material_is_in_no_error():
    secret = material().client_key
    lines = secret.decode().splitlines()[1:-1]
    broken = secret.replace(lines[0][:8].encode(), b"!!!!!!!!")
    for call in (
        lambda: client_context(material().client, broken),
        lambda: client_context(b"nonsense", secret),
        lambda: ProviderToken(broken, key_id="ABC123DEFG", team_id="TEAM123456"),
    ):
        with pytest.raises(CertificateError) as caught:
            call()
        told = "".join(traceback.format_exception(caught.value))
        assert not any(line[8:32] in told for line in lines)


def test_a_reason_made_up_by_a_proxy_is_not_repeated():
    with fake_apns(reply=Reply(400, body=json.dumps({"reason": CANARY}).encode())) as apns:
        results, summary = run(transport(apns.port), jobs([CANARY]))
    assert results.by_token[CANARY].reason is None
    assert results.by_token[CANARY].action is PushAction.RETRY
    assert summary.reasons == {}
