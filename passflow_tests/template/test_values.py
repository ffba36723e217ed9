"""What members' values look like: in every locale the marks that CLDR gives, and nothing made up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import TemplateError
from passflow.model import Value
from passflow.template import compile_template, read_template, render_fields
from passflow_tests.template.designs import FIELDS, compiled, design, problems

NNBSP, NBSP = "\u202f", "\u00a0"


def shown(value: str, values: dict[str, Value], **template: Any) -> str | None:
    made = compiled("", back=[{"key": "x", "value": value, "when_empty": "keep"}], **template)
    return render_fields(made, values).get("x")


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [  # CLDR number symbols and patterns
        ("de", "{balance:,.1f}", "1.234,5"),
        ("fr", "{balance:,.1f}", f"1{NNBSP}234,5"),
        ("en", "{balance:,.1f}", "1,234.5"),
        ("en-US", "{balance:,.2f}", "1,234.50"),
        ("de-CH", "{balance:,.2f}", "1’234.50"),
        ("sv", "{balance:,.2f}", f"1{NBSP}234,50"),
        ("de", "{balance:.2f}", "1234,50"),
        ("de", "{balance}", "1234,5"),
        ("de", "{balance:+,.0f}", "+1.234"),
        ("de", "{points}", "12345678"),
        ("en-IN", "{points:,}", "1,23,45,678"),
        ("hi", "{points:,}", "1,23,45,678"),
        ("en", "{points:012}", "000012345678"),
        ("de", "{balance:money}", f"1.234,50{NBSP}€"),
        ("en-US", "{balance:money:USD}", "$1,234.50"),
        ("ja", "{balance:money:JPY}", "￥1,234"),
        ("en", "{balance:money:KWD}", f"KWD{NBSP}1,234.500"),
        ("de-AT", "{balance:money:{currency}}", f"CHF{NBSP}1.234,50"),
        ("en-US", "{points:minor:USD}", "$123,456.78"),
        ("en", "{points:minor:KWD}", f"KWD{NBSP}12,345.678"),
        ("ja", "{points:minor:JPY}", "￥12,345,678"),
    ],
)  # fmt: skip
def test_numbers_carry_the_marks_of_their_locale(locale: str, text: str, expected: str) -> None:
    values: dict[str, Value] = {"balance": Decimal("1234.50"), "points": 12345678, "currency": "CHF", "locale": locale}
    if text == "{balance}":
        values["balance"] = Decimal("1234.5")
    assert shown(text, values, currency="EUR") == expected


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("de", "{joined:date}", "31.01.2026"),
        ("de", "{joined:date:long}", "31. Januar 2026"),
        ("en-US", "{joined:date:short}", "1/31/26"),
        ("en-US", "{joined:date:full}", "Saturday, January 31, 2026"),
        ("fr", "{joined:date:long}", "31 janvier 2026"),
        ("ja", "{joined:date:long}", "2026年1月31日"),
        ("de", "{joined}", "31.01.2026"),
        ("de", "{seen_at:date}", "02.07.2026"),
        ("de", "{seen_at:time:short}", "00:30"),
        ("en-US", "{seen_at:time:short}", f"12:30{NNBSP}AM"),
        ("de", "{seen_at:datetime:medium}", "02.07.2026, 00:30:00"),
    ],
)
def test_times_are_written_in_locale_and_zone(locale: str, text: str, expected: str) -> None:
    values: dict[str, Value] = {
        "joined": date(2026, 1, 31),
        "seen_at": datetime(2026, 7, 1, 22, 30, tzinfo=UTC),  # in Berlin, summer time, half past midnight
        "locale": locale,
    }
    assert shown(text, values, time_zone="Europe/Berlin") == expected


def test_a_time_without_zone_is_local() -> None:
    assert (
        shown("{seen_at:time:short}", {"seen_at": datetime(2026, 7, 1, 22, 30)}, time_zone="Asia/Tokyo", locale="de")
        == "22:30"
    )


def test_the_two_hours_of_a_clock_change_stay_apart() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    texts = [
        shown("{seen_at:time:full}", {"seen_at": at}, time_zone="Europe/Berlin")
        for at in (first, first + timedelta(hours=1))
    ]
    assert len(set(texts)) == 2
    assert "Summer" in str(texts[0]) and "Standard" in str(texts[1])


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{given_name:upper}", {"given_name": "straße"}, "STRASSE"),
        ("{given_name:lower}", {"given_name": "ÄB"}, "äb"),
        ("{given_name:title}", {"given_name": "ANNE-marie o'neill"}, "Anne-Marie O'neill"),
        ("{external_id:last(4)}", {"external_id": "6006491234567890"}, "7890"),
        ("•••• {external_id:last(4)}", {"external_id": "12"}, "•••• 12"),
        ("{external_id:groups(4)}", {"external_id": "600649123456789"}, "6006 4912 3456 789"),
        ("{given_name} {family_name}", {"given_name": None, "family_name": "Ünal"}, "Ünal"),
        ("Valid until {joined:date}", {"joined": None}, ""),
        ("Valid until {joined:date}", {}, ""),
        ("100 % {{sure}} {given_name}", {"given_name": "%s {points}"}, "100 % {sure} %s {points}"),
        ("{given_name}", {"given_name": "محمد 🎟️ עברית"}, "محمد 🎟️ עברית"),
        ("{given_name}", {"given_name": "👩‍👩‍👧‍👦\u200f"}, "👩‍👩‍👧‍👦\u200f"),
        ("{given_name}", {"given_name": "  \n"}, ""),
        ("{points}", {"points": 0}, "0"),
        ("{points:,}", {"points": -1234}, "-1,234"),
        ("{balance}", {"balance": Decimal("-0")}, "0"),
        ("{balance:.2f}", {"balance": 3}, "3.00"),
        ("{balance:.0f}", {"balance": Decimal("2.5")}, "2"),  # half to even, as Python and CLDR round
        ("{balance:percent}", {"balance": Decimal("0.256")}, "26%"),
        ("{balance:percent:1}", {"balance": Decimal("0.256")}, "25.6%"),
        ("{balance:.1%}", {"balance": Decimal("0.256")}, "25.6%"),
        ("{points:compact}", {"points": 12345}, "12K"),
        ("{points:,}", {"points": 10**40}, "10" + ",000" * 13),
        ("{balance:,.2f}", {"balance": Decimal("12345678901234567890123456789012345.678")}, "12,345,678,901,234,567,890,123,456,789,012,345.68"),
    ],
)  # fmt: skip
def test_texts_and_figures(text: str, values: dict[str, Value], expected: str) -> None:
    assert shown(text, values) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{balance}", {"balance": Decimal("NaN")}),
        ("{balance:,.2f}", {"balance": Decimal("sNaN")}),
        ("{balance:money:EUR}", {"balance": Decimal("Infinity")}),
        ("{balance:money:EUR}", {"balance": Decimal("-Infinity")}),
        ("{balance}", {"balance": Decimal("1e400")}),
        ("{balance:.2f}", {"balance": Decimal("1e-400")}),
        ("{balance:compact}", {"balance": Decimal("1e999999")}),
        ("{points}", {"points": 10**5000}),
        ("{points:,}", {"points": 10**5000}),
        ("{points}", {"points": True}),
        ("{points}", {"points": "12"}),
        ("{points}", {"points": Decimal("1")}),
        ("{balance}", {"balance": "1"}),
        ("{given_name}", {"given_name": 7}),
        ("{joined:date}", {"joined": datetime(2026, 1, 1)}),
        ("{joined:date}", {"joined": "2026-01-01"}),
        ("{seen_at:date}", {"seen_at": date(2026, 1, 1)}),
        ("{seen_at:time}", {"seen_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))}),
        ("{seen_at:time}", {"seen_at": datetime.min}),
        ("{balance:money:{currency}}", {"balance": Decimal(1), "currency": None}),
        ("{balance:money:{currency}}", {"balance": Decimal(1), "currency": "DOUBLOON"}),
        ("{tier:lookup(tiers)}", {"tier": "secret-tier"}),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_shown_is_refused_without_naming_it(text: str, values: dict[str, Any]) -> None:
    with pytest.raises(TemplateError) as caught:
        shown(text, values, time_zone="Asia/Tokyo", lookups={"tiers": {"gold": "Gold"}})
    assert caught.value.error_code == "template.value"
    assert caught.value.problems[0][0] == "template.back[0].value"
    for secret in ("secret-tier", "DOUBLOON", "1e400"):
        assert secret not in str(caught.value)


def test_lookups_know_booleans_numbers_and_all_others() -> None:
    tables = {"yes": {True: "Ja", False: "Nein"}, "levels": {1: "One", "*": "More"}}
    assert shown("{vip:lookup(yes)}", {"vip": True}, lookups=tables) == "Ja"
    assert shown("{vip:lookup(yes)}", {"vip": False}, lookups=tables) == "Nein"
    assert shown("{points:lookup(levels)}", {"points": 1}, lookups=tables) == "One"
    assert shown("{points:lookup(levels)}", {"points": 9}, lookups=tables) == "More"
    assert shown("{points:lookup(levels)}", {"points": None}, lookups=tables) == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{pionts}", "Did you mean `points`?"),
        ("{tier:lookup(teirs)}", "Did you mean `tiers`?"),
        ("{tier:,}", "cannot be shown as number"),
        ("{points:date}", "cannot be shown as date"),
        ("{joined:time}", "cannot be shown as time"),
        ("{vip}", "can be shown as `lookup`"),
        ("{given_name:money}", "cannot be shown as money"),
        ("{balance:minor}", "cannot be shown as minor"),
        ("{balance:d}", "`d` is for integers"),
        ("{points:upper}", "cannot be shown as upper"),
        ("{balance:money}", "names no currency"),
        ("{balance:money:XYZ}", "`XYZ` is no currency"),
        ("{balance:money:{points}}", "is not text"),
        ("{balance:money:{curency}}", "Did you mean `currency`?"),
    ],
)
def test_a_slot_that_does_not_fit_is_named_with_its_fix(text: str, named: str) -> None:
    found = problems(
        "", secondary=[{"key": "a", "value": "fine"}, {"key": "b", "value": text}], lookups={"tiers": {"a": "A"}}
    )
    assert list(found) == ["template.secondary[1].value"]
    assert named in found["template.secondary[1].value"]


LOCALES = st.sampled_from(["de", "fr", "en_IN", "en_US", "ja", "ar", "pt_BR", "de_CH", "he", "tr", "zh_Hant_TW"])
DECIMALS = st.decimals(min_value=-(10**12), max_value=10**12, places=3)
MONEY = compile_template(
    read_template(
        design("back: [{key: a, value: '{balance:,.2f}'}, {key: b, value: '{balance:money:{currency}}'}, "
               "{key: c, value: '{balance:percent}'}, {key: d, value: '{points:,}'}, {key: e, value: '{points:compact}'}]")
    ),
    FIELDS,
)  # fmt: skip


@given(LOCALES, DECIMALS, st.sampled_from(["EUR", "JPY", "KWD", "USD"]), st.integers(-(10**15), 10**15))
def test_figures_are_those_of_babel(locale: str, amount: Decimal, currency: str, points: int) -> None:
    shown = render_fields(MONEY, {"balance": amount, "currency": currency, "points": points, "locale": locale})
    assert shown["a"] == format_decimal(amount, "#,##,##0.00" if locale == "en_IN" else "#,##0.00", locale=locale)
    # CLDR sets a code of letters apart from the digits (supplemental currencySpacing), Babel 2.18 does not
    assert shown["b"].replace(NBSP, "") == format_currency(amount, currency, locale=locale).replace(NBSP, "")
    assert shown["c"] == format_percent(amount, locale=locale)
    assert shown["d"] == format_decimal(points, locale=locale)
    assert shown["e"] == format_compact_decimal(points, locale=locale)


TIMES = compiled(
    "back: [{key: a, value: '{joined:date:full}'}, {key: b, value: '{seen_at:datetime:short}'}]\ntime_zone: America/New_York"
)


@given(LOCALES, st.dates(), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_times_are_those_of_babel(locale: str, day: date, moment: datetime) -> None:
    shown = render_fields(TIMES, {"joined": day, "seen_at": moment, "locale": locale})
    assert shown["a"] == format_date(day, "full", locale=locale).strip()
    assert shown["b"] == format_datetime(moment, "short", ZoneInfo("America/New_York"), locale).strip()


ANY = st.one_of(
    st.none(), st.text(max_size=20), st.integers(), st.decimals(), st.dates(), st.datetimes(), st.booleans(),
    st.datetimes(timezones=st.timezones()),
)  # fmt: skip
EVERYTHING = compiled(
    "locale: de\ntime_zone: Pacific/Apia\ncurrency: EUR\nlookups: {t: {gold: Gold}, v: {true: Ja, false: Nein}}\n"
    "back: [{key: a, value: '{given_name:title} {external_id:groups(3)}'}, {key: b, value: '{points:,} {cents:minor}'}, "
    "{key: c, value: '{balance} {balance:money} {balance:.3%} {balance:compact}'}, {key: d, value: '{joined:date:full}'}, "
    "{key: e, value: '{seen_at:datetime:full} {seen_at:time}'}, {key: f, value: '{tier:lookup(t)}{vip:lookup(v)}'}]"
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANY)))
def test_any_member_is_shown_or_refused(values: dict[str, Any]) -> None:
    try:
        render_fields(EVERYTHING, values)
    except TemplateError as error:
        assert error.error_code == "template.value"
