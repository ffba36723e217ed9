"""What an answer of APNs means for the registration that was pushed to: one table.

Source: https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from passflow.wallets.apple.push_transport import NO_ANSWER, REFUSED_STREAM, Answer


class PushAction(StrEnum):
    """What the caller does about one push."""

    ACCEPTED = "accepted"
    """APNs took it; whether the phone was reached shows when it asks for its passes."""
    RETRY = "retry"
    """The registration stays behind; push again after `PushResult.retry_after` seconds."""
    DROP = "drop"
    """Drop the registration: this token will never work."""
    GONE = "gone"
    """Delete the device and its registrations, unless it registered again after `PushResult.gone_at`."""
    STOP = "stop"
    """The fault is ours and every further push would meet it; never handed to ``on_result``."""


class PushResult(NamedTuple):
    """One push, judged.

    Args:
        action: what to do.
        status: HTTP status, 0 when no answer came.
        reason: APNs' word, None with 200.
        retry_after: seconds, with ``retry`` only.
        gone_at: aware UTC moment since when APNs knows the token to be gone, with ``gone``, when APNs told it.
        apns_id: APNs' id of the notification.
    """

    action: PushAction
    status: int
    reason: str | None = None
    retry_after: float | None = None
    gone_at: datetime | None = None
    apns_id: str | None = None


CONFIG_FIX = "Correct the pass type identifier or the push settings of the program; phones not yet told stay queued."
CREDENTIAL_FIX = "Use the certificate (or token key) of the pass type's own team and renew it if it ended; phones not yet told stay queued."

_RETRY, _DROP, _STOP = PushAction.RETRY, PushAction.DROP, PushAction.STOP

_ACTIONS: dict[tuple[int, str], PushAction] = {
    (400, "BadDeviceToken"): _DROP,
    (400, "DeviceTokenNotForTopic"): _DROP,
    (400, "BadCollapseId"): _STOP,
    (400, "BadExpirationDate"): _STOP,
    (400, "BadMessageId"): _STOP,
    (400, "BadPriority"): _STOP,
    (400, "BadTopic"): _STOP,
    (400, "DuplicateHeaders"): _STOP,
    (400, "IdleTimeout"): _STOP,
    (400, "InvalidPushType"): _STOP,
    (400, "MissingDeviceToken"): _STOP,
    (400, "MissingTopic"): _STOP,
    (400, "PayloadEmpty"): _STOP,
    (400, "TopicDisallowed"): _STOP,
}

# For reasons that APNs has not documented yet, and for those that all share one fate.
_BY_STATUS: dict[int, PushAction] = {
    200: PushAction.ACCEPTED,
    403: _STOP,  # BadCertificate, Forbidden, ExpiredProviderToken and the like
    404: _STOP,  # BadPath
    405: _STOP,  # MethodNotAllowed
    410: PushAction.GONE,  # Unregistered, ExpiredToken
    413: _STOP,  # PayloadTooLarge
}

_QUARTER_HOUR = 15 * 60.0  # Apple: after 500 and 503 wait 15 minutes, then back off
_FIRST_DELAY: dict[str, float] = {
    "TooManyProviderTokenUpdates": 20 * 60.0,  # a provider token may be renewed every 20 minutes
    "TooManyRequests": 60.0,
    NO_ANSWER: 60.0,
    REFUSED_STREAM: 60.0,
}
_LONGEST_DELAY = 6 * 3600.0


def classify(answer: Answer, attempt: int = 0) -> PushResult:
    """Says what an answer means; never raises, whatever the server said.

    Args:
        answer: what came back.
        attempt: how often this push was answered with ``retry`` before; each doubles the delay, up to six hours.
    """
    status, reason = answer.status, answer.reason
    action = _ACTIONS.get((status, reason or "")) or _BY_STATUS.get(status, _RETRY)
    delay = moment = None
    if action is _RETRY:
        delay = min(_FIRST_DELAY.get(reason or "", _QUARTER_HOUR) * 2.0 ** min(max(attempt, 0), 16), _LONGEST_DELAY)
    if action is PushAction.GONE and answer.timestamp is not None:
        moment = datetime.fromtimestamp(answer.timestamp / 1000, UTC)
    return PushResult(action, status, reason, delay, moment, answer.apns_id)


def fix_for(status: int) -> str:
    """The next step for an answer that stops the batch."""
    return CREDENTIAL_FIX if status == 403 else CONFIG_FIX
