"""The strings files, read back by a parser of their own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.template import localisation, render_fields
from passflow.template.localise import strings_files
from passflow.template.text import best_language, language_tag
from passflow_tests.template.designs import MEMBER, compiled, problems

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


def read_strings(data: bytes) -> dict[str, str]:
    """Read an old-style strings file: `"key" = "value";` with C escapes, UTF-16 with its byte order mark."""
    assert data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text, at, pairs = data.decode("utf-16"), 0, {}

    def quoted() -> str:
        nonlocal at
        assert text[at] == '"', text[at:]
        at += 1
        read = ""
        while text[at] != '"':
            if text[at] == "\\":
                at += 1
                read += ESCAPES[text[at]]
            else:
                assert text[at] != "\n"
                read += text[at]
            at += 1
        at += 1
        return read

    def expect(pattern: str) -> None:
        nonlocal at
        match = re.compile(pattern).match(text, at)
        assert match, text[at:]
        at = match.end()

    while at < len(text):
        key = quoted()
        expect(r"\s*=\s*")
        assert key not in pairs
        pairs[key] = quoted()
        expect(r"\s*;\s*")
    return pairs


TEMPLATE = r"""
locale: en
logo_text: {en: Gold Club, de: Gold-Club, pt-BR: Clube de Ouro}
description: {en: "A \"quoted\" card\nwith \\ lines", de: "Eine \"Karte\"", ar: "بطاقة 🎟️"}
header: [{key: points, label: {en: Points, de: Punkte}, value: "{points}", change_message: {en: "%@ points", de: "%@ Punkte"}}]
primary: [{key: tier, label: Tier, value: "{tier:lookup(tiers)}"}]
back: [{key: t, value: {en: Terms, de: Bedingungen}}, {key: u, value: {en: "Hi {given_name}", de: "Hallo {given_name}"}}]
links: [{key: l, url: "https://x.example/a&b", text: {en: Shop, de: Laden}}]
lookups: {tiers: {gold: {en: Gold, de: Gülden}, silver: Silver}, unused: {a: {en: Unused, de: Ungenutzt}}}
"""


def test_every_language_has_the_same_keys() -> None:
    files = {path: read_strings(data) for path, data in localisation(compiled(TEMPLATE)).items()}
    assert sorted(files) == [
        "ar.lproj/pass.strings",
        "de.lproj/pass.strings",
        "en.lproj/pass.strings",
        "pt-BR.lproj/pass.strings",
    ]
    german, english = files["de.lproj/pass.strings"], files["en.lproj/pass.strings"]
    assert english == {key: key for key in english}
    assert german == {
        "Gold Club": "Gold-Club",
        'A "quoted" card\nwith \\ lines': 'Eine "Karte"',
        "Points": "Punkte",
        "%@ points": "%@ Punkte",
        "Gold": "Gülden",
        "Terms": "Bedingungen",
        "Shop": "Laden",
        '<a href="https://x.example/a&amp;b">Shop</a>': '<a href="https://x.example/a&amp;b">Laden</a>',
    }
    assert all(set(file) == set(english) for file in files.values())
    assert files["pt-BR.lproj/pass.strings"]["Gold Club"] == "Clube de Ouro"
    assert files["pt-BR.lproj/pass.strings"]["Points"] == "Points"
    assert files["ar.lproj/pass.strings"]['A "quoted" card\nwith \\ lines'] == "بطاقة 🎟️"


def test_one_language_needs_no_files() -> None:
    assert localisation(compiled("logo_text: Gold Club\nheader: [{key: a, value: x}]")) == {}


def test_a_regional_text_falls_back_to_its_language() -> None:
    files = localisation(compiled("logo_text: {en: A, de: B, de-AT: C}\nheader: [{key: a, value: {en: D, de: E}}]"))
    assert read_strings(files["de-AT.lproj/pass.strings"]) == {"A": "C", "D": "E"}


def test_the_same_text_twice_needs_the_same_translation() -> None:
    assert problems("logo_text: {en: A, de: B}\nheader: [{key: a, value: {en: A, de: B}, label: {en: A, fr: C}}]") == {}


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=4))
def test_any_text_is_read_back(texts: dict[str, str]) -> None:
    clean = {k: v for k, v in texts.items() if not set(k + v) & {"\r"} and not re.search("[\ud800-\udfff]", k + v)}
    files = strings_files({key: {"en": key, "de": value} for key, value in clean.items()})
    if clean:
        assert read_strings(files["de.lproj/pass.strings"]) == clean
        assert files == strings_files({key: {"de": clean[key], "en": key} for key in sorted(clean, reverse=True)})


def test_what_a_phone_shows_follows_its_language() -> None:
    made = compiled(TEMPLATE)
    member = {**MEMBER, "locale": "fr"}
    assert render_fields(made, member, "de") == {
        "points": "12345", "tier": "Gülden", "t": "Bedingungen", "u": "Hi Zoë", "l": "Laden"
    }  # fmt: skip
    assert render_fields(made, {**member, "locale": "de_DE"})["u"] == "Hallo Zoë"
    assert render_fields(made, member)["tier"] == "Gold"


@pytest.mark.parametrize(
    ("wanted", "languages", "expected"),
    [
        ("de_AT", ("en", "de"), "de"),
        ("de-AT", ("en", "de", "de-AT"), "de-AT"),
        ("zh_Hant_TW", ("en", "zh-Hant"), "zh-Hant"),
        ("zh_Hant_TW", ("en", "zh-TW"), "zh-TW"),
        ("pt", ("en", "pt-BR"), "pt-BR"),
        ("fr", ("de", "en"), "en"),
        ("fr", ("de", "en-GB"), "en-GB"),
    ],
)
def test_the_nearest_language_is_chosen(wanted: str, languages: tuple[str, ...], expected: str) -> None:
    assert best_language(wanted, languages, "en") == expected
    assert best_language(wanted, languages[::-1], "en") == expected


@pytest.mark.parametrize(
    ("raw", "tag"), [("pt_br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("EN", "en"), ("es-419", "es-419")]
)
def test_language_tags_have_one_spelling(raw: str, tag: str) -> None:
    assert language_tag(raw) == tag
