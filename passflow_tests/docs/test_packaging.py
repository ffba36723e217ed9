"""What is tested is what ships: the wheel, with everything that the package reads at run time."""

import os
import re
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

import passflow

ROOT = Path(__file__).parents[2]
WHEEL = os.environ.get("PASSFLOW_TESTED_WHEEL")
needs_wheel = pytest.mark.skipif(not WHEEL, reason="`make test` builds the wheel and names it")


@needs_wheel
def test_the_tests_see_the_wheel():
    assert Path(passflow.__file__).is_relative_to(Path(WHEEL).resolve())


@needs_wheel
def test_processes_started_by_tests_see_the_wheel_too():
    code = "import passflow, sys; sys.stdout.write(passflow.__file__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert Path(found).is_relative_to(Path(WHEEL).resolve())


@needs_wheel
def test_every_python_file_and_every_data_file_of_the_package_is_in_the_wheel():
    if not (ROOT / "passflow").is_dir():
        pytest.skip("there is no checkout to compare with")
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "passflow").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    there = {
        path.relative_to(WHEEL).as_posix() for path in (Path(WHEEL) / "passflow").rglob("*") if path.suffix != ".pyc"
    }
    assert here - there == set()


@needs_wheel
def test_the_wheel_brings_no_tests_and_no_demo_data():
    (wheel,) = (Path(WHEEL).parent / "dist").glob("passflow-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))).decode()
    assert {top for top in tops if not top.endswith(".dist-info")} == {"passflow"}
    assert wheel.stat().st_size < 6_000_000
    assert "License-Expression: Apache-2.0" in metadata
    assert re.search(r"^Requires-Python: .*>=3\.11", metadata, re.M)


def test_the_package_says_that_it_is_typed():
    assert files("passflow").joinpath("py.typed").is_file()


def test_the_makefile_names_no_place_of_one_machine():
    if not (ROOT / "Makefile").is_file():
        pytest.skip("the Makefile is not part of this installation")
    for name in ("Makefile", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not re.search(r"/(root|home|work|usr|opt)/|https?://(?!127\.0\.0\.1)", text), name
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_make_lists_its_targets():
    if not (ROOT / "Makefile").is_file():
        pytest.skip("the Makefile is not part of this installation")
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "dev", "test", "test-slow", "bench", "lint", "clean", "docs"):
        assert re.search(rf"^  make {target} ", listed, re.M), target
