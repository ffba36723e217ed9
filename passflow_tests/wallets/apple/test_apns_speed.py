"""How fast a thousand pushes in flight are, against httpx and the same server in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection

import httpx
import pytest

from passflow.wallets.apple.apns import push_all
from passflow.wallets.apple.push_auth import client_context

from .push_helpers import TOPIC, Material, fake_apns, jobs, material, run, tokens, transport

PUSHES = {"passflow": 6000, "httpx": 1500}


def serve(pipe: Connection, made: Material) -> None:
    from passflow.testing.apns import FakeApns

    with FakeApns(made.server, made.server_key) as apns:
        pipe.send(apns.port)
        pipe.recv()


def ours(port: int) -> float:
    names = tokens(PUSHES["passflow"])
    results, summary = run(transport(port, answer_timeout=30.0), jobs(names))
    assert results.actions == {"accepted": len(names)}
    return len(names) / summary.seconds


async def theirs(port: int) -> float:
    names = iter(tokens(PUSHES["httpx"]))
    context = client_context(trust=material().root)
    limits = httpx.Limits(max_connections=1)
    url = f"https://127.0.0.1:{port}/3/device/"
    async with httpx.AsyncClient(http2=True, http1=False, verify=context, limits=limits, timeout=60) as http:

        async def work() -> None:
            for name in names:
                answer = await http.post(url + name, headers={"apns-topic": TOPIC}, content=b"{}")
                assert answer.status_code == 200

        started = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(1000)))
        return PUSHES["httpx"] / (time.perf_counter() - started)


@pytest.mark.slow
def test_at_least_four_times_httpx():
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, material()), daemon=True)
    server.start()
    try:
        port = here.recv()
        rounds = [(ours(port), asyncio.run(theirs(port))) for _ in range(3)]
    finally:
        here.send("stop")
        server.join(10)
    print(rounds)
    ratio = statistics.median(mine / other for mine, other in rounds)
    assert ratio >= 4, f"{ratio:.1f} times httpx; pushes per second in each round: {rounds}"


def test_what_was_answered_is_forgotten():
    async def kept() -> int:
        with fake_apns() as apns:
            carrier = transport(apns.port)
            await carrier.open()
            await push_all(jobs(tokens(5000)), carrier, on_result=lambda *_: None)
            (connection,) = carrier._connections
            streams = len(connection._h2.streams) + len(connection._in_flight) + len(carrier._queue)
            await carrier.close()
            return streams

    assert asyncio.run(kept()) <= 2048
