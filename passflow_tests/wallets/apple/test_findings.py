"""Findings and reports: order, limits, and names that are safe to print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.wallets.apple.findings import MAX_FINDINGS, Report, error, info, inside, shown, warning

ALL = [info("c", "w", "m", "f"), warning("b", "w", "m", "f"), error("a", "w", "m", "f"), error("d", "w", "m", "f")]


def test_errors_come_first_and_keep_their_order() -> None:
    report = Report.of(ALL)
    assert [each.code for each in report.findings] == ["a", "d", "b", "c"]
    assert [each.code for each in report.errors] == ["a", "d"]
    assert report.codes == {"a", "b", "c", "d"}
    assert not report.ok
    assert Report.of(ALL[:2]).ok
    assert Report.of([]).ok


def test_endless_findings_are_cut() -> None:
    def endless() -> object:
        while True:
            yield ALL[2]

    report = Report.of(endless())  # type: ignore[arg-type]  # an endless iterator on purpose
    assert len(report.findings) == MAX_FINDINGS + 1
    assert report.findings[-1].code == "report.cut"
    assert "report.cut" not in Report.of([ALL[2]] * MAX_FINDINGS).codes


def test_places_are_put_before() -> None:
    first, second = inside("pass.json", [error("a", "nfc", "m", "f"), error("a", "", "m", "f")])
    assert (first.where, second.where) == ("pass.json: nfc", "pass.json")
    assert str(first) == "error: pass.json: nfc: m → f"


@pytest.mark.parametrize("name", ["icon@2x.png", "de.lproj/pass.strings", "a b+c-d"])
def test_plain_names_are_shown_as_they_are(name: str) -> None:
    assert shown(name) == name


@given(st.text())
def test_any_name_is_safe_on_a_terminal(name: str) -> None:
    text = shown(name)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 700
