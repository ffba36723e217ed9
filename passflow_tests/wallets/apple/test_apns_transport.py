"""Every way in which APNs or the network may misbehave: each token gets exactly one result, and none is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import threading
import time
from collections import Counter

import pytest

from passflow.errors import PushError
from passflow.testing.apns import Goaway, Limits, Reply
from passflow.wallets.apple.apns import PushAction, PushJob, PushSettings
from passflow.wallets.apple.h2_transport import H2Transport, TransportSettings
from passflow.wallets.apple.push_auth import client_context, load_certificate

from .push_helpers import SMALL, TOPIC, Results, fake_apns, jobs, material, push_over, run, tokens, transport

HASTY = {"answer_timeout": 0.4}


def assert_all_accepted(results: Results, names: list[str]) -> None:
    results.assert_once_each(names)
    assert results.actions == {"accepted": len(names)}


def test_a_push_is_what_apple_documents():
    with fake_apns() as apns:
        results, summary = run(transport(apns.port), jobs(["ab12"]))
    (push,) = apns.pushes
    assert push.body == b"{}"
    assert push.headers == {
        ":method": "POST",
        ":scheme": "https",
        ":authority": f"127.0.0.1:{apns.port}",
        ":path": "/3/device/ab12",
        "apns-topic": TOPIC,
    }
    assert apns.violations == []
    assert summary.counts == {PushAction.ACCEPTED: 1}
    assert len(results.by_token["ab12"].apns_id or "") == 36


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (PushSettings(push_type="background", priority=5), {"apns-push-type": "background", "apns-priority": "5"}),
        (PushSettings(priority=10), {"apns-priority": "10"}),
    ],
)
def test_push_type_and_priority_are_sent_only_when_set(settings, expected):
    with fake_apns() as apns:
        run(transport(apns.port), jobs(["ab12"]), settings=settings)
    (push,) = apns.pushes
    assert {k: v for k, v in push.headers.items() if k.startswith("apns-") and k != "apns-topic"} == expected


def test_a_thousand_in_flight_share_one_connection():
    names = tokens(3000)
    with fake_apns(reply=Reply(delay=0.05)) as apns:
        results, _ = run(transport(apns.port), jobs(names))
    assert_all_accepted(results, names)
    assert Counter(apns.tokens) == Counter(names)
    assert (apns.connections, apns.busiest) == (1, 1000)
    assert apns.violations == []


@pytest.mark.slow
def test_a_whole_connection_window_is_used_up_and_renewed():
    count = 34_000  # 2 bytes each: more than 65 535, an odd number that leaves one byte over
    names = tokens(count)
    with fake_apns(limits=Limits(stingy=True)) as apns:
        results, summary = run(transport(apns.port, answer_timeout=30.0), jobs(names))
    assert summary.counts == {PushAction.ACCEPTED: count}
    results.assert_once_each(names)
    assert apns.connections == 1


@pytest.mark.parametrize("window", [0, 1])
def test_tiny_stream_windows_are_obeyed(window):
    names = tokens(60)
    with fake_apns(limits=Limits(initial_window=window)) as apns:
        results, _ = run(transport(apns.port), jobs(names))
    assert_all_accepted(results, names)
    assert apns.violations == []
    assert {push.body for push in apns.pushes} == {b"{}"}


def test_the_stream_limit_starts_at_one_and_rises():
    names = tokens(400)
    with fake_apns(limits=Limits(max_streams=1, after_first=1000), reply=Reply(delay=0.02)) as apns:
        results, _ = run(transport(apns.port), jobs(names))
    assert_all_accepted(results, names)
    assert apns.busiest == 399
    assert apns.violations == []


def test_the_stream_limit_falls_to_one():
    names = tokens(150)
    with fake_apns(limits=Limits(drop_after=20)) as apns:
        results, _ = run(transport(apns.port), jobs(names), settings=SMALL)
    assert_all_accepted(results, names)
    assert apns.violations == []
    assert Counter(apns.tokens) == Counter(names)


def test_streams_beyond_the_last_of_a_goaway_are_sent_again_once():
    names = tokens(300)
    with fake_apns(goaway=Goaway(after=100, keep=40)) as apns:
        results, _ = run(transport(apns.port), jobs(names))
    assert_all_accepted(results, names)
    assert apns.connections == 2
    # nothing is acted on twice: 40 on the first connection, the rest on the second
    assert Counter(apns.tokens) == Counter(names)
    assert Counter(push.connection for push in apns.pushes) == {1: 40, 2: 260}


def test_many_goaways_bump_pushes_without_using_up_their_attempts():
    names = tokens(200)
    with fake_apns(goaway=Goaway(after=30, keep=10, times=8)) as apns:
        results, _ = run(transport(apns.port, max_attempts=1), jobs(names), settings=PushSettings(in_flight=200))
    assert_all_accepted(results, names)
    assert Counter(apns.tokens) == Counter(names)
    assert apns.connections == 9


def test_answers_that_follow_a_goaway_are_taken():
    names = tokens(10)
    with fake_apns(goaway=Goaway(after=10, keep=10), reply=Reply(delay=0.1)) as apns:
        results, _ = run(transport(apns.port), jobs(names))
    assert_all_accepted(results, names)
    assert (apns.connections, len(apns.pushes)) == (1, 10)


def test_a_goaway_without_any_answer_every_time_names_its_reason():
    with fake_apns(goaway=Goaway(after=1, keep=0, reason="BadCertificate", times=99)) as apns:
        results = Results()
        with pytest.raises(PushError, match="BadCertificate") as caught:
            asyncio.run(push_over(transport(apns.port), jobs(tokens(5)), results))
    assert caught.value.error_code == "push.unreachable"
    assert results.calls == []
    assert apns.pushes == []


def test_a_refused_stream_is_sent_again():
    names = tokens(20)
    with fake_apns() as apns:
        apns.script(names[3], Reply(fault="refuse"), Reply())
        results, _ = run(transport(apns.port), jobs(names))
    assert_all_accepted(results, names)
    assert Counter(apns.tokens) == Counter(names)  # a refused stream was not acted on
    assert apns.connections == 1


def test_a_stream_that_is_always_refused_is_left_for_later():
    with fake_apns() as apns:
        apns.script("ab12", Reply(fault="refuse"))
        results, _ = run(transport(apns.port, max_attempts=4), jobs(["ab12", "cd34"]))
    assert results.by_token["ab12"].action is PushAction.RETRY
    assert results.by_token["ab12"].reason == "RefusedStream"
    assert results.by_token["cd34"].action is PushAction.ACCEPTED


def test_a_reset_stream_is_tried_again_because_nobody_knows():
    with fake_apns() as apns:
        apns.script("ab12", Reply(fault="reset"), Reply())
        results, _ = run(transport(apns.port), jobs(["ab12", "cd34"]))
    assert_all_accepted(results, ["ab12", "cd34"])
    assert Counter(apns.tokens) == {"ab12": 2, "cd34": 1}  # the protocol cannot say, so it is doubled


def test_an_unanswered_push_costs_neither_the_connection_nor_the_others():
    names = tokens(30)
    with fake_apns() as apns:
        apns.script(names[0], Reply(fault="silent"))
        results, _ = run(transport(apns.port, max_attempts=2, **HASTY), jobs(names))
    results.assert_once_each(names)
    assert results.by_token[names[0]].reason == "NoAnswer"
    assert results.by_token[names[0]].action is PushAction.RETRY
    assert results.actions == {"accepted": 29, "retry": 1}
    assert Counter(apns.tokens)[names[0]] == 2
    assert apns.connections == 1


def test_a_frozen_server_is_left_for_a_fresh_connection():
    names = tokens(30)
    with fake_apns() as apns:
        apns.script(names[5], Reply(fault="freeze"), Reply())
        results, _ = run(transport(apns.port, **HASTY), jobs(names), settings=PushSettings(in_flight=3))
    assert_all_accepted(results, names)
    assert apns.connections == 2


@pytest.mark.parametrize("fault", ["close", "garbage"])
def test_a_connection_that_breaks_midway_is_replaced(fault):
    names = tokens(200)
    with fake_apns() as apns:
        apns.script(names[60], Reply(fault=fault), Reply())
        results, _ = run(transport(apns.port, **HASTY), jobs(names), settings=SMALL)
    assert_all_accepted(results, names)
    assert apns.connections == 2
    # only what was in flight when it broke may have been doubled
    doubled = [name for name, count in Counter(apns.tokens).items() if count > 1]
    assert names[60] in doubled
    assert len(doubled) <= 50


@pytest.mark.parametrize("fault", ["close", "garbage"])
def test_a_push_that_always_breaks_the_connection_does_not_take_the_batch_with_it(fault):
    names = tokens(40)
    with fake_apns() as apns:
        apns.script(names[20], Reply(fault=fault))
        results, _ = run(
            transport(apns.port, max_attempts=3, max_connects=5), jobs(names), settings=PushSettings(in_flight=1)
        )
    results.assert_once_each(names)
    assert results.actions == {"accepted": 39, "retry": 1}
    assert results.by_token[names[20]].reason == "NoAnswer"


def test_the_server_hangs_up_on_an_idle_connection():
    with fake_apns() as apns:
        results = Results()

        async def twice() -> None:
            carrier = transport(apns.port)
            await carrier.open()
            assert (await carrier.push("ab12", (("apns-topic", TOPIC),))).status == 200
            apns.hang_up()
            await asyncio.sleep(0.1)
            await push_over(carrier, jobs(["cd34"]), results)

        asyncio.run(twice())
    assert_all_accepted(results, ["cd34"])
    assert apns.connections == 2


def test_slow_answers_are_waited_for():
    names = tokens(20)
    with fake_apns(reply=Reply(delay=0.6)) as apns:
        # the connection is probed by PING while it is quiet, and kept
        results, _ = run(transport(apns.port, answer_timeout=1.0), jobs(names))
    assert_all_accepted(results, names)
    assert (apns.connections, len(apns.pushes)) == (1, 20)


def test_an_idle_connection_is_probed_and_dropped_when_dead():
    with fake_apns() as apns:

        async def idle() -> tuple[int, int]:
            carrier = transport(apns.port, answer_timeout=0.2, ping_after=0.1)
            await carrier.open()
            await asyncio.sleep(0.5)
            alive = len(carrier._connections)
            for session in apns.sessions:
                apns._loop.call_soon_threadsafe(session._transport.pause_reading)
            await asyncio.sleep(0.8)
            dead = len(carrier._connections)
            await carrier.close()
            return alive, dead

        assert asyncio.run(idle()) == (1, 0)


def test_continuation_and_padded_frames_are_read():
    with fake_apns() as apns:
        apns.script("ab12", Reply(filler=40_000))
        apns.script("cd34", Reply(410, "Unregistered", 1_700_000_000_000, padding=200))
        results, _ = run(transport(apns.port), jobs(["ab12", "cd34"]))
    assert results.by_token["ab12"].action is PushAction.ACCEPTED
    assert results.by_token["cd34"].action is PushAction.GONE
    assert apns.violations == []


def test_bodies_of_any_size_leave_the_receive_window_open():
    names = tokens(300)
    with fake_apns(reply=Reply(400, body=b"x" * 16_000)) as apns:  # 4.8 MB, through windows of 65 535 bytes
        results, _ = run(transport(apns.port), jobs(names), settings=PushSettings(max_unavailable=999))
    results.assert_once_each(names)
    assert results.actions == {"retry": 300}
    assert apns.connections == 1


def test_a_cancelled_caller_does_not_disturb_the_others():
    with fake_apns() as apns:
        apns.script("ab12", Reply(delay=0.3))

        async def cancel_one() -> int:
            carrier = transport(apns.port)
            await carrier.open()
            headers = (("apns-topic", TOPIC),)
            doomed = asyncio.ensure_future(carrier.push("ab12", headers))
            await asyncio.sleep(0.05)
            doomed.cancel()
            status = (await carrier.push("cd34", headers)).status
            await asyncio.sleep(0.4)
            await carrier.close()
            return status

        assert asyncio.run(cancel_one()) == 200


def test_closing_ends_the_wait_of_pushes_in_flight():
    with fake_apns(reply=Reply(fault="silent")) as apns:

        async def close_midway() -> list[object]:
            carrier = transport(apns.port)
            await carrier.open()
            waiting = [asyncio.ensure_future(carrier.push(name, (("apns-topic", TOPIC),))) for name in tokens(5)]
            await asyncio.sleep(0.1)
            await carrier.close()
            return list(await asyncio.gather(*waiting, return_exceptions=True))

        ended = asyncio.run(close_midway())
    assert [type(error) for error in ended] == [PushError] * 5
    assert len({id(error) for error in ended}) == 5


def test_a_closed_transport_refuses_and_may_be_opened_again():
    with fake_apns() as apns:

        async def reopen() -> int:
            carrier = transport(apns.port)
            with pytest.raises(PushError, match="not open"):
                await carrier.push("ab12", ())
            await carrier.open()
            await carrier.open()
            await carrier.close()
            await carrier.close()
            with pytest.raises(PushError) as caught:
                await carrier.push("ab12", ())
            assert caught.value.error_code == "push.closed"
            await carrier.open()
            status = (await carrier.push("ab12", (("apns-topic", TOPIC),))).status
            await carrier.close()
            return status

        assert asyncio.run(reopen()) == 200


def test_nobody_listens():
    with fake_apns() as apns:
        port = apns.port
    with pytest.raises(PushError, match="ConnectionRefusedError") as caught:
        asyncio.run(transport(port).open())
    assert caught.value.error_code == "push.unreachable"
    assert f"127.0.0.1:{port}" in str(caught.value)


def test_a_server_without_the_trusted_root_is_refused():
    with fake_apns() as apns:
        settings = TransportSettings(host="127.0.0.1", port=apns.port, backoff=0.01)
        with pytest.raises(PushError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(H2Transport(client_context(), settings).open())
    assert apns.pushes == []


def test_a_client_without_the_wanted_certificate_is_refused():
    with fake_apns() as apns:
        with pytest.raises(PushError, match="push certificate") as caught:
            asyncio.run(push_over(transport(apns.port, with_certificate=False), jobs(["ab12"]), Results()))
    assert caught.value.error_code == "push.unreachable"
    assert apns.pushes == []


def test_the_alert_of_a_server_that_refuses_the_certificate_is_named():
    made = material()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    load_certificate(context, made.server, made.server_key)
    context.load_verify_locations(cadata=made.root.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:  # asyncio's server leaves the alert unsent
            raw, _ = listener.accept()
            with contextlib.suppress(ssl.SSLError):
                context.wrap_socket(raw, server_side=True)
            time.sleep(0.2)
            raw.close()

        thread = threading.Thread(target=serve)
        thread.start()
        carrier = transport(listener.getsockname()[1], with_certificate=False, max_connects=1)
        with pytest.raises(PushError, match=r"(?i)certificate.required"):
            asyncio.run(carrier.open())
        thread.join()


def test_a_server_that_speaks_no_http2_is_refused():
    made = material()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_certificate(context, made.server, made.server_key)

    async def talk() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 smtp.example ready\r\n")

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(PushError, match="HTTP/2"):
                await transport(port, connect_timeout=0.5).open()
        finally:
            server.close()

    asyncio.run(talk())


def test_a_server_that_says_nothing_is_given_up():
    async def talk() -> None:
        hold = asyncio.Event()

        async def mute(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hold.wait()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        started = time.monotonic()
        with pytest.raises(PushError, match="TimeoutError"):
            await transport(server.sockets[0].getsockname()[1], connect_timeout=0.2).open()
        assert time.monotonic() - started < 3
        hold.set()
        server.close()

    asyncio.run(talk())


def test_a_server_that_allows_no_stream_is_given_up():
    with fake_apns(limits=Limits(max_streams=0)) as apns:
        with pytest.raises(PushError, match="takes no pushes"):
            run(transport(apns.port, **HASTY), jobs(["ab12"]))
    assert apns.pushes == []


def test_no_thread_and_no_task_is_left_behind():
    before = threading.active_count()

    async def leftovers() -> int:
        with fake_apns() as apns:
            await push_over(transport(apns.port), [PushJob("ab12", TOPIC)], Results())
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(leftovers()) == 1
    assert threading.active_count() == before


@pytest.mark.parametrize("seed", range(4))
def test_all_faults_at_once(seed):
    """Every kind of trouble in one batch, in an order that the seed decides."""
    chance = random.Random(seed)
    names = tokens(600)
    troubles = ["close", "garbage", "reset", "refuse", "silent", "freeze"]
    limits = Limits(max_streams=chance.choice([1, 20, 200]), after_first=200, drop_after=chance.choice([None, 400]))
    with fake_apns(limits=limits, goaway=Goaway(after=40, keep=chance.randint(1, 40), times=2)) as apns:
        for name in chance.sample(names, 30):
            apns.script(name, Reply(fault=chance.choice(troubles)), Reply(delay=chance.random() / 20))
        carrier = transport(apns.port, max_attempts=30, max_connects=30, backoff=0.001, **HASTY)
        results, _ = run(carrier, jobs(names), settings=PushSettings(in_flight=200))
    assert_all_accepted(results, names)
    assert set(apns.tokens) == set(names)
    assert apns.violations == []
