"""What a batch of pushes does: one push per token and topic, one result each, and when it stops."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest

from passflow.errors import PushError
from passflow.testing.apns import Reply
from passflow.wallets.apple.apns import PushAction, PushJob, PushSettings, push_all, run_push
from passflow.wallets.apple.push_transport import Answer

from .push_helpers import TOPIC, Results, fake_apns, jobs, push_over, run, tokens, transport


def failing(apns, batch, **options):
    """Runs a batch that must stop; returns what was reported, and the error."""
    results = Results()
    with pytest.raises(PushError) as caught:
        asyncio.run(push_over(transport(apns.port), batch, results, **options))
    return results, caught.value


def test_each_action_reaches_the_caller():
    names = [f"{name:04x}" for name in range(7)]
    with fake_apns() as apns:
        apns.script(names[1], Reply(410, "Unregistered", 1_629_387_600_000))
        apns.script(names[2], Reply(400, "BadDeviceToken"))
        apns.script(names[3], Reply(429, "TooManyRequests"))
        apns.script(names[4], Reply(500, "InternalServerError"))
        apns.script(names[5], Reply(503, "ServiceUnavailable"))
        apns.script(names[6], Reply(410, "ExpiredToken"))
        results, summary = run(transport(apns.port), jobs(names))
    results.assert_once_each(names)
    verdicts = results.by_token
    assert [verdicts[name].action.value for name in names] == [
        *("accepted", "gone", "drop", "retry", "retry", "retry", "gone"),
    ]
    assert verdicts[names[1]].gone_at == datetime(2021, 8, 19, 15, 40, tzinfo=UTC)
    assert verdicts[names[6]].gone_at is None
    assert [verdicts[name].retry_after for name in names[3:6]] == [60, 900, 900]
    assert summary.counts == {"accepted": 1, "gone": 2, "drop": 1, "retry": 3}
    assert summary.reasons["BadDeviceToken"] == 1
    assert summary.seconds > 0
    assert Counter(apns.tokens) == Counter(names)  # nothing is pushed twice within a batch


def test_the_attempts_of_the_caller_lengthen_the_delay():
    with fake_apns(reply=Reply(503, "ServiceUnavailable")) as apns:
        results, _ = run(transport(apns.port), [PushJob("ab12", TOPIC, attempt=2)])
    assert results.by_token["ab12"].retry_after == 3600


def test_one_push_per_token_and_topic():
    twice = [PushJob("ab12", "pass.a"), PushJob("ab12", "pass.b"), PushJob("ab12", "pass.a"), PushJob("cd34", "pass.a")]
    with fake_apns() as apns:
        results, summary = run(transport(apns.port), iter(twice))
    sent = Counter((push.token, push.headers["apns-topic"]) for push in apns.pushes)
    assert sent == {("ab12", "pass.a"): 1, ("ab12", "pass.b"): 1, ("cd34", "pass.a"): 1}
    assert len(results.calls) == 3
    assert summary.duplicates == 1


def test_no_jobs():
    with fake_apns() as apns:
        results, summary = run(transport(apns.port), [])
    assert (results.calls, summary.counts, apns.pushes) == ([], {}, [])


@pytest.mark.parametrize(
    "token", ["", "../../x", "a/b", "a b", "ä", "a\r\nx: y", "a?b", "a#b", "%2e", "x" * 1025, "a\n"]
)
def test_tokens_that_would_change_the_path_never_leave(token):
    with fake_apns() as apns:
        results, _ = run(transport(apns.port), jobs([token, "ab12"]))
    assert results.by_token[token].action is PushAction.DROP
    assert results.by_token["ab12"].action is PushAction.ACCEPTED
    assert apns.tokens == ["ab12"]
    assert apns.violations == []


@pytest.mark.parametrize("topic", ["", "pass.ä", "pass com", "pass\n"])
def test_topics_that_no_header_can_hold_stop_the_batch(topic):
    with fake_apns() as apns:
        results, error = failing(apns, [PushJob("ab12", topic)])
    assert error.error_code == "push.topic"
    assert (results.calls, apns.pushes) == ([], [])


@pytest.mark.parametrize(
    ("reply", "fix"),
    [
        (Reply(403, "BadCertificate"), "certificate"),
        (Reply(403, "ExpiredProviderToken"), "certificate"),
        (Reply(403), "certificate"),
        (Reply(400, "BadTopic"), "pass type identifier"),
        (Reply(400, "TopicDisallowed"), "pass type identifier"),
        (Reply(413, "PayloadTooLarge"), "settings"),
    ],
)
def test_a_fault_of_ours_stops_the_batch_and_keeps_what_was_answered(reply, fix):
    names = tokens(500)
    with fake_apns() as apns:
        apns.script(names[100], reply)
        results, error = failing(apns, jobs(names), settings=PushSettings(in_flight=20))
    assert error.error_code == "push.refused"
    assert str(reply.status) in error.message
    assert (reply.reason or "no reason") in error.message
    assert TOPIC in error.message
    assert fix in error.fix
    told = [job.token for job, _ in results.calls]
    # all that APNs answered otherwise was reported; the rest stays queued and was hardly begun
    assert Counter(told) == Counter(set(apns.tokens) - {names[100]})
    assert 80 <= len(told) < 150


def test_a_credential_fault_closes_the_connection_others_leave_it_open():
    async def state_after(reply: Reply) -> bool:
        with fake_apns(reply=reply) as apns:
            carrier = transport(apns.port)
            await carrier.open()
            with pytest.raises(PushError):
                await push_all(jobs(["ab12"]), carrier, on_result=Results())
            await asyncio.sleep(0.05)
            still_open = bool(apns.sessions)
            await carrier.close()
            return still_open

    assert asyncio.run(state_after(Reply(403, "BadCertificate"))) is False
    assert asyncio.run(state_after(Reply(400, "BadTopic"))) is True


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
def test_too_many_refused_tokens_in_a_row_stop_the_batch_and_drop_nobody(reason):
    names = tokens(300)
    with fake_apns(reply=Reply(400, reason)) as apns:
        settings = PushSettings(max_refused_tokens=30, in_flight=10)
        results, error = failing(apns, jobs(names), settings=settings)
    assert error.error_code == "push.tokens"
    assert reason in error.message
    assert results.actions.keys() == {"retry"}
    assert {result.retry_after for _, result in results.calls} == {900}
    results.assert_once_each(apns.tokens)
    assert 30 <= len(apns.pushes) < 45


def test_refused_tokens_among_good_ones_are_dropped():
    names = tokens(300)
    bad = [name for number, name in enumerate(names) if number % 3]
    with fake_apns() as apns:
        for name in bad:
            apns.script(name, Reply(400, "BadDeviceToken"))
        results, summary = run(transport(apns.port), jobs(names), settings=PushSettings(max_refused_tokens=5))
    results.assert_once_each(names)
    assert {token for token, result in results.by_token.items() if result.action == "drop"} == set(bad)
    assert summary.reasons == {"BadDeviceToken": 200}


def test_an_outage_stops_the_batch():
    with fake_apns(reply=Reply(503, "ServiceUnavailable")) as apns:
        settings = PushSettings(max_unavailable=25, in_flight=5)
        results, error = failing(apns, jobs(tokens(500)), settings=settings)
    assert error.error_code == "push.unavailable"
    assert "503 ServiceUnavailable" in error.message
    results.assert_once_each(apns.tokens)
    assert results.actions.keys() == {"retry"}
    assert 25 <= len(results.calls) <= 30


def test_an_unreachable_apns_in_the_middle_stops_the_batch():
    names = tokens(200)
    results = Results()
    with fake_apns(reply=Reply(delay=0.01)) as apns:
        batch = asyncio.new_event_loop()

        async def pull_the_plug() -> None:
            carrier = transport(apns.port, max_connects=2)
            task = asyncio.ensure_future(push_over(carrier, jobs(names), results, settings=PushSettings(in_flight=2)))
            while len(results.calls) < 20:
                await asyncio.sleep(0.005)
            apns._loop.call_soon_threadsafe(apns._server.close)
            await asyncio.sleep(0.05)
            apns.hang_up()
            with pytest.raises(PushError) as caught:
                await task
            assert caught.value.error_code == "push.unreachable"

        batch.run_until_complete(pull_the_plug())
        batch.close()
    assert results.actions == {"accepted": len(results.calls)}
    assert 20 <= len(results.calls) < 200
    assert set(results.by_token) <= set(apns.tokens)


def test_what_on_result_raises_ends_the_batch():
    class Full(Exception):
        pass

    reported = []

    def refuse(job: PushJob, _: object) -> None:
        reported.append(job.token)
        if len(reported) == 10:
            raise Full

    with fake_apns() as apns, pytest.raises(Full):
        run_push(jobs(tokens(300)), transport(apns.port), on_result=refuse, settings=PushSettings(in_flight=5))
    assert 10 <= len(reported) <= 15


def test_a_source_of_jobs_that_fails_ends_the_batch():
    def source():
        yield from jobs(tokens(10))
        raise OSError("the database went away")

    results = Results()
    with fake_apns() as apns, pytest.raises(OSError, match="database"):
        run_push(source(), transport(apns.port), on_result=results)
    results.assert_once_each(apns.tokens)


def test_a_cancelled_batch_leaves_no_task():
    async def cancel() -> int:
        with fake_apns(reply=Reply(delay=5)) as apns:
            carrier = transport(apns.port)
            await carrier.open()
            task = asyncio.ensure_future(push_all(jobs(tokens(20)), carrier, on_result=Results()))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await carrier.close()
            await asyncio.sleep(0)
            return len(asyncio.all_tasks())

    assert asyncio.run(cancel()) == 1


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        await asyncio.sleep(0)


class Instant:
    """A transport that takes everything and notes when."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.sent = clock, []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def withdraw(self) -> None: ...

    async def push(self, token: str, headers: object) -> Answer:
        self.sent.append(self.clock.now)
        return Answer(200)


