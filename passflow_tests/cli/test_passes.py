"""One pass: shown, exported, drawn; and any pass file verified."""

import hashlib
import io
import json
import os
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from passflow.cli.passes import draw
from passflow_tests.cli.conftest import MEMBERS


def export(project, member="M0003"):
    path = project.folder / "out" / f"{member}.pkpass"
    assert project.run("pass", "export", member, "--out", path).status == 0
    return path


def root_of(project):
    return project.home / "certificates" / "root.pem"


def test_an_exported_pass_is_what_was_signed_and_openssl_agrees(project, tmp_path):
    path = export(project.applied())
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "pass")
        manifest = json.loads(archive.read("manifest.json"))
        for name in set(archive.namelist()) - {"manifest.json", "signature"}:
            assert manifest[name] == hashlib.sha1(archive.read(name)).hexdigest()
        document = json.loads(archive.read("pass.json"))
    assert document["storeCard"]["headerFields"][0]["value"] == "3,000"
    assert document["barcodes"][0]["message"] == "M0003"
    command = [
        "openssl",
        "smime",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "signature",
        "-content",
        "manifest.json",
    ]
    command += ["-CAfile", str(root_of(project)), "-purpose", "any", "-out", os.devnull]
    done = subprocess.run(command, cwd=tmp_path / "pass", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_export_is_for_its_owner_only_and_leaves_a_trace(project):
    path = export(project.applied())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    from passflow.installation import Installation
    from passflow.store.audit import read_entries

    with Installation.open() as installation, installation.store.read() as conn:
        entry = read_entries(conn)[0]
    assert entry.action == "pass.export"
    assert "M0003" not in f"{entry.subject}{entry.details}"


def test_exporting_twice_gives_the_same_bytes(project):
    first = export(project.applied()).read_bytes()
    assert export(project).read_bytes() == first


def test_the_default_file_is_named_by_the_serial_number(project):
    project.applied()
    document = project.run("pass", "export", "M0003", "--json").json
    assert Path(document["file"]).name == f"{document['serial'][:12]}.pkpass"
    assert (project.folder / document["file"]).stat().st_size == document["bytes"]


def test_showing_a_pass_says_everything_but_who(project):
    project.applied()
    project.members([row.replace("3000", "3500") for row in MEMBERS])
    assert project.run("plan").status == 2
    assert project.run("apply").status == 0
    ended = project.run("pass", "show", "M0003")
    assert "active, revision 2" in ended.out
    assert "apple: up to date, none, 0 device(s)" in ended.out
    assert "create: applied" in ended.out
    assert "update: applied" in ended.out
    assert "Zoë" not in ended.out
    assert "M0003" not in ended.out
    document = project.run("pass", "show", "M0003", "--json").json
    assert document["status"] == "active"
    assert {each["kind"] for each in document["operations"]} == {"create", "update"}


@pytest.mark.parametrize("side", ["front", "back"])
def test_the_picture_is_a_png(project, side):
    path = project.applied().folder / "card.png"
    assert project.run("pass", "preview", "M0003", "--out", path, "--side", side).status == 0
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > 600


def test_pictures_follow_the_language(project):
    archive = export(project.applied()).read_bytes()
    assert draw(archive, language="de") != draw(archive, language="en")
    assert draw(archive, language="xx") == draw(archive)


@pytest.mark.parametrize("verb", ["show", "export", "preview"])
def test_a_member_without_a_pass(project, verb):
    ended = project.applied().run("pass", verb, "M9999")
    assert ended.status == 1
    assert ended.err.startswith("error[pass.unknown]")
    assert "M9999" not in ended.err


def test_a_pass_that_is_not_signed_yet(project):
    project.run("plan")
    from passflow.installation import Installation
    from passflow.sync.apply import apply_plan

    with Installation.open() as installation:
        plan_id = project.run("show", "club", "--json").json["plan_id"]
        apply_plan(installation.program("club"), installation.store, plan_id, holder="test")
    ended = project.run("pass", "export", "M0003")
    assert ended.status == 1
    assert "error[package.unsigned]" in ended.err
    assert "behind (shows revision 0)" in project.run("pass", "show", "M0003").out


class TestVerify:
    def test_a_good_pass(self, project):
        path = export(project.applied())
        ended = project.run("verify", path, "--root", root_of(project))
        assert ended.status == 0
        assert "M0003.pkpass: good; 0 error(s)" in ended.out

    def test_several_at_once_are_as_good_as_the_worst(self, project):
        good = export(project.applied())
        bad = project.folder / "bad.pkpass"
        bad.write_bytes(b"PK")
        ended = project.run("verify", good, bad, "--root", root_of(project))
        assert ended.status == 1
        assert "M0003.pkpass: good" in ended.out
        assert "bad.pkpass: not good" in ended.out

    def test_apple_does_not_trust_our_test_authority(self, project):
        path = export(project.applied())
        ended = project.run("verify", path)
        assert ended.status == 1
        assert "not good" in ended.out
        assert project.run("verify", path, "--untrusted").status == 0

    def test_an_altered_pass_as_json(self, project):
        path = export(project.applied())
        altered = project.folder / "altered.pkpass"
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(altered, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                target.writestr(name, content.replace(b"3,000", b"9,000") if name == "pass.json" else content)
        ended = project.run("verify", altered, "--root", root_of(project), "--json")
        assert ended.status == 1
        document = ended.json
        assert document["ok"] is False
        (report,) = document["files"]
        assert "manifest.hash" in {finding["code"] for finding in report["findings"]}
        assert "9,000" not in ended.out

    @pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", io.BytesIO().getvalue() * 3, b"\x00" * 10_000])
    def test_rubbish_is_reported_not_raised(self, project, content):
        path = project.folder / "rubbish.pkpass"
        path.write_bytes(content)
        ended = project.run("verify", path)
        assert ended.status == 1
        assert "not good" in ended.out
        assert "internal.error" not in ended.err

    def test_a_file_that_is_not_there(self, project):
        assert "error[package.unreadable]" in project.run("verify", "nothing.pkpass").err

    @pytest.mark.parametrize(
        "content", [b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", b"\xff\xfe"]
    )
    def test_a_root_that_is_no_certificate(self, project, content):
        root = project.folder / "root.pem"
        root.write_bytes(content)
        path = project.folder / "any.pkpass"
        path.write_bytes(b"x")
        ended = project.run("verify", path, "--root", root)
        assert ended.status == 1
        assert "error[certificate.invalid]" in ended.err
