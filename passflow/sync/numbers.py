"""Number and yes-or-no texts of a source become canonical texts, a whole column at a time.

Canonical are integers ``1200``, decimals without exponent or trailing zeros ``12.5``, and ``true`` or ``false``. A reader
gives null for what it cannot read; nothing is guessed or rounded.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

MAX_DIGITS: Final = 38
"""Digits of a number on either side of its decimal mark; more is a broken export, not points or money."""

MINOR_DIGITS: Final = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
"""Digits after the decimal mark where they are not two (ISO 4217, list one)."""

_CANONICAL: Final = r"^-?(0|[1-9][0-9]{0,37})(\.[0-9]{0,37}[1-9])?$"
_TIDY: Final = r"^-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,38})?$"
_PLAIN: Final = r"^[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)$"
_EXPONENT: Final = r"^[+-]?([0-9]{1,38}(\.[0-9]{1,38})?|\.[0-9]{1,38})[eE][+-]?[0-9]{1,3}$"
_WORDS: Final = {
    **dict.fromkeys(("true", "yes", "y", "t", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "n", "f", "off", "0"), "false"),
}


def read_integers(texts: pl.Series, *, thousands: str | None = None) -> pl.Series:
    """Whole numbers; a fraction of zeros (``1200.0``, as floats arrive) is read, any other is not.

    Args:
        texts: Utf8, null for nothing.
        thousands: the separator of groups of three digits, if the source writes one.
    """
    import polars as pl

    name = texts.name
    numbers = read_decimals(texts, thousands=thousands, mark="," if thousands == "." else ".")
    whole = ~pl.col(name).str.contains(".", literal=True)
    return numbers.to_frame().select(pl.when(whole).then(name)).to_series()


def read_decimals(texts: pl.Series, *, thousands: str | None = None, mark: str = ".") -> pl.Series:
    """Decimal numbers; an exponent is written out where the number stays within 38 digits.

    Args:
        texts: Utf8, null for nothing.
        thousands: the separator of groups of three digits, if the source writes one.
        mark: the decimal mark, ``.`` or ``,``.
    """
    import polars as pl

    name = texts.name
    if mark == "." and texts.str.contains(_CANONICAL).all() and not (texts == "-0").any():
        return texts
    number = pl.col(name)
    frame = texts.to_frame()
    if mark == "." and texts.str.contains(_TIDY).all():  # money such as 12.50: most of what comes
        cut = number.str.strip_chars_end("0").str.strip_suffix(".")
        tidy = pl.when(number.str.contains(".", literal=True)).then(cut).otherwise(number)
        return (
            frame.select(tidy.alias(name))
            .select(pl.when(number == "-0").then(pl.lit("0")).otherwise(number).alias(name))
            .to_series()
        )
    if thousands is not None:
        grouped = rf"^[+-]?[0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+({re.escape(mark)}[0-9]+)?$"
        joined = number.str.replace_all(thousands, "", literal=True)
        foreign = number.str.contains(thousands, literal=True) & ~number.str.contains(grouped)
        frame = frame.select(pl.when(~foreign).then(joined).alias(name))
    if mark != ".":
        pointed = number.str.replace(mark, ".", literal=True)
        frame = frame.select(pl.when(~number.str.contains(".", literal=True)).then(pointed).alias(name))
    return frame.select(_written_out(number)).select(_canonical(number)).to_series()


def scale_minor(texts: pl.Series, currencies: pl.Series) -> pl.Series:
    """Amounts in minor units become decimals: 1250 EUR is 12.5, 1250 JPY is 1250, 1250 KWD is 1.25.

    Args:
        texts: whole numbers, Utf8; a fraction is not read.
        currencies: as many ISO 4217 codes; null where the row has none, which leaves the amount unread.
    """
    import polars as pl

    name = texts.name
    amounts = pl.DataFrame({name: read_integers(texts), "digits": _minor_digits(currencies)})
    number = pl.col(name)
    digits = number.str.strip_prefix("-")
    scaled: pl.Expr = pl.when(pl.col("digits") == 0).then(number)
    for count in (2, 3, 4):
        padded = digits.str.zfill(count + 1)
        amount = pl.concat_str(
            number.str.extract("^(-?)"), padded.str.head(-count), pl.lit("."), padded.str.tail(count)
        )
        scaled = pl.coalesce(scaled, pl.when(pl.col("digits") == count).then(amount))
    return read_decimals(amounts.select(scaled.alias(name)).to_series())


def read_booleans(texts: pl.Series) -> pl.Series:
    """Yes-or-no values in English words, letters or digits, in any case."""
    import polars as pl

    return texts.str.to_lowercase().replace_strict(_WORDS, default=None, return_dtype=pl.String)


def _minor_digits(currencies: pl.Series) -> pl.Series:
    import polars as pl

    digits = currencies.replace_strict(MINOR_DIGITS, default=2, return_dtype=pl.UInt32)
    return pl.select(pl.when(currencies.is_not_null()).then(digits)).to_series()


def _canonical(number: pl.Expr) -> pl.Expr:
    import polars as pl

    whole = number.str.extract(r"^[+-]?([0-9]*)").str.strip_chars_start("0")
    part = number.str.extract(r"\.([0-9]*)$").fill_null("").str.strip_chars_end("0")
    readable = (
        number.str.contains(_PLAIN) & (whole.str.len_bytes() <= MAX_DIGITS) & (part.str.len_bytes() <= MAX_DIGITS)
    )
    sign = pl.when(number.str.starts_with("-") & ((whole != "") | (part != ""))).then(pl.lit("-")).otherwise(pl.lit(""))
    units = pl.when(whole == "").then(pl.lit("0")).otherwise(whole)
    fraction = pl.when(part == "").then(pl.lit("")).otherwise(pl.lit(".") + part)
    return pl.when(readable).then(pl.concat_str(sign, units, fraction)).alias(number.meta.output_name())


def _written_out(number: pl.Expr) -> pl.Expr:
    """Numbers with an exponent as plain numbers, one by one: they are rare."""
    import polars as pl

    def every(column: pl.Series) -> pl.Series:
        found = column.str.contains(_EXPONENT)
        if not found.any():
            return column
        plain = [_without_exponent(text) if one else text for text, one in zip(column, found, strict=True)]
        return pl.Series(column.name, plain, dtype=pl.String)

    return number.map_batches(every, return_dtype=pl.String)


def _without_exponent(text: str) -> str | None:
    number = Decimal(text)
    # an exponent of 400 would be written with 400 zeros, so it is looked at before formatting
    return f"{number:f}" if not number or -MAX_DIGITS <= number.adjusted() < MAX_DIGITS else None