def test_pacing_spaces_the_pushes():
    clock = Clock()
    carrier = Instant(clock)
    batch = push_all(jobs(tokens(50)), carrier, on_result=Results(), pace_per_second=10, clock=clock, sleep=clock.sleep)
    asyncio.run(batch)
    assert carrier.sent[0] == 1000
    gaps = [later - earlier for earlier, later in zip(carrier.sent, carrier.sent[1:], strict=False)]
    assert gaps == pytest.approx([0.1] * 49)


def test_pacing_does_not_make_up_for_time_that_was_lost():
    clock = Clock()
    carrier = Instant(clock)

    def slow_source():
        for number, job in enumerate(jobs(tokens(20))):
            if number == 10:
                clock.now += 60  # the database took a minute
            yield job

    settings = PushSettings(in_flight=1)
    options = {"pace_per_second": 10, "clock": clock, "sleep": clock.sleep}
    asyncio.run(push_all(slow_source(), carrier, on_result=Results(), settings=settings, **options))
    in_busiest_second = max(sum(1 for other in carrier.sent if 0 <= other - moment < 0.9999) for moment in carrier.sent)
    assert in_busiest_second <= 11


def test_pacing_over_the_wire():
    with fake_apns() as apns:
        results, summary = run(transport(apns.port), jobs(tokens(20)), pace_per_second=50)
    assert results.actions == {"accepted": 20}
    assert 0.38 <= summary.seconds < 2


