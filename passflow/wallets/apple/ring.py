"""Telling phones: every device that holds a pass with newer published bytes gets one push per pass type.

What APNs answered is recorded in small transactions while the pushes run. A run that dies in between pushes some devices
once more: an empty push that a phone answers with "nothing new".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from passflow.ports import Rung
from passflow.store.devices import drop_token
from passflow.store.events import Subscribers
from passflow.store.pushes import BehindPush, behind_pushes, mark_pushed
from passflow.sync.points import reach
from passflow.sync.progress import Progress
from passflow.wallets.apple.apns import run_push
from passflow.wallets.apple.apns_answers import PushAction, PushResult
from passflow.wallets.apple.apns_batch import PushJob

if TYPE_CHECKING:
    from passflow.store.engine import Store
    from passflow.wallets.apple.push_transport import PushTransport

PAGE = 1_000
"""Devices read at a time, and results recorded at a time."""


@dataclass
class _Ringing:
    store: Store
    program: str
    subscribers: Subscribers
    progress: Progress
    by_job: dict[tuple[str, str], list[BehindPush]] = field(default_factory=dict)
    results: list[tuple[BehindPush, PushResult]] = field(default_factory=list)
    actions: Counter[PushAction] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    devices: int = 0

    def jobs(self) -> Iterator[PushJob]:
        """Pushes that are due, a page at a time, while those before them are under way."""
        after = b""
        while True:
            with self.store.read() as conn:
                page = behind_pushes(self.store, conn, programs=[self.program], after=after, limit=PAGE)
            if not page:
                return
            after = page[-1].device_hash
            for push in page:
                self.devices += 1
                # two devices may have registered one token: it is pushed once and settles both
                waiting = self.by_job.setdefault((push.push_token, push.topic), [])
                waiting.append(push)
                if len(waiting) == 1:
                    yield PushJob(push.push_token, push.topic)

    def note(self, job: PushJob, result: PushResult) -> None:
        """Takes one answer; records a page of them at once."""
        self.actions[result.action] += 1
        if result.reason:
            self.reasons[result.reason] += 1
        self.results += [(push, result) for push in self.by_job.pop((job.token, job.topic), [])]
        if len(self.results) >= PAGE:
            self.record()

    def record(self) -> None:
        """Records the answers that came in."""
        if not self.results:
            return
        reach("push.sent")
        accepted = [push for push, result in self.results if result.action is PushAction.ACCEPTED]
        with self.store.begin() as conn:
            mark_pushed(conn, accepted)
            for push, result in self.results:
                if result.action is PushAction.GONE:
                    moment = result.gone_at.timestamp() * 1000 if result.gone_at else push.selected_at / 1000
                    drop_token(
                        self.store, conn, push.push_token_hash, not_after_ms=int(moment), subscribers=self.subscribers
                    )
                elif result.action is PushAction.DROP:
                    drop_token(
                        self.store,
                        conn,
                        push.push_token_hash,
                        not_after_ms=push.selected_at // 1000,
                        subscribers=self.subscribers,
                    )
        self.results = []
        reach("push.recorded")
        self.progress("push", self.actions.total(), None)


def ring_phones(
    store: Store,
    program: str,
    transport: PushTransport,
    *,
    pace_per_second: float | None,
    subscribers: Subscribers,
    progress: Progress,
) -> Rung:
    """Pushes to every device of a program that is behind.

    Args:
        transport: to APNs, not yet open.
        pace_per_second: pushes per second at most.
        subscribers: CRMs that are told of passes whose last device is gone.

    Raises:
        PushError: APNs refuses our request or credentials, or cannot be reached; what it answered is recorded.
    """
    ringing = _Ringing(store, program, subscribers, progress)
    jobs = ringing.jobs()
    first = next(jobs, None)
    if first is None:
        return Rung()  # nobody to tell: no connection is opened
    try:
        run_push(_chain(first, jobs), transport, on_result=ringing.note, pace_per_second=pace_per_second)
    finally:
        ringing.record()
    return rung(ringing.actions, ringing.reasons)


def _chain(first: PushJob, rest: Iterator[PushJob]) -> Iterator[PushJob]:
    yield first
    yield from rest


def rung(actions: Mapping[PushAction, int], reasons: Mapping[str, int]) -> Rung:
    """The counts of a batch of pushes."""
    return Rung(
        told=actions.get(PushAction.ACCEPTED, 0),
        gone=actions.get(PushAction.GONE, 0) + actions.get(PushAction.DROP, 0),
        retry=actions.get(PushAction.RETRY, 0),
        reasons=dict(reasons),
    )
