"""Nights through Apple Wallet: signed, handed out byte for byte, signed again, and pushed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
import pytest
from sqlalchemy import select

from passflow.model import EventKind, Status
from passflow.store.devices import register
from passflow.store.tables import registrations, wallet_states
from passflow.sync.converge import converge
from passflow.sync.push import push
from passflow.testing.apns import FakeApns
from passflow.testing.apns_replies import Reply
from passflow.testing.authority import TestAuthority
from passflow.testing.programs import member
from passflow.wallets.apple.archive_reader import read_archive
from passflow.wallets.apple.stored import read_package
from passflow.wallets.apple.verify import verify
from passflow.wallets.apple.wallet import AppleWallet

PASS_TYPE, TEAM = "pass.example.club", "ABCDE12345"
BASE_URL = "https://passes.example"


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority()


@pytest.fixture
def wallet(authority, tmp_path) -> dict[str, object]:
    paths = authority.write(tmp_path / "certificates", PASS_TYPE, TEAM)
    return {
        "pass_type": PASS_TYPE,
        "team": TEAM,
        "apns_host": "127.0.0.1",
        "apns_authority": f"file:{paths['root']}",
        **{role: f"file:{paths[role]}" for role in ("certificate", "key", "intermediate")},
    }


@pytest.fixture
def apns(authority) -> Iterator[FakeApns]:
    server = authority.issue_server_certificate()
    with FakeApns(server.chain_pem, server.key_pem, client_roots=authority.root_pem) as fake:
        yield fake


def bring(gold):
    program = gold.program
    return converge(program, gold.store, program.wallets[0], base_url=BASE_URL)


def archive(gold, external_id: str) -> bytes:
    with gold.store.read() as conn:
        return read_package(conn, gold.store.keyring, gold.pass_of(external_id).serial)


def document(gold, external_id: str) -> dict:
    files = dict(read_archive(archive(gold, external_id)).files)
    return orjson.loads(files["pass.json"])


def state(gold, external_id: str):
    with gold.store.read() as conn:
        query = select(wallet_states).where(wallet_states.c.serial == gold.pass_of(external_id).serial)
        return conn.execute(query).one()


def test_every_pass_verifies_and_shows_its_member(club, wallet, authority):
    gold = club(wallets=[AppleWallet(**wallet)])
    gold.night([member(n, points=str(1000 + n)) for n in range(40)])
    done = bring(gold)
    assert (done.brought, done.published, done.behind, dict(done.failed)) == (40, 40, 0, {})
    report = verify(archive(gold, "M-00007"), roots=[authority.root_der], now=datetime.now(UTC))
    assert report.ok, report.findings
    shown = document(gold, "M-00007")
    assert shown["storeCard"]["headerFields"][0]["value"] == "1,007"
    assert shown["webServiceURL"] == f"{BASE_URL}/apple"
    assert len(shown["authenticationToken"]) >= 16


def test_the_token_never_changes_and_serials_stay(club, wallet):
    gold = club(wallets=[AppleWallet(**wallet)])
    gold.night([member(1)])
    bring(gold)
    first = document(gold, "M-00001")
    gold.night([member(1, points="99")])
    bring(gold)
    second = document(gold, "M-00001")
    assert second["storeCard"]["headerFields"][0]["value"] == "99"
    for name in ("authenticationToken", "serialNumber", "passTypeIdentifier"):
        assert first[name] == second[name]


def test_export_gives_what_was_signed_after_template_and_certificate_changed(club, wallet, authority, tmp_path):
    gold = club(wallets=[AppleWallet(**wallet)])
    gold.night([member(1), member(2)])
    bring(gold)
    before = archive(gold, "M-00001")
    template = gold.program.template.model_dump(exclude_defaults=True)
    gold.changes["template"] = {**template, "logo_text": "Another look"}
    gold.plan()
    authority.issue_pass_certificate(PASS_TYPE, TEAM, key_name="renewed")
    assert archive(gold, "M-00001") == before


def test_renewed_certificate_signs_again_without_telling_anybody(club, wallet, authority, tmp_path):
    gold = club(wallets=[AppleWallet(**wallet)])
    gold.night([member(n) for n in range(5)])
    bring(gold)
    before = state(gold, "M-00001")
    renewed = authority.issue_pass_certificate(PASS_TYPE, TEAM, valid_until=datetime.now(UTC) + timedelta(days=300))
    (tmp_path / "certificates" / "certificate.pem").write_bytes(renewed.certificate_pem)
    (tmp_path / "certificates" / "key.pem").write_bytes(renewed.key_pem)
    done = bring(gold)
    after = state(gold, "M-00001")
    assert (done.signed_again, done.published) == (5, 0)
    assert after.certificate_id != before.certificate_id
    assert (after.published, after.last_modified, after.revision) == (before.published, before.last_modified, 1)
    assert verify(archive(gold, "M-00001"), roots=[authority.root_der], now=datetime.now(UTC)).ok


def test_a_deleted_member_gets_one_last_voided_and_expired_revision(club, wallet):
    gold = club(wallets=[AppleWallet(**wallet)])
    gold.night([member(1), member(2)])
    bring(gold)
    gold.night([member(1)])
    bring(gold)
    last = document(gold, "M-00002")
    assert last["voided"] is True
    assert datetime.fromisoformat(last["expirationDate"]) < datetime.now(UTC)


def test_two_publications_in_one_second_have_two_modification_times(club, wallet):
    gold = club(wallets=[AppleWallet(**wallet)])
    seen = []
    for points in "1234":
        gold.night([member(1, points=points)])
        bring(gold)
        row = state(gold, "M-00001")
        seen.append((row.published, row.last_modified))
    assert all(later[0] > earlier[0] and later[1] > earlier[1] for earlier, later in pairwise(seen))


def test_phones_are_told_once_and_gone_ones_are_forgotten(club, wallet, apns):
    gold = club(wallets=[AppleWallet(**wallet, apns_port=apns.port)])
    gold.night([member(n) for n in range(4)])
    bring(gold)
    with gold.store.begin() as conn:
        for number, device in ((0, "phone-a"), (1, "phone-a"), (2, "phone-b"), (3, "phone-c")):
            serial = gold.pass_of(f"M-{number:05d}").serial
            register(
                gold.store, conn, device_id=device, push_token=f"{device}-token", pass_type=PASS_TYPE, serial=serial
            )
    assert gold.events_of("M-00002")[-1] == (2, EventKind.INSTALLED)
    apns.script("phone-c-token", Reply(410, "Unregistered", timestamp=4_000_000_000_000))
    program = gold.program
    rung = push(program, gold.store, program.wallets[0])
    assert (rung.told, rung.gone) == (2, 1)
    assert sorted(apns.tokens) == ["phone-a-token", "phone-b-token", "phone-c-token"]
    assert gold.events_of("M-00003")[-1] == (3, EventKind.UNINSTALLED)
    with gold.store.read() as conn:
        assert len(conn.execute(select(registrations.c.serial)).all()) == 3
    assert push(program, gold.store, program.wallets[0]).told == 0
    gold.night([member(n, points="77" if n == 2 else str(n)) for n in range(4)])
    bring(gold)
    rung = push(gold.program, gold.store, gold.program.wallets[0])
    assert rung.told == 1
    assert apns.tokens[-1] == "phone-b-token"


def test_ringing_phones_are_counted_in_the_plan(club, wallet):
    gold = club(wallets=[AppleWallet(**wallet)], guard={"first_load": True, "rings": {"count": 1, "percent": 50}})
    gold.night([member(n) for n in range(4)])
    bring(gold)
    with gold.store.begin() as conn:
        for number in range(4):
            serial = gold.pass_of(f"M-{number:05d}").serial
            register(
                gold.store, conn, device_id=f"d{number}", push_token=f"t{number}", pass_type=PASS_TYPE, serial=serial
            )
    quiet = gold.plan([member(n, name="Renamed") for n in range(4)])
    assert (quiet.counts.updates, quiet.counts.ringing, quiet.withheld) == (4, 0, ())
    loud = gold.plan([member(n, points="9000") for n in range(4)])
    assert (loud.counts.ringing, loud.counts.phones) == (4, 4)
    assert [item.rule for item in loud.withheld] == ["updates.rings"]
    gold.apply(loud)
    assert gold.pass_of("M-00001").status is Status.ACTIVE
    assert gold.pass_of("M-00001").revision == 1


def test_a_pass_certificate_of_another_team_stops_before_anything_is_signed(club, wallet, authority, tmp_path):
    from passflow.errors import CertificateError

    gold = club(wallets=[AppleWallet(**{**wallet, "team": "ZZZZZ99999"})])
    gold.night([member(1)])
    with pytest.raises(CertificateError, match="team"):
        bring(gold)
    assert state(gold, "M-00001").signature is None


def test_pushes_with_a_token_carry_it_instead_of_a_certificate(club, wallet, authority, tmp_path):
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "AuthKey.p8"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    claims = []

    def check(header: str | None) -> str | None:
        scheme, _, token = (header or "").partition(" ")
        assert scheme.lower() == "bearer"
        assert jwt.get_unverified_header(token)["kid"] == "KEY0000001"
        claims.append(jwt.decode(token, key.public_key(), algorithms=["ES256"]))
        return None

    server = authority.issue_server_certificate()
    with FakeApns(server.chain_pem, server.key_pem, check_bearer=check) as fake:
        token = {"apns_token_key": f"file:{path}", "apns_token_key_id": "KEY0000001"}
        gold = club(wallets=[AppleWallet(**wallet, **token, apns_port=fake.port)])
        gold.night([member(1)])
        bring(gold)
        serial = gold.pass_of("M-00001").serial
        with gold.store.begin() as conn:
            register(gold.store, conn, device_id="d", push_token="t", pass_type=PASS_TYPE, serial=serial)
        assert push(gold.program, gold.store, gold.program.wallets[0]).told == 1
    assert claims[0]["iss"] == TEAM
    assert fake.violations == []


def test_a_members_own_photo_is_fetched_once_sealed_and_packed(club, wallet, authority, monkeypatch):
    import passflow.files as files_module
    from passflow.errors import FetchError
    from passflow.security.fetch import Fetched
    from passflow_tests.template.samples import draw_face

    face = draw_face()

    asked = []

    class Fetcher:
        def fetch(self, url, *, max_bytes, allowed_types):
            asked.append(url)
            if "gone" in url:
                raise FetchError("The host answered 404.", code="fetch.status")
            return Fetched(face, "image/png", url)

    monkeypatch.setattr(files_module, "_fetcher", Fetcher)
    template = {
        "style": "generic",
        "organization": "Club",
        "description": "Card",
        "primary": [{"key": "name", "label": "Name", "value": "{display_name}"}],
        "secondary": [{"key": "points", "label": "Points", "value": "{points:,}"}],
        "images": {"icon": "icon.png", "thumbnail": "{photo_url}"},
    }
    columns = {"external_id": "id", "display_name": "name", "points": {"column": "points", "type": "integer"}}
    members = {**columns, "photo_url": "tier"}
    gold = club(wallets=[AppleWallet(**wallet)], template=template, members=members, lifecycle={"expires": []})
    photo = "https://photos.example/ada.png"
    rows = [member(1, tier=photo), member(2, tier="https://photos.example/gone.png"), member(3, tier=None)]
    gold.night(rows)
    done = bring(gold)
    assert (done.brought, dict(done.notices)) == (3, {"fetch.status": 1})
    names = [path for path in read_archive(archive(gold, "M-00001")).files if path.startswith("thumbnail")]
    assert sorted(names) == ["thumbnail.png", "thumbnail@2x.png", "thumbnail@3x.png"]
    assert not any(path.startswith("thumbnail") for path in read_archive(archive(gold, "M-00003")).files)
    gold.night([member(1, tier=photo, points="700"), *rows[1:]])
    bring(gold)
    assert document(gold, "M-00001")["generic"]["secondaryFields"][0]["value"] == "700"
    assert asked.count(photo) == 1
    with gold.store.read() as conn:
        from passflow.store.tables import assets

        kept = [bytes(content) for content in conn.execute(select(assets.c.content)).scalars() if content]
    assert face not in kept


def test_erasing_a_member_publishes_a_blank_pass_under_the_old_serial(club, wallet, authority):
    from passflow.store.erasure import erase, readmit, settle

    gold = club(wallets=[AppleWallet(**wallet)])
    gold.night([member(1, name="Ada Lovelace"), member(2)])
    bring(gold)
    old = gold.pass_of("M-00001")
    receipt = erase(gold.store, "gold", "M-00001", actor="test")
    assert receipt.serial == old.serial
    assert gold.pass_of("M-00001") is None
    plan = gold.night()
    assert (plan.counts.creates, plan.counts.deletes, dict(plan.refusals)) == (0, 0, {"member.erased": 1})
    assert bring(gold).brought == 1
    with gold.store.read() as conn:
        blank = read_package(conn, gold.store.keyring, old.serial)
    assert verify(blank, roots=[authority.root_der], now=datetime.now(UTC)).ok
    shown = orjson.loads(read_archive(blank).files["pass.json"])
    assert shown["voided"] is True
    assert shown["serialNumber"] == old.serial
    assert b"Ada" not in read_archive(blank).files["pass.json"]
    assert settle(gold.store) == []
    assert readmit(gold.store, "gold", "M-00001", actor="test")
    gold.night()
    assert gold.pass_of("M-00001").serial != old.serial


def test_two_programs_with_their_own_types_and_certificates_share_a_store(club, wallet, authority, tmp_path):
    other_paths = authority.write(tmp_path / "other", "pass.example.other", "OTHER12345")
    other = {
        **wallet,
        "pass_type": "pass.example.other",
        "team": "OTHER12345",
        **{role: f"file:{other_paths[role]}" for role in ("certificate", "key", "intermediate")},
    }
    gold = club(wallets=[AppleWallet(**wallet)])
    silver = club(wallets=[AppleWallet(**other)], program="silver")
    for each in (gold, silver):
        plan = each.plan([member(1), member(2)])
        each.apply(plan)
        assert bring(each).brought == 2
    with gold.store.read() as conn:
        found = conn.execute(select(wallet_states.c.program, wallet_states.c.pass_type, wallet_states.c.serial)).all()
        archives = [(row, read_package(conn, gold.store.keyring, row.serial)) for row in found]
    assert {(row.program, row.pass_type) for row in found} == {("gold", PASS_TYPE), ("silver", "pass.example.other")}
    assert len({row.serial for row in found}) == 4
    for row, data in archives:
        assert verify(data, roots=[authority.root_der], now=datetime.now(UTC)).ok
        assert orjson.loads(read_archive(data).files["pass.json"])["passTypeIdentifier"] == row.pass_type
