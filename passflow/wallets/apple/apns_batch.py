"""What one batch of pushes is made of, and what it remembers while it runs."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from passflow.errors import PushError
from passflow.wallets.apple.apns_answers import PushAction, PushResult, fix_for
from passflow.wallets.apple.push_transport import Headers

# What a token is, APNs decides (its size may not be assumed); here only what could change the path is refused.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,255}")


@dataclass(frozen=True, slots=True)
class PushJob:
    """One device token to be told of one pass type's changes.

    Args:
        token: what the device registered as its ``pushToken``.
        topic: pass type identifier, sent as ``apns-topic``.
        attempt: how often this push was answered with ``retry`` before.
    """

    token: str = field(repr=False)
    topic: str
    attempt: int = 0


class PushSettings(BaseModel):
    """How passes are pushed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    push_type: Literal["background", "alert"] | None = Field(
        None, description="`apns-push-type`; Apple lists no value for passes, so none is sent unless set."
    )
    priority: Literal[5, 10] | None = Field(
        None, description="`apns-priority`; none sent means 10, at once. Type `background` requires 5 and is throttled."
    )
    in_flight: int = Field(1000, ge=1, description="Pushes that wait for an answer at the same time, at most.")
    max_refused_tokens: int = Field(
        100, ge=1, description="Tokens refused in a row before the batch stops and none of them is dropped."
    )
    max_unavailable: int = Field(200, ge=1, description="Pushes to be retried in a row before the batch stops.")


@dataclass(frozen=True, slots=True)
class PushSummary:
    """What a batch came to.

    Args:
        counts: jobs per action.
        reasons: jobs per reason, where APNs gave one.
        duplicates: jobs that named a token and topic already pushed in this batch.
        seconds: how long it took.
    """

    counts: dict[PushAction, int]
    reasons: dict[str, int]
    duplicates: int
    seconds: float


OnResult = Callable[[PushJob, PushResult], None]


class Pace:
    """Lets one push through at a time, evenly spaced."""

    def __init__(
        self, per_second: float | None, clock: Callable[[], float], sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        if per_second is not None and not per_second > 0:
            raise PushError("pace_per_second must be above 0, or None for no limit.", code="push.pace")
        self._gap = 1 / per_second if per_second else 0.0
        self._clock, self._sleep = clock, sleep
        self._gate = asyncio.Lock()
        self._next = float("-inf")

    async def turn(self, batch: Batch) -> None:
        """Returns when the next push is due, or the batch has stopped."""
        if not self._gap:
            return
        async with self._gate:  # only one worker sleeps, so that a stop is not delayed by all the others
            now = self._clock()
            while now < self._next and not batch.stopped:
                await self._sleep(self._next - now)
                now = self._clock()
            self._next = max(self._next, now) + self._gap


class Batch:
    """The counts, the streaks and the reason to stop of one `push_all`."""

    def __init__(self, on_result: OnResult, settings: PushSettings) -> None:
        self.settings = settings
        self.stopped = False
        self.error: PushError | None = None
        self.credential_fault = False
        self.duplicates = 0
        self.counts: Counter[PushAction] = Counter()
        self.reasons: Counter[str] = Counter()
        self._on_result = on_result
        self._held: list[tuple[PushJob, PushResult]] = []
        self._unavailable = 0
        self._headers: dict[str, Headers] = {}

    def distinct(self, jobs: Iterable[PushJob]) -> Iterator[PushJob]:
        """Yields each (token, topic) once."""
        seen: dict[str, set[str]] = {}
        for job in jobs:
            tokens = seen.setdefault(job.topic, set())
            if job.token in tokens:
                self.duplicates += 1
                continue
            tokens.add(job.token)
            yield job

    def sendable(self, token: str) -> bool:
        """Whether a token can stand in a path as it is."""
        return _TOKEN.fullmatch(token) is not None

    def headers(self, topic: str) -> Headers:
        """Returns the headers of a topic's pushes, the same tuple each time."""
        if topic not in self._headers:
            if not _TOPIC.fullmatch(topic):
                raise PushError(
                    "A pass type identifier cannot be sent as apns-topic: it has characters beyond letters, digits, '.', '-', '_'.",
                    fix="Correct the pass type identifier in the program file.",
                    code="push.topic",
                )
            optional = (("apns-push-type", self.settings.push_type), ("apns-priority", self.settings.priority))
            self._headers[topic] = (("apns-topic", topic), *((k, str(v)) for k, v in optional if v is not None))
        return self._headers[topic]

    def settle(self, job: PushJob, result: PushResult) -> None:
        """Takes APNs' verdict on one job: reports it, holds it back, or stops the batch."""
        match result.action:
            case PushAction.STOP:
                self.credential_fault |= result.status == 403
                what = f"APNs refused a push for {job.topic} with {result.status} {result.reason or 'and no reason'}"
                self._stop("push.refused", what, fix_for(result.status))
                return
            case PushAction.DROP:
                # A wrong certificate or topic makes every token look bad; held back, it costs no registration.
                self._held.append((job, result))
                if len(self._held) >= self.settings.max_refused_tokens:
                    what = f"APNs refused {len(self._held)} device tokens in a row, the last with {result.reason}"
                    fix = (
                        "Check that certificate and pass type identifier belong together; no registration was dropped."
                    )
                    self._stop("push.tokens", what, fix)
                return
            case PushAction.RETRY:
                self._unavailable += 1
                if self._unavailable >= self.settings.max_unavailable:
                    what = f"APNs took none of {self._unavailable} pushes in a row, the last with {result.status} {result.reason or 'and no reason'}"
                    self._stop("push.unavailable", what, "Push again in 15 minutes; phones not yet told stay queued.")
            case _:
                self._unavailable = 0
                if not self.error:
                    self.release(PushAction.DROP)
        self.report(job, result)

    def release(self, action: PushAction) -> None:
        """Reports the tokens held back: dropped, or to be retried when the refusals are not believed."""
        held, self._held = self._held, []
        for job, result in held:
            doubted = result._replace(action=action, retry_after=None if action is PushAction.DROP else 900.0)
            self.report(job, doubted)

    def report(self, job: PushJob, result: PushResult) -> None:
        """Counts a result and hands it to the caller."""
        self.counts[result.action] += 1
        if result.reason:
            self.reasons[result.reason] += 1
        self._on_result(job, result)

    def _stop(self, code: str, what: str, fix: str) -> None:
        self.stopped = True
        if self.error is None:
            told = sum(self.counts.values())
            self.error = PushError(f"{what}. {told} pushes of this batch were answered before.", fix=fix, code=code)
