"""Every source that is found is held to the contract by a test file of its own."""

import importlib
import inspect
import pkgutil

import pytest

import passflow_tests.sources
from passflow.ports import SourceSettings
from passflow.testing.sources import MEMBERS, SourceContract
from passflow.vendors import find


def contracts():
    """The settings class that each contract test places, by way of its test file."""
    tested = {}
    for info in pkgutil.iter_modules(passflow_tests.sources.__path__):
        if not info.name.startswith("test_"):
            continue
        module = importlib.import_module(f"passflow_tests.sources.{info.name}")
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, SourceContract) and value is not SourceContract:
                tested.setdefault(info.name.removeprefix("test_"), []).append(value)
    return tested


@pytest.mark.parametrize("name", find("sources"))
def test_has_a_test_file_with_the_contract(name):
    module = find("sources")[name].__module__.rpartition(".")[2]
    assert contracts().get(module), (
        f"write passflow_tests/sources/test_{module}.py with a class that inherits SourceContract"
    )


@pytest.mark.parametrize("name", find("sources"))
def test_opens_and_is_documented(name):
    kind = find("sources")[name]
    assert kind.open is not SourceSettings.open
    assert kind.__doc__ and kind.label and kind.docs_url.startswith("https://")
    assert kind.model_fields["type"].description


def test_the_contract_tests_what_goes_wrong_most():
    ids = [member["member_no"] for member in MEMBERS]
    assert any(value.startswith("0") for value in ids)
    assert len({value.casefold() for value in ids}) < len(ids)
    assert any(value is None for member in MEMBERS for value in member.values())
