"""Localised folders: same keys, same images, readable strings."""

from __future__ import annotations

import plistlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.wallets.apple.localisation import check_localisation, parse_strings

GOOD = b'/* comment */ "a" = "1";\n// more\n"b" = "say \\"x\\"";\n'


def found(files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    return [(each.level, each.code, each.where) for each in check_localisation(files)]


def test_complete_languages_have_no_finding() -> None:
    utf16 = '"a" = "ä";\n"b" = "€";'.encode("utf-16")
    files = {"de.lproj/pass.strings": utf16, "zh-Hans.lproj/pass.strings": GOOD, "en_GB.lproj/pass.strings": GOOD}
    assert found({**files, "pass.json": b"", "de.lproj/logo.png": b"", "zh-Hans.lproj/logo.png": b"",
                  "en_GB.lproj/logo.png": b""}) == []  # fmt: skip


def test_missing_keys_and_files_are_named() -> None:
    files = {"de.lproj/pass.strings": GOOD, "fr.lproj/pass.strings": b'"a" = "1";', "it.lproj/logo.png": b""}
    assert set(found(files)) == {
        ("warning", "locale.keys", "fr.lproj/pass.strings"),
        ("warning", "locale.keys", "it.lproj/pass.strings"),
        ("warning", "locale.images", "de.lproj"),
        ("warning", "locale.images", "fr.lproj"),
    }


def test_missing_scales_are_named() -> None:
    files = {"de.lproj/logo.png": b"", "de.lproj/logo@2x.png": b"", "fr.lproj/logo.png": b""}
    assert found(files) == [("warning", "locale.images", "fr.lproj")]


def test_a_top_level_file_hides_the_localised_one() -> None:
    assert found({"logo.png": b"", "de.lproj/logo.png": b""}) == [("warning", "locale.hidden", "de.lproj/logo.png")]


@pytest.mark.parametrize(
    "path", ["german/pass.strings", "de.lproj/a/b", "d.lproj/pass.strings", "de lproj.lproj/x", "/x"]
)
def test_other_folders_are_warned_of(path: str) -> None:
    ((level, code, _),) = found({path: b""})
    assert (level, code) == ("warning", "locale.path")


@pytest.mark.parametrize("text", ['"a" = "b"', '"a" "b";', "<strings/>", '"a = "b";', "/* open", '"a" = "b"; x'])
def test_strings_that_cannot_be_parsed(text: str) -> None:
    assert parse_strings(text) is None
    assert found({"de.lproj/pass.strings": text.encode()}) == [("error", "locale.strings", "de.lproj/pass.strings")]


def test_encodings() -> None:
    where = "de.lproj/pass.strings"
    assert found({where: '"a" = "ä";'.encode()}) == [("warning", "locale.encoding", where)]
    assert found({where: '"a" = "ä";'.encode("latin-1")}) == [("error", "locale.strings", where)]
    assert found({where: b"\xff\xfe\0"}) == [("error", "locale.strings", where)]
    assert found({where: b'"a" = "1"; "a" = "2";'}) == [("warning", "locale.key_twice", where)]
    binary = plistlib.dumps({"a": "b"}, fmt=plistlib.FMT_BINARY)
    assert found({where: binary}) == [("info", "locale.plist", where)]


def test_strings_follow_apples_format() -> None:
    assert parse_strings(GOOD.decode()) == [("a", "1"), ("b", 'say \\"x\\"')]
    assert parse_strings('key = "v"; a.b-c = other;') == [("key", "v"), ("a.b-c", "other")]
    assert parse_strings("") == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='"\\=;/* \na', max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    result = parse_strings(text)
    assert result is None or isinstance(result, list)


@pytest.mark.parametrize(
    "text", ['"' + "\\" * 200_000, '"a"' + " " * 200_000, "/*" * 200_000, '"a"="b";' * 50_000, "\n" * 200_000]
)
@pytest.mark.timeout(60)  # seconds: what backtracks takes hours
def test_parsing_does_not_backtrack(text: str) -> None:
    result = parse_strings(text)
    assert result is None or isinstance(result, list)


def test_too_large_strings_are_not_parsed() -> None:
    assert found({"de.lproj/pass.strings": b" " * 2_000_001}) == [("error", "locale.strings", "de.lproj/pass.strings")]
