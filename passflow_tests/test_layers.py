"""What imports what: the contracts of pyproject.toml, and what a fresh process has loaded."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import passflow

PACKAGE = Path(passflow.__file__).parent
CONTRACTS = Path(__file__).parents[1] / "pyproject.toml"
HEAVY = (
    "dagster",
    "pandas",
    "polars",
    "pyarrow",
    "numpy",
    "PIL",
    "resvg_py",
    "babel",
    "alembic",
    "adbc_driver_postgresql",
)
FRAMEWORKS = ("dagster", "typer", "fastapi", "starlette")


def loaded(statement: str) -> set[str]:
    """Top-level modules that a statement leaves in a fresh process."""
    script = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_contracts_hold():
    # in a process of its own: the linter configures logging, and switches off every logger there is
    script = f"from importlinter.cli import lint_imports; raise SystemExit(lint_imports(config_filename={str(CONTRACTS)!r}, no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import passflow", (*HEAVY, *FRAMEWORKS, "sqlalchemy")),
        ("import passflow.program; passflow.program.program_model()", (*HEAVY, *FRAMEWORKS)),
        ("import passflow.model, passflow.errors, passflow.ports, passflow.vendors", (*HEAVY, *FRAMEWORKS)),
        (
            "import passflow.sync.plan, passflow.sync.apply, passflow.sync.converge, passflow.sync.single",
            (*HEAVY, *FRAMEWORKS),
        ),
        ("import passflow.store.engine, passflow.store.plans, passflow.store.erasure", (*HEAVY, *FRAMEWORKS)),
        ("import passflow.cli.app", HEAVY),
        ("import passflow.installation, passflow.project, passflow.settings", (*HEAVY, *FRAMEWORKS)),
    ],
)
def test_a_fresh_process_has_loaded_nothing_slow(statement, absent):
    assert loaded(statement).isdisjoint(absent)


def test_the_public_names_are_these():
    assert passflow.__all__ == ["PassflowError", "__version__"]
    assert all(hasattr(passflow, name) for name in passflow.__all__)


def modules() -> list[str]:
    paths = (path.relative_to(PACKAGE.parent).with_suffix("") for path in sorted(PACKAGE.rglob("*.py")))
    return [".".join(path.parts).removesuffix(".__init__") for path in paths if "migrations" not in path.parts]


def test_every_module_says_in_its_first_lines_what_it_is_for():
    silent = []
    for path in PACKAGE.rglob("*.py"):
        if ast.get_docstring(ast.parse(path.read_text())) is None:
            silent.append(str(path.relative_to(PACKAGE.parent)))
    assert silent == []


def test_what_a_module_exports_exists():
    for name in modules():
        if name.endswith("__main__") or name.startswith("passflow.definitions"):
            continue
        module = importlib.import_module(name)
        missing = [each for each in getattr(module, "__all__", ()) if not hasattr(module, each)]
        assert not missing, f"{name} exports {missing}"
