"""A vendor is one new file: it is found in the folder or by an entry point, and edits nothing."""

import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint
from typing import Literal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import passflow.sources
from passflow import vendors
from passflow.errors import ConfigError
from passflow.ports import SourceSettings

VENDOR = textwrap.dedent(
    '''
    """Another master system."""
    from typing import Literal
    from passflow.ports import SourceSettings

    class _Base(SourceSettings):
        """No vendor: it has no type."""

    class {name}Source(_Base):
        """A vendor."""
        type: Literal["{type}"]
        label = "{name}"
    '''
)


@pytest.fixture(autouse=True)
def forgetful():
    vendors.forget()
    yield
    vendors.forget()


@pytest.fixture
def drop(tmp_path, monkeypatch):
    """Puts a file into the folder of sources, as a checkout with one more file would have it."""
    monkeypatch.setattr(passflow.sources, "__path__", [*passflow.sources.__path__, str(tmp_path)])

    def put(module, text):
        (tmp_path / f"{module}.py").write_text(text)
        vendors.forget()
        monkeypatch.delitem(sys.modules, f"passflow.sources.{module}", raising=False)

    yield put
    for name in [name for name in sys.modules if name.startswith("passflow.sources.dropped")]:
        del sys.modules[name]


@pytest.fixture
def plug(tmp_path, monkeypatch):
    """Installs a package with an entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    points = []
    monkeypatch.setattr(vendors, "entry_points", lambda group: [point for point in points if point.group == group])

    def install(name, value, text=None, group="passflow.sources"):
        if text is not None:
            (tmp_path / f"{value.split(':')[0]}.py").write_text(text)
        points.append(EntryPoint(name, value, group))
        vendors.forget()

    return install


def test_a_file_in_the_folder_is_a_vendor(drop):
    drop("dropped_one", VENDOR.format(name="Dropped", type="dropped"))
    assert vendors.find("sources")["dropped"].__name__ == "DroppedSource"
    assert "dropped" not in vendors.find("wallets")


def test_a_file_with_an_underscore_or_without_a_type_is_none(drop):
    before = set(vendors.find("sources"))
    drop("_dropped_two", VENDOR.format(name="Hidden", type="hidden"))
    drop("dropped_three", "from passflow.ports import SourceSettings\nclass Base(SourceSettings):\n    '''Base.'''\n")
    assert set(vendors.find("sources")) == before


def test_an_entry_point_names_a_module_or_a_class(plug):
    plug("acme", "acme_source", VENDOR.format(name="Acme", type="acme"))
    plug("ajax", "ajax_source:AjaxSource", VENDOR.format(name="Ajax", type="ajax"))
    assert {"acme", "ajax"} <= set(vendors.find("sources"))
    assert vendors.problems("sources") == ()
    assert vendors.get("sources", "ajax").label == "Ajax"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise RuntimeError('token=abc')", "cannot be loaded \\(RuntimeError\\)"),
        ("import nothing_of_that_name", "cannot be loaded \\(ModuleNotFoundError\\)"),
        ("def", "cannot be loaded \\(SyntaxError\\)"),
        ("x = 1", "holds no settings class"),
        (VENDOR.format(name="Taken", type="acme"), "claims the type 'acme', which is taken"),
    ],
)
def test_a_broken_plug_in_is_named_and_hides_nobody(plug, text, message):
    plug("acme", "acme_source_too", VENDOR.format(name="Acme", type="acme"))
    healthy = set(vendors.find("sources"))
    plug("broken", f"broken_{abs(hash(text))}", text)
    assert set(vendors.find("sources")) == healthy
    (problem,) = vendors.problems("sources")
    assert isinstance(problem, ConfigError)
    assert "broken" in problem.message and problem.error_code == "vendor.broken"
    assert "token" not in str(problem)
    with pytest.raises(ConfigError, match=message):
        raise problem


def test_asking_for_a_broken_or_unknown_vendor_says_which(plug):
    plug("broken", "broken_again", "raise RuntimeError")
    with pytest.raises(ConfigError, match="broken"):
        vendors.get("sources", "broken")
    with pytest.raises(ConfigError, match="'nobody'") as caught:
        vendors.get("sources", "nobody")
    assert all(name in caught.value.fix for name in vendors.find("sources"))


def test_the_union_tells_vendors_apart_by_type(drop):
    drop("dropped_four", VENDOR.format(name="Four", type="four"))
    adapter = TypeAdapter(vendors.union("sources"))
    assert type(adapter.validate_python({"type": "four"})).__name__ == "FourSource"
    with pytest.raises(ValidationError, match="'four'"):
        adapter.validate_python({"type": "five"})
    with pytest.raises(ValidationError, match="Extra inputs"):
        adapter.validate_python({"type": "four", "x": 1})
    mapping = adapter.json_schema()["discriminator"]["mapping"]
    assert "four" in mapping and len(mapping) == len(vendors.find("sources"))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_union_of_none_one_and_two(monkeypatch, count):
    class One(SourceSettings):
        type: Literal["one"]

    class Two(SourceSettings):
        type: Literal["two"]

    found = dict([("one", One), ("two", Two)][:count])
    monkeypatch.setattr(vendors, "find", lambda group: found)
    if not count:
        assert vendors.union("sources") is None
        return
    adapter = TypeAdapter(tuple[vendors.union("sources"), ...])
    assert [item.type for item in adapter.validate_python([{"type": name} for name in found])] == list(found)


def test_types_are_literal_and_alone():
    class Wide(SourceSettings):
        type: Literal["a", "b"]

    class Plain(BaseModel):
        type: str

    assert vendors.type_name(Wide) is None
    assert vendors.type_name(Plain) is None
    assert vendors.type_name(SourceSettings) is None


def test_what_is_found_is_kept():
    assert vendors.find("sources") is vendors.find("sources")


def test_finding_sources_loads_nothing_heavy():
    program = (
        "import sys; from passflow import vendors; found = vendors.find('sources'); vendors.union('sources');"
        "heavy = {'polars', 'pyarrow', 'pandas', 'numpy', 'sqlalchemy', 'dagster', 'fsspec', 'adbc_driver_postgresql'};"
        "print(sorted(heavy & set(sys.modules)), len(found) >= 3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[] True"