def test_a_stop_does_not_wait_for_the_pace():
    with fake_apns(reply=Reply(403, "BadCertificate")) as apns:
        _, error = failing(apns, jobs(tokens(100)), pace_per_second=2)
    assert error.error_code == "push.refused"
    assert len(apns.pushes) <= 2


@pytest.mark.parametrize("pace", [0, -1, float("nan")])
def test_an_impossible_pace_is_refused(pace):
    with pytest.raises(PushError, match="pace_per_second"):
        asyncio.run(push_all([], Instant(Clock()), on_result=Results(), pace_per_second=pace))


def test_run_push_outside_a_loop():
    results = Results()
    with fake_apns() as apns:
        summary = run_push(jobs(tokens(10)), transport(apns.port), on_result=results)
    assert summary.counts == {"accepted": 10}
    results.assert_once_each(tokens(10))


def test_run_push_inside_a_running_loop():
    results, threads = Results(), set()

    def note(job, result):
        threads.add(threading.current_thread().name)
        results(job, result)

    async def inside() -> dict[PushAction, int]:
        with fake_apns() as apns:
            return run_push(jobs(tokens(10)), transport(apns.port), on_result=note).counts

    assert asyncio.run(inside()) == {"accepted": 10}
    results.assert_once_each(tokens(10))
    assert all(name.startswith("passflow-push") for name in threads)


def test_run_push_may_be_called_again_with_the_same_transport():
    with fake_apns() as apns:
        carrier = transport(apns.port)
        for name in ("ab12", "cd34"):
            run_push(jobs([name]), carrier, on_result=Results())
    assert apns.tokens == ["ab12", "cd34"]
    assert apns.connections == 2
