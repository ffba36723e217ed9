"""Certificates and keys that do not fit: nothing is signed, nothing is stored, and the pass stays behind for the next try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passflow.store.wallet_states import count_behind
from passflow.testing.authority import TestAuthority
from passflow_tests.hostile.conftest import PASS_TYPE, ROWS, TEAM, refused


@pytest.fixture
def behind(house):
    """A member changed, so that one pass is to be signed."""
    from passflow.sync.apply import apply_plan

    house.write([*ROWS[:5], ROWS[5].replace(",5,", ",55,")])
    plan = house.plan()
    apply_plan(house.program(), house.store, plan.plan_id, holder="test")
    return house


def put(house, role: str, content: bytes) -> None:
    path = house.folder / "certificates" / f"{role}.pem"
    path.write_bytes(content)
    path.chmod(0o600)


def foreign_team(house) -> str:
    put(house, "certificate", house.authority.issue_pass_certificate(PASS_TYPE, "ZZZZZ99999").certificate_pem)
    return "certificate.invalid"


def foreign_type(house) -> str:
    put(house, "certificate", house.authority.issue_pass_certificate("pass.example.other", TEAM).certificate_pem)
    return "certificate.invalid"


def expired(house) -> str:
    end = datetime.now(UTC) - timedelta(days=1)
    issued = house.authority.issue_pass_certificate(PASS_TYPE, TEAM, valid_until=end)
    put(house, "certificate", issued.certificate_pem)
    return "certificate.invalid"


def not_yet_valid(house) -> str:
    start = datetime.now(UTC) + timedelta(days=1)
    issued = house.authority.issue_pass_certificate(PASS_TYPE, TEAM, valid_from=start)
    put(house, "certificate", issued.certificate_pem)
    return "certificate.invalid"


def foreign_key(house) -> str:
    put(house, "key", house.authority.issue_pass_certificate(PASS_TYPE, TEAM, key_name="another").key_pem)
    return "certificate.invalid"


def foreign_intermediate(house) -> str:
    put(house, "intermediate", TestAuthority().root_pem)
    return "certificate.invalid"


def garbage(house) -> str:
    put(house, "certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    return "certificate.invalid"


def locked_key(house) -> str:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = house.authority.issue_pass_certificate(PASS_TYPE, TEAM).key
    put(house, "key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"unknown")))
    return "certificate.invalid"


def missing(house) -> str:
    (house.folder / "certificates" / "key.pem").unlink()
    return "secret.invalid"


def empty(house) -> str:
    put(house, "key", b"")
    return "certificate.invalid"


BREAK = [
    foreign_team,
    foreign_type,
    expired,
    not_yet_valid,
    foreign_key,
    foreign_intermediate,
    garbage,
    locked_key,
    missing,
    empty,
]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("breaking", BREAK, ids=lambda each: each.__name__)
def test_what_does_not_fit_signs_nothing(behind, breaking):
    before = behind.dump()
    family = breaking(behind).partition(".")[0]
    with pytest.raises(Exception, match="→") as caught:
        behind.converge()
    assert caught.value.error_code.partition(".")[0] in {family, "secret", "certificate"}
    assert "PRIVATE KEY" not in str(caught.value)
    assert behind.dump() == before
    with behind.store.read() as conn:
        assert count_behind(conn, "gold", "apple") == 1


def test_the_team_is_named_and_the_next_good_certificate_goes_on(behind):
    foreign_team(behind)
    error = refused(behind.converge, "certificate.mismatch")
    assert "team" in str(error).lower()
    behind.authority.write(behind.folder / "certificates", PASS_TYPE, TEAM)
    done = behind.converge()
    assert (done.published, done.behind) == (1, 0)
