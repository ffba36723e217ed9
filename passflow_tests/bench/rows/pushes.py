"""A thousand pushes in flight, against httpx with HTTP/2 on the same server in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from passflow_tests.bench.fresh import run_fresh
from passflow_tests.bench.table import Measure
from passflow_tests.bench.workshop import Workshop

ROWS = ("pushes_1000_in_flight", "pushes_per_second")
ORDER = 12
IN_FLIGHT = 1_000


def measure(workshop: Workshop) -> Iterator[Measure]:
    """The product's own batch (flow control obeyed, one GOAWAY in its middle survived, every push answered once)."""
    ours, theirs = (300, 100) if workshop.quick else (10_000, 1_500)
    ran = run_fresh(f"{__name__}:compare", rounds=workshop.rounds, ours=ours, theirs=theirs)
    ratio, per_second = ran.result
    yield Measure(ROWS[0], ratio, "×", ">= 4", "httpx, HTTP/2, one connection, same local server (which has no GOAWAY)")
    yield Measure(ROWS[1], per_second, "pushes/s", None, "one core; the server has another")


def compare(rounds: int, ours: int, theirs: int) -> tuple[float, float]:
    """Ratio to httpx and pushes a second; runs in a process of its own."""
    from passflow_tests.wallets.apple.push_helpers import material

    made = material()
    with _server(made, goaway_after=ours // 2) as ending, _server(made, goaway_after=None) as lasting:
        pairs = [(_push(ending, ours), asyncio.run(_push_httpx(lasting, theirs))) for _ in range(rounds)]
    return statistics.median(mine / other for mine, other in pairs), statistics.median(mine for mine, _ in pairs)


class _server:
    """A local APNs in a process of its own; yields its port."""

    def __init__(self, made: object, *, goaway_after: int | None) -> None:
        self._here, there = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=serve, args=(there, made, goaway_after), daemon=True)

    def __enter__(self) -> int:
        self._process.start()
        port: int = self._here.recv()
        return port

    def __exit__(self, *_: object) -> None:
        self._here.send("stop")
        self._process.join(10)


def serve(pipe: Connection, made: object, goaway_after: int | None) -> None:
    """Serves until told to stop; every batch's connection ends once with a GOAWAY where asked for."""
    from passflow.testing.apns import FakeApns, Goaway

    ending = None if goaway_after is None else Goaway(after=goaway_after, keep=goaway_after, times=1_000)
    with FakeApns(made.server, made.server_key, goaway=ending) as apns:  # type: ignore[attr-defined]  # Material
        pipe.send(apns.port)
        pipe.recv()


def _push(port: int, count: int) -> float:
    from passflow_tests.wallets.apple.push_helpers import jobs, run, tokens, transport

    names = tokens(count)
    results, summary = run(transport(port, answer_timeout=60.0), jobs(names))
    results.assert_once_each(names)
    assert results.actions == {"accepted": count}
    return count / summary.seconds


async def _push_httpx(port: int, count: int) -> float:
    import httpx

    from passflow.wallets.apple.push_auth import client_context
    from passflow_tests.wallets.apple.push_helpers import TOPIC, material, tokens

    names = iter(tokens(count))
    url = f"https://127.0.0.1:{port}/3/device/"
    context = client_context(trust=material().root)
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(http2=True, http1=False, verify=context, limits=limits, timeout=60) as http:

        async def work() -> None:
            for name in names:
                answer = await http.post(url + name, headers={"apns-topic": TOPIC}, content=b"{}")
                assert answer.status_code == 200

        begun = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return count / (time.perf_counter() - begun)
