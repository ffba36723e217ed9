"""Tells phones that their passes changed: one empty push per device token and pass type.

What is pushed and what the answers mean is decided here; `passflow.wallets.apple.push_transport` carries it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from operator import length_hint

from passflow.errors import PushError
from passflow.wallets.apple.apns_answers import PushAction, PushResult, classify
from passflow.wallets.apple.apns_batch import Batch, OnResult, Pace, PushJob, PushSettings, PushSummary
from passflow.wallets.apple.push_transport import PushTransport

__all__ = ["OnResult", "PushAction", "PushJob", "PushResult", "PushSettings", "PushSummary", "push_all", "run_push"]


async def push_all(
    jobs: Iterable[PushJob],
    transport: PushTransport,
    *,
    on_result: OnResult,
    settings: PushSettings | None = None,
    pace_per_second: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> PushSummary:
    """Pushes each (token, topic) once over an open transport.

    Args:
        jobs: read as they are sent, so a generator is welcome; about 200 bytes are kept for each, to tell duplicates.
        transport: open; stays open, except after a credential fault.
        on_result: called once for each (token, topic) that was answered, on the loop's thread, in the order of the
            answers. It must be quick. What it raises ends the batch.
        settings: headers and limits.
        pace_per_second: pushes per second at most, so that phones do not ask the gateway for more than it can answer.
        clock: seconds, for pacing.
        sleep: waits, for pacing.

    Returns:
        The counts. A job that is to be retried is final for this batch: the registration stays behind, and a later
        batch pushes it again.

    Raises:
        PushError: the fault is not one device's. ``push.refused``: APNs refuses our request or credentials;
            ``push.tokens``: too many tokens refused in a row (those reported as ``retry``, none dropped);
            ``push.unavailable``: too many retries in a row; ``push.topic``: a topic that cannot be sent; and what the
            transport raises. Pushes in flight were waited for and reported; what was not reported stays queued.
    """
    batch = Batch(on_result, settings or PushSettings())
    pace = Pace(pace_per_second, clock, sleep)
    started = time.monotonic()
    queue = batch.distinct(jobs)

    async def work() -> None:
        try:
            while not batch.stopped:
                await pace.turn(batch)
                job = None if batch.stopped else next(queue, None)
                if job is None:
                    return
                headers = batch.headers(job.topic)
                if batch.sendable(job.token):
                    answer = await transport.push(job.token, headers)
                    batch.settle(job, classify(answer, job.attempt))
                else:
                    batch.report(job, PushResult(PushAction.DROP, 400, "BadDeviceToken"))
            transport.withdraw()
        except BaseException as exc:
            if batch.stopped and isinstance(exc, PushError) and exc.error_code == "push.withdrawn":
                return
            batch.stopped = True
            transport.withdraw()
            raise

    workers = [
        asyncio.ensure_future(work()) for _ in range(min(batch.settings.in_flight, length_hint(jobs, 1000) or 1))
    ]
    try:
        await asyncio.wait(workers)
    finally:
        batch.stopped = True
        for worker in workers:
            worker.cancel()
    errors = [error for worker in workers if (error := worker.exception())]
    if all(isinstance(error, PushError) for error in errors):
        batch.release(PushAction.RETRY if batch.error else PushAction.DROP)
    if batch.credential_fault:
        await transport.close()  # Apple: close all connections when a certificate was revoked
    if errors:
        raise batch.error or errors[0]
    if batch.error:
        raise batch.error
    return PushSummary(dict(batch.counts), dict(batch.reasons), batch.duplicates, time.monotonic() - started)


def run_push(
    jobs: Iterable[PushJob],
    transport: PushTransport,
    *,
    on_result: OnResult,
    settings: PushSettings | None = None,
    pace_per_second: float | None = None,
) -> PushSummary:
    """Opens the transport, pushes all jobs and closes it: `push_all` for code that is not asynchronous.

    Inside a running loop it blocks that loop and does its work, ``on_result`` included, on a thread of its own.

    Raises:
        PushError: as `push_all`, and when APNs cannot be reached.
    """

    async def whole() -> PushSummary:
        try:
            await transport.open()
            return await push_all(
                jobs, transport, on_result=on_result, settings=settings, pace_per_second=pace_per_second
            )
        finally:
            await transport.close()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(whole())
    with ThreadPoolExecutor(1, thread_name_prefix="passflow-push") as pool:
        return pool.submit(asyncio.run, whole()).result()
