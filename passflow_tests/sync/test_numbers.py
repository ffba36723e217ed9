"""Numbers against Python's ``decimal``, which reads and writes them independently."""

import re
from decimal import Decimal, InvalidOperation

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.sync.numbers import MINOR_DIGITS, read_booleans, read_decimals, read_integers, scale_minor


def series(*texts):
    return pl.Series("x", list(texts), dtype=pl.String)


def by_decimal(text):
    """What a reader ought to make of a text, by the decimal module."""
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if number == 0:
        return "0"
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
def test_reads_what_decimal_writes(number):
    assert read_decimals(series(str(number))).to_list() == [by_decimal(str(number))]


@given(st.lists(st.text("0123456789.+-eE ", max_size=12), min_size=1))
def test_reads_the_same_texts_as_decimal(texts):
    expected = [by_decimal(text) for text in texts]
    assert [
        read
        for read, want in zip(read_decimals(series(*texts)), expected, strict=True)
        if want is None or len(want) < 38
    ] == [want for want in expected if want is None or len(want) < 38]


@given(st.lists(st.text(max_size=8), min_size=1))
def test_never_fails_on_any_text(texts):
    for read in (read_decimals, read_integers, read_booleans):
        assert len(read(series(*texts))) == len(texts)


@given(st.lists(st.one_of(st.none(), st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)), min_size=1))
def test_canonical_text_stays_as_it_is(texts):
    once = read_decimals(series(*texts))
    assert read_decimals(once).to_list() == once.to_list()


@pytest.mark.parametrize(
    "text",
    ["NaN", "nan", "inf", "-Infinity", "1e400", "1e-400", "1E99", "0x10", "1_000", "1,5", "--1", "5.", "٣", "１２", "1 2", "9" * 39, "0." + "1" * 39],
)  # fmt: skip
def test_what_is_no_plain_number_is_not_read(text):
    assert read_decimals(series(text, "1")).to_list() == [None, "1"]
    assert read_integers(series(text, "1")).to_list() == [None, "1"]


def test_exponents_are_written_out():
    assert read_decimals(series("1e5", "1.5E-3", "-2e0", "0e999")).to_list() == ["100000", "0.0015", "-2", "0"]


def test_leading_zeros_signs_and_empty_fractions():
    texts = series("007", "+5", "-0", "-0.00", ".50", "12.00", None)
    assert read_decimals(texts).to_list() == ["7", "5", "0", "0", "0.5", "12", None]
    assert read_integers(texts).to_list() == ["7", "5", "0", "0", None, "12", None]


@pytest.mark.parametrize(
    ("text", "thousands", "mark", "expected"),
    [
        ("1.234.567,80", ".", ",", "1234567.8"),
        ("1234,5", ".", ",", "1234.5"),
        ("1,234.5", ",", ".", "1234.5"),
        ("12'345", "'", ".", "12345"),
        ("1 234", " ", ".", "1234"),
        ("12.34", ".", ",", None),  # no group of three: rather 12.34 than 1234, so neither
        ("1,23,456", ",", ".", None),
        (",123", ",", ".", None),
        ("1.5", None, ",", None),
    ],
)
def test_separators_count_only_where_they_belong(text, thousands, mark, expected):
    assert read_decimals(series(text), thousands=thousands, mark=mark).to_list() == [expected]


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        ("1250", "EUR", "12.5"),
        ("5", "USD", "0.05"),
        ("-5", "USD", "-0.05"),
        ("1250", "JPY", "1250"),
        ("1250", "KWD", "1.25"),
        ("12500", "CLF", "1.25"),
        ("0", "EUR", "0"),
        ("-0", "EUR", "0"),
        ("1.5", "EUR", None),
        ("1250.0", "EUR", "12.5"),
        ("1250", None, None),
        (None, "EUR", None),
        ("x", "EUR", None),
    ],
)
def test_minor_units_follow_iso_4217(minor, currency, expected):
    filler = [("100", "EUR"), ("100", "JPY"), ("100", "BHD")]
    texts, currencies = zip((minor, currency), *filler, strict=True)
    scaled = scale_minor(series(*texts), pl.Series("c", currencies, dtype=pl.String))
    assert scaled.to_list() == [expected, "1", "100", "0.1"]


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD", "CLF", "USD", "HUF"]))
def test_minor_units_scale_like_decimal(amount, currency):
    digits = MINOR_DIGITS.get(currency, 2)
    scaled = scale_minor(series(str(amount)), pl.Series([currency])).to_list()
    assert Decimal(scaled[0]) == Decimal(amount).scaleb(-digits)


def test_booleans_are_words_letters_and_digits():
    texts = series("TRUE", "Yes", "y", "on", "1", "False", "no", "N", "off", "0", "2", "ja", None)
    assert read_booleans(texts).to_list() == ["true"] * 5 + ["false"] * 5 + [None] * 3
