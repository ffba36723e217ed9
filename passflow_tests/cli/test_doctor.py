"""The doctor finds each fault, names it with its fix, and goes on to the next."""

import pytest

from passflow_tests.cli.conftest import MEMBERS


def codes(project):
    ended = project.run("doctor", "--json")
    document = ended.json
    assert document["ok"] == (ended.status == 0)
    return {check["code"] for check in document["checks"] if check["level"] == "error"}


def test_a_healthy_project(project):
    ended = project.run("doctor")
    assert ended.status == 0
    for text in (
        "1 program(s)",
        "sqlite answers",
        "has all 6 columns",
        "Apple Wallet: the certificate of pass.example.club",
    ):
        assert text in ended.out
    assert "0 error(s)" in ended.out
    assert codes(project) == set()


def test_it_changes_nothing(project):
    before = {
        path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file() and "store.db-" not in path.name
    }
    project.run("doctor")
    after = {
        path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file() and "store.db-" not in path.name
    }
    assert before == after


def test_a_project_without_keys_and_store(bare_project):
    ended = bare_project.run("doctor")
    assert ended.status == 1
    assert "there is no master key of the role 'members'" in ended.out
    assert "passflow init" in ended.out
    found = codes(bare_project)
    assert "crypto.role_missing" in found
    assert any(code.startswith("secret.") for code in found), "the wallet's certificate is missing too"


def test_migrate_brings_a_store_up_to_date(project):
    for path in project.home.glob("store.db*"):
        path.unlink()
    assert "store.version" in codes(project)
    ended = project.run("doctor", "--migrate")
    assert ended.status == 0
    assert "migrations run: 0001" in ended.out


@pytest.mark.parametrize(
    ("line", "wrong", "code"),
    [
        ("points: {column: points, type: integer}", "points: {column: pionts, type: integer}", "source.column_missing"),
        ("images: {icon: icon.png}", "images: {icon: icno.png}", "program.image"),
        ("style: storeCard", "style: storecard", "program.invalid"),
        ("path: members.csv", "path: nowhere.csv", None),
    ],
)
def test_mistakes_in_the_program_file(project, line, wrong, code):
    path = project.folder / "programs" / "club" / "defs.yaml"
    path.write_text(path.read_text().replace(line, wrong))
    found = codes(project)
    assert found
    assert code is None or code in found


def test_every_other_check_still_runs_when_one_fails(project):
    (project.home / "certificates" / "key.pem").write_text("no key")
    ended = project.run("doctor")
    assert ended.status == 1
    assert "has all 6 columns" in ended.out
    assert "sqlite answers" in ended.out


def test_a_missing_column_names_those_there_are(project):
    path = project.folder / "programs" / "club" / "members.csv"
    path.write_text("\n".join(["id,first,last,points,until,state", *MEMBERS]) + "\n")
    ended = project.run("doctor")
    assert "number" in ended.out
    assert "points, until, state" in ended.out


def test_a_key_that_everybody_may_read_is_a_warning(project):
    (project.home / "certificates" / "key.pem").chmod(0o644)
    (project.home / "keys" / "members.key").chmod(0o644)
    ended = project.run("doctor")
    assert ended.status == 0
    assert ended.out.count("open to every user of this machine") == 2
    assert "chmod 600" in ended.out


def test_a_missing_gateway_address_is_a_warning(project, monkeypatch):
    assert "PASSFLOW_BASE_URL is not set" in project.run("doctor").out
    monkeypatch.setenv("PASSFLOW_BASE_URL", "https://passes.example.com")
    assert "phones ask for updates at https://passes.example.com" in project.run("doctor").out


def test_a_certificate_near_its_end_is_a_warning(project):
    from datetime import UTC, datetime, timedelta

    from passflow.testing.authority import TestAuthority

    authority = TestAuthority()
    soon = authority.issue_pass_certificate(
        "pass.example.club", "ABCDE12345", valid_until=datetime.now(UTC) + timedelta(days=12, hours=1)
    )
    folder = project.home / "certificates"
    (folder / "certificate.pem").write_bytes(soon.certificate_pem)
    (folder / "key.pem").write_bytes(soon.key_pem)
    (folder / "intermediate.pem").write_bytes(authority.intermediate_pem)
    ended = project.run("doctor")
    assert ended.status == 0
    assert "valid for 12 days" in ended.out
    assert "1 error" not in ended.out
