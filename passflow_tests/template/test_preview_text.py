"""Text, colours and values of the picture: measured against the renderer, formatted as CLDR says."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFont

from passflow.template.preview.canvas import Canvas
from passflow.template.preview.colors import BLACK, Color, parse_color
from passflow.template.preview.raster import render_png
from passflow.template.preview.text import FONTS, WEIGHTS, clean, fit, is_right_to_left, needs_system_fonts, width, wrap
from passflow.template.preview.values import show_value, strip_links

SENTENCES = [
    ("The quick brown fox, 0123456789", 20, 400),
    ("WAVE To AV LT Yo", 40, 300),
    ("Ξεσκεπάζω την ψυχοφθόρα", 18, 600),
    ("Съешь же ещё этих булок", 18, 500),
    ("Zażółć gęślą jaźń ÅÄÖ ñ ß", 24, 400),
    ("שלום עולם", 20, 400),
    ("€ 1.234,56 – “quoted”…", 20, 400),
]


@pytest.mark.parametrize(("text", "size", "weight"), SENTENCES)
def test_measured_widths_are_those_of_the_renderer(text, size, weight):
    canvas = Canvas()
    canvas.text(20, 60, text, size, BLACK, weight=weight)
    image = Image.open(io.BytesIO(render_png(canvas.document(900, 90, "t"), text, 2)))
    left, _, right, _ = image.getchannel("A").getbbox()
    drawn, measured = (right - left) / 2, width(text, size, weight)
    # side bearings are not drawn, and kerning only ever narrows: measuring too much is safe, too little is not
    assert -0.02 * measured - 2 < measured - drawn < 0.08 * measured + 3


@pytest.mark.parametrize(
    "letters",
    [
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ",
        "ĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĽľĻļŁłŃńŅņŇňŌōŐőŒœŔŕŘřŚśŞşŠšŢţŤťŪūŮůŰűŲųŸŹźŻżŽžȘșȚț",
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
        "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяёЁіІїЇєЄґҐўЎћђњљџ",
        "€£$¥₹₺₽–—…“”‘’«»•·°©®™§¶†‡%‰+−×÷=≈≠≤≥",
    ],
)
@pytest.mark.parametrize("file", sorted(WEIGHTS.values()))
def test_the_shipped_fonts_draw_these_letters(letters, file):
    font = ImageFont.truetype(FONTS / file, 40)
    missing = bytes(font.getmask("\U0010fffd"))
    without = [letter for letter in letters if bytes(font.getmask(letter)) == missing]
    assert without == []


def test_fonts_ship_with_their_licences_and_stay_small():
    files = list(Path(FONTS).iterdir())
    assert sum(file.stat().st_size for file in files) < 3_000_000
    assert {file.name for file in files} >= {
        *WEIGHTS.values(),
        "DejaVuSans.ttf",
        "LICENSE-Inter.txt",
        "LICENSE-DejaVu.txt",
    }
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "LICENSE-Inter.txt").read_text()
    assert "Bitstream Vera" in (FONTS / "LICENSE-DejaVu.txt").read_text()


@given(st.text(max_size=80), st.floats(5, 400), st.sampled_from([300, 400, 500, 600]))
def test_what_was_fitted_fits(text, room, weight):
    line = clean(text)
    shown, size = fit(line, room, 20, weight, 12)
    assert 12 <= size <= 20
    assert width(shown, size, weight) <= room + 0.01 or shown == "…"
    assert shown == line or shown.endswith("…")


def test_text_shrinks_before_it_is_cut():
    text = "Anna Schmidt-Hohenfels"
    natural = width(text, 20, 400)
    assert fit(text, natural + 1, 20, 400, 12) == (text, 20)
    shown, size = fit(text, natural * 0.8, 20, 400, 12)
    assert shown == text
    assert size == pytest.approx(16)
    shown, size = fit(text, natural * 0.3, 20, 400, 12)
    assert shown.endswith("…")
    assert size == 12


@given(st.text(max_size=300), st.integers(1, 6))
def test_wrapped_lines_fit_and_are_few(text, most):
    lines = wrap(text, 120, 15, 400, most)
    assert 1 <= len(lines) <= most
    assert all(width(clean(line), 15, 400) <= 121 or len(line) == 1 for line in lines)


def test_wrapping_keeps_every_word():
    text = "One point for every cent you spend.\nFree drinks never expire."
    lines = wrap(text, 150, 15, 400, 20)
    assert " ".join(lines) == text.replace("\n", " ")
    assert wrap("Donaudampfschifffahrtsgesellschaft", 60, 15, 400, 20) != ["Donaudampfschifffahrtsgesellschaft"]
    assert "".join(wrap("Donaudampfschifffahrtsgesellschaft", 60, 15, 400, 20)) == "Donaudampfschifffahrtsgesellschaft"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\nc\r\nd", "a b c d"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("\u202eabc\u2066", "abc"),
        ("\ud800x\ufffe", "x"),
        ("  a   b ", "a b"),
        (None, ""),
        (12, ""),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_cleaning(text, expected):
    assert clean(text) == expected


def test_directions_and_fonts_are_told_by_the_letters():
    assert is_right_to_left("123 שלום")
    assert is_right_to_left("مرحبا abc")
    assert not is_right_to_left("abc שלום")
    assert not is_right_to_left("12:30")
    assert not needs_system_fonts("Grüße Привет Καλημέρα שלום مرحبا €…→✈★")
    assert needs_system_fonts("日本")
    assert needs_system_fonts("🎉")
    assert needs_system_fonts("नमस्ते")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rgb(1, 2, 3)", Color(1, 2, 3)),
        ("RGB(255,255,255)", Color(255, 255, 255)),
        (" rgb( 0 ,0, 0 ) ", Color(0, 0, 0)),
        ("#fff", Color(255, 255, 255)),
        ("#0aF3c9", Color(10, 243, 201)),
        ("#ffff", None),
        ("rgb(256,0,0)", None),
        ("rgb(-1,0,0)", None),
        ("rgba(1,2,3,.5)", None),
        ("red", None),
        ("", None),
        (None, None),
        (0xFFFFFF, None),
        ("#" + "f" * 1_000_000, None),
    ],
)
def test_colours(text, expected):
    assert parse_color(text) == expected


def test_light_and_dark_follow_the_contrast_of_wcag():
    assert Color(255, 255, 255).luminance == pytest.approx(1)
    assert Color(0, 0, 0).luminance == 0
    assert Color(128, 128, 128).luminance == pytest.approx(0.2159, abs=1e-3)
    assert Color(119, 119, 119).is_light
    assert not Color(110, 110, 110).is_light


# expected values: Unicode CLDR
@pytest.mark.parametrize(
    ("field", "language", "expected"),
    [
        ({"value": "text"}, "en", "text"),
        ({"value": 1234.5, "numberStyle": "PKNumberStyleDecimal"}, "de", "1.234,5"),
        ({"value": 1234.5, "numberStyle": "PKNumberStyleDecimal"}, "fr", "1\u202f234,5"),
        ({"value": 0.25, "numberStyle": "PKNumberStylePercent"}, "en", "25%"),
        ({"value": 1234567, "numberStyle": "PKNumberStyleScientific"}, "en", "1.234567E6"),
        ({"value": 9.5, "currencyCode": "USD"}, "en", "$9.50"),
        ({"value": 1200, "currencyCode": "JPY"}, "ja", "￥1,200"),
        ({"value": 9.5, "currencyCode": "dollars"}, "en", "9.5"),
        ({"value": 42}, "de", "42"),
        ({"value": True}, "en", ""),
        ({"value": None}, "en", ""),
        ({}, "en", ""),
        ({"value": "2026-05-01", "dateStyle": "PKDateStyleShort"}, "en", "5/1/26"),
        ({"value": "2026-05-01T18:30Z", "dateStyle": "PKDateStyleLong"}, "de", "1. Mai 2026"),
        ({"value": "2026-05-01T18:30Z", "dateStyle": "PKDateStyleFull"}, "es", "viernes, 1 de mayo de 2026"),
        ({"value": "2026-05-01T18:30+02:00", "timeStyle": "PKDateStyleShort"}, "de", "18:30"),
        (
            {"value": "2026-05-01T18:30:15Z", "dateStyle": "PKDateStyleMedium", "timeStyle": "PKDateStyleShort"},
            "de",
            "01.05.2026, 18:30",
        ),
        (
            {"value": "2026-05-01T18:30Z", "dateStyle": "PKDateStyleNone", "timeStyle": "PKDateStyleMedium"},
            "de",
            "18:30:00",
        ),
        ({"value": "not a date", "dateStyle": "PKDateStyleShort"}, "en", "not a date"),
    ],
)
def test_values_as_a_device_shows_them(field, language, expected):
    assert show_value(field, language) == expected


def test_links_lose_their_tags():
    assert strip_links("See <a href='https://x.example'>our terms</a> &amp; more") == "See our terms & more"
    assert strip_links("1 < 2") == "1 < 2"
