"""The table of answers, against Apple's documentation, and against anything else a server may say."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.wallets.apple.apns_answers import PushAction, classify
from passflow.wallets.apple.push_transport import NO_ANSWER, REFUSED_STREAM, Answer, read_refusal

# https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
# Table 4 of that page, with the action that each line asks of a sender of pass updates.
DOCUMENTED = {
    (400, "BadCollapseId"): "stop",
    (400, "BadDeviceToken"): "drop",
    (400, "BadExpirationDate"): "stop",
    (400, "BadMessageId"): "stop",
    (400, "BadPriority"): "stop",
    (400, "BadTopic"): "stop",
    (400, "DeviceTokenNotForTopic"): "drop",
    (400, "DuplicateHeaders"): "stop",
    (400, "IdleTimeout"): "stop",
    (400, "InvalidPushType"): "stop",
    (400, "MissingDeviceToken"): "stop",
    (400, "MissingTopic"): "stop",
    (400, "PayloadEmpty"): "stop",
    (400, "TopicDisallowed"): "stop",
    (403, "BadCertificate"): "stop",
    (403, "BadCertificateEnvironment"): "stop",
    (403, "BadEnvironmentKeyIdInToken"): "stop",
    (403, "ExpiredProviderToken"): "stop",
    (403, "Forbidden"): "stop",
    (403, "InvalidProviderToken"): "stop",
    (403, "MissingProviderToken"): "stop",
    (403, "UnrelatedKeyIdInToken"): "stop",
    (404, "BadPath"): "stop",
    (405, "MethodNotAllowed"): "stop",
    (410, "ExpiredToken"): "gone",
    (410, "Unregistered"): "gone",
    (413, "PayloadTooLarge"): "stop",
    (429, "TooManyProviderTokenUpdates"): "retry",
    (429, "TooManyRequests"): "retry",
    (500, "InternalServerError"): "retry",
    (503, "ServiceUnavailable"): "retry",
    (503, "Shutdown"): "retry",
}


@pytest.mark.parametrize(("answer", "action"), [*DOCUMENTED.items(), ((200, None), "accepted")])
def test_every_documented_answer(answer, action):
    result = classify(Answer(*answer))
    assert result.action == action
    assert (result.status, result.reason) == answer
    assert (result.retry_after is not None) == (action == "retry")


@pytest.mark.parametrize(
    ("status", "action"),
    [(0, "retry"), (400, "retry"), (402, "retry"), (403, "stop"), (410, "gone"), (429, "retry"), (502, "retry")],
)
@pytest.mark.parametrize("reason", [None, "SomethingNewInNextYearsApns"])
def test_unknown_reasons_go_by_their_status(status, reason, action):
    assert classify(Answer(status, reason)).action == action


@pytest.mark.parametrize(
    ("status", "reason", "attempt", "minutes"),
    [
        (503, "ServiceUnavailable", 0, 15),
        (500, "InternalServerError", 1, 30),
        (503, "Shutdown", 2, 60),
        (503, "Shutdown", 50, 360),
        (503, "Shutdown", -3, 15),
        (429, "TooManyProviderTokenUpdates", 0, 20),
        (429, "TooManyRequests", 0, 1),
        (429, "TooManyRequests", 3, 8),
        (0, NO_ANSWER, 0, 1),
        (0, REFUSED_STREAM, 0, 1),
        (502, None, 0, 15),
    ],
)
def test_the_delay_doubles_up_to_six_hours(status, reason, attempt, minutes):
    assert classify(Answer(status, reason), attempt).retry_after == minutes * 60


def test_gone_tells_since_when():
    # Apple's own example of a 410 body
    body = b'{"reason":"Unregistered","timestamp":1629387600000}'
    result = classify(Answer(410, *read_refusal(body)))
    assert result.gone_at == datetime(2021, 8, 19, 15, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"7",
        b"\xff\xfe",
        b'"reason"',
        b"<html>",
        b'{"reason": 7, "timestamp": "x"}',
        b'{"reason": null, "timestamp": -1}',
        b'{"reason": "0123456789abcdef", "timestamp": 1e30}',
        b'{"reason": "Bad\\nReason", "timestamp": true}',
        b'{"reason": "' + b"A" * 5000 + b'", "timestamp": 99999999999999999999}',
        b"[" * 4000,
    ],
)
def test_hostile_bodies_have_neither_reason_nor_timestamp(body):
    assert read_refusal(body) == (None, None)


def test_a_token_that_a_proxy_echoes_is_no_reason():
    token = "9f" * 32
    assert read_refusal(b'{"reason": "%s"}' % token.encode()) == (None, None)


@given(st.integers(-5, 10_000), st.binary(max_size=200), st.integers(-3, 10**9))
def test_any_status_and_body_mean_something(status, body, attempt):
    reason, timestamp = read_refusal(body)
    result = classify(Answer(status, reason, timestamp), attempt)
    assert result.action in PushAction
    assert result.retry_after is None or (math.isfinite(result.retry_after) and result.retry_after > 0)


@given(
    st.integers(100, 599),
    st.one_of(st.none(), st.text(), st.integers(), st.sampled_from([reason for _, reason in DOCUMENTED])),
    st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text()),
)
def test_any_json_refusal_means_something(status, reason, timestamp):
    import json

    word, moment = read_refusal(json.dumps({"reason": reason, "timestamp": timestamp}).encode())
    result = classify(Answer(status, word, moment))
    assert result.action in PushAction
    assert result.gone_at is None or result.gone_at.tzinfo is UTC
    if (status, reason) in DOCUMENTED:
        assert result.action == DOCUMENTED[status, reason]
