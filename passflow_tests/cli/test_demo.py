"""The demo: what it may remove, what it lays out, and that the story it tells is true."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from passflow.cli import demo_home
from passflow.cli.demo import _check_night
from passflow.errors import ConfigError, PlanError
from passflow_tests.cli.runs import run_process

ROOT = Path(__file__).parents[2]
HERE = (ROOT / "data" / "gold" / "defs.yaml").is_file() and (ROOT / "workspace.yaml").is_file()
needs_repository = pytest.mark.skipif(not HERE, reason="the demo's data is not part of this installation")


def test_a_store_that_the_demo_did_not_make_is_left_alone(tmp_path):
    (tmp_path / "store.db").write_bytes(b"precious")
    with pytest.raises(ConfigError) as caught:
        demo_home.clear_home(tmp_path)
    assert caught.value.error_code == "demo.home"
    assert (tmp_path / "store.db").read_bytes() == b"precious"


def test_an_earlier_demo_is_cleared_but_keys_and_certificates_stay(tmp_path):
    (tmp_path / demo_home.MARKER).write_text("x")
    for name in (
        "store.db",
        "store.db-wal",
        "demo/passes/a.pkpass",
        "dagster/history/x",
        "keys/members.key",
        "certificates/a",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    demo_home.clear_home(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {demo_home.MARKER, "keys/members.key", "certificates/a"}


def test_elsewhere_it_says_where_the_demo_lives(project):
    ended = project.run("demo")
    assert ended.status == 1
    assert "error[demo.missing]" in ended.err


class _Plan:
    def __init__(self, *rules):
        self.withheld = [type("Withholding", (), {"rule": rule}) for rule in rules]


@pytest.mark.parametrize(
    ("night", "rules", "stand"),
    [
        (1, ("creates.first_load",), {"live": 0, "behind": 0}),
        (2, ("deletes.share",), {"live": 10, "behind": 0}),
        (3, (), {"live": 0, "behind": 0}),
        (3, ("deletes.empty_read",), {"live": 0, "behind": 0}),
        (2, (), {"live": 10, "behind": 3}),
    ],
)
def test_the_demo_fails_when_a_night_does_not_go_as_told(night, rules, stand):
    with pytest.raises(PlanError) as caught:
        _check_night(night, _Plan(*rules), stand)
    assert caught.value.error_code == "demo.story"


@needs_repository
def test_only_files_are_enough_for_a_plan(tmp_path):
    env = {"PASSFLOW_HOME": str(tmp_path / "home")}
    assert run_process("demo", "--only-files", cwd=ROOT, env=env).status == 0
    assert (tmp_path / "home" / "demo" / "inbox" / "members.csv").read_bytes() == (
        ROOT / "data" / "gold" / "members-night-1.csv"
    ).read_bytes()
    assert run_process("doctor", cwd=ROOT, env=env).status == 0
    planned = run_process("plan", "gold", "--json", cwd=ROOT, env=env)
    assert planned.status == 2, planned.err
    document = planned.json
    assert document["counts"]["creates"] == 2480
    assert document["refusals"] == {"date.unreadable": 1, "id.missing": 1, "value.too_long": 1}
    before = (tmp_path / "home" / "store.db").stat().st_mtime_ns
    assert run_process("demo", "--only-files", cwd=ROOT, env=env).status == 0
    assert (tmp_path / "home" / "store.db").stat().st_mtime_ns == before, "what is there stays"


@needs_repository
@pytest.mark.slow
def test_three_nights_as_dagster_runs(tmp_path):
    env = {"PASSFLOW_HOME": str(tmp_path / "home")}
    began = time.monotonic()
    ended = run_process("demo", "--json", cwd=ROOT, env=env)
    assert ended.status == 0, ended.err
    assert time.monotonic() - began < 240, "two minutes on an idle machine with two cores"
    document = ended.json
    first, second, third = document["nights"]
    assert first["done"] == {"creates": 2480}
    assert first["live"] == 2480
    assert second["done"]["creates"] == 37
    assert second["done"]["deletes"] == 16
    assert second["live"] == 2480 + 37 - 16
    assert third["withheld"] == {"deletes": second["live"]}
    assert third["done"] == {}
    assert third["live"] == second["live"], "nobody lost a pass"
    assert all(each["verified"] for each in document["passes"])
    assert len(document["passes"]) == 3
    root = tmp_path / "home" / "certificates" / "gold" / "root.pem"
    for each in document["passes"]:
        assert run_process("verify", each["file"], "--root", root, cwd=ROOT, env=env).status == 0
        assert Path(each["picture"]).read_bytes().startswith(b"\x89PNG")
    shown = run_process("show", "gold", cwd=ROOT, env=env)
    assert shown.status == 3
    assert "Guard: 2,501 deletes withheld" in shown.out


@needs_repository
def test_the_committed_art_is_small_and_of_the_sizes_that_wallet_prepares():
    from PIL import Image

    total = 0
    for program in ("gold", "festival"):
        for name, size in (("icon", (38, 38)), ("logo", (160, 50)), ("strip", (375, 144))):
            for density in (1, 2, 3):
                suffix = "" if density == 1 else f"@{density}x"
                path = ROOT / "data" / program / "images" / f"{name}{suffix}.png"
                total += path.stat().st_size
                with Image.open(path) as image:
                    assert image.size == (size[0] * density, size[1] * density), path.name
    assert total <= 400_000


@needs_repository
def test_nothing_of_the_demo_is_a_secret():
    for path in (ROOT / "data").rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes()
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "*.pem", "*.key", "*.p12"], cwd=ROOT, capture_output=True, text=True
        ).stdout
        assert set(listed.split()) <= {"passflow/wallets/apple/wwdr_g4.pem"}
