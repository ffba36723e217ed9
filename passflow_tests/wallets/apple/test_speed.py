"""Signing speed as ratios to the bare RSA operation on the same machine, so that they hold on any machine."""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from passflow.wallets.apple.assets import AssetSet
from passflow.wallets.apple.package import assemble_package, build_manifest
from passflow.wallets.apple.signature import assemble_signature, sign

from .helpers import NOW, authority

IDENTITY = authority().identity()
CERTIFICATES = IDENTITY.certificates
NAMES = [f"{name}{scale}.png" for name in ("icon", "logo", "strip", "thumbnail") for scale in ("", "@2x")]
FIELDS = [{"key": f"k{number}", "label": "Label", "value": "v" * 20} for number in range(40)]


def rate(work: Callable[[], object], seconds: float) -> float:
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        work()
        done += 1
    return done / (time.perf_counter() - begin)


def bare() -> bytes:
    return IDENTITY.key.sign(b"x" * 107, padding.PKCS1v15(), SHA256())  # type: ignore[union-attr,call-arg,arg-type]


def median_ratio(work: Callable[[], object], rounds: int = 7) -> float:
    # interleaved, so that a neighbour on the machine slows both
    return statistics.median(rate(work, 0.3) / rate(bare, 0.3) for _ in range(rounds))


def build(assets: AssetSet) -> bytes:
    pass_json = json.dumps({"storeCard": {"headerFields": FIELDS}}).encode()
    manifest = build_manifest(assets, pass_json)
    signature = assemble_signature(CERTIFICATES, sign(IDENTITY, manifest, NOW), manifest, NOW)
    return assemble_package(assets, pass_json, manifest, signature)


@pytest.mark.slow
def test_a_signature_costs_little_more_than_the_rsa_operation() -> None:
    assert (
        median_ratio(lambda: assemble_signature(CERTIFICATES, sign(IDENTITY, b"m" * 600, NOW), b"m" * 600, NOW)) >= 0.95
    )


@pytest.mark.slow
def test_a_whole_pass_of_100_kb_costs_little_more_than_its_signature() -> None:
    assets = AssetSet.of({name: os.urandom(12_500) for name in NAMES})
    assert median_ratio(lambda: build(assets)) >= 0.85


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_two_threads_sign_faster_than_one() -> None:
    assets = AssetSet.of({name: os.urandom(12_500) for name in NAMES})

    def work() -> None:
        for _ in range(800):
            build(assets)

    def once() -> float:
        begin = time.perf_counter()
        work()
        alone = time.perf_counter() - begin
        threads = [threading.Thread(target=work) for _ in range(2)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 2 * alone / (time.perf_counter() - begin)

    assert max(once() for _ in range(4)) >= 1.5
