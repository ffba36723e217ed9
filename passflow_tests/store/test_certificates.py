from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from passflow.errors import StoreError
from passflow.store.certificates import StoredCertificate, add_certificate, list_certificates, load_certificate


def certificate(leaf=b"leaf", days=300):
    end = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
    return StoredCertificate(hashlib.sha256(leaf).hexdigest(), "pass.com.example", "TEAM123456", leaf, b"chain", end)


def test_a_certificate_comes_back_as_it_was(store):
    with store.begin() as conn:
        add_certificate(conn, certificate(), now=1)
        add_certificate(conn, certificate(), now=2)
        assert load_certificate(conn, certificate().certificate_id) == certificate()
        assert len(list_certificates(conn)) == 1


def test_the_next_to_end_comes_first(store):
    with store.begin() as conn:
        for leaf, days in ((b"late", 400), (b"soon", 20), (b"middle", 90)):
            add_certificate(conn, certificate(leaf, days), now=1)
        assert [one.leaf for one in list_certificates(conn)] == [b"soon", b"middle", b"late"]


def test_an_end_in_another_time_zone_is_the_same_moment(store):
    berlin = datetime.fromisoformat("2026-10-28T02:00:00+02:00")
    with store.begin() as conn:
        add_certificate(conn, replace(certificate(), not_after=berlin), now=1)
        assert load_certificate(conn, certificate().certificate_id).not_after == datetime(2026, 10, 28, tzinfo=UTC)


def test_an_id_of_another_certificate_or_a_date_without_zone_is_refused(store):
    for wrong in (
        replace(certificate(), certificate_id="0" * 64),
        replace(certificate(), not_after=datetime(2026, 1, 1)),
    ):
        with pytest.raises(StoreError), store.begin() as conn:
            add_certificate(conn, wrong, now=1)


def test_an_unknown_one_is_named(store):
    with pytest.raises(StoreError, match="abcdef"), store.read() as conn:
        load_certificate(conn, "abcdef" * 10)


def test_bytes_are_not_printed():
    assert "leaf=" not in repr(certificate()) and "chain=" not in repr(certificate())
