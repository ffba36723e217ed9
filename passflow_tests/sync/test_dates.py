"""Dates and times against Python's ``datetime`` and ``zoneinfo``."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.sync.dates import read_dates, read_times

BERLIN = "Europe/Berlin"
DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2900, 1, 1))
RULED = st.datetimes(datetime(1950, 1, 1), datetime(2099, 1, 1))
OFFSETS = st.integers(-15 * 60, 15 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def series(*texts):
    return pl.Series("x", list(texts), dtype=pl.String)


def in_utc(moment):
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.removesuffix(".000000") + "Z"


@given(st.lists(st.one_of(st.none(), DAYS), min_size=1))
def test_iso_and_compact_dates(days):
    iso = [day and day.isoformat() for day in days]
    compact = [day and day.strftime("%Y%m%d").zfill(8) for day in days]
    assert read_dates(series(*iso)).to_list() == iso
    assert read_dates(series(*compact)).to_list() == iso


@given(DAYS, st.sampled_from(["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y-%j", "%d%m%Y"]))
def test_formats_are_read_as_python_writes_them(day, pattern):
    assert read_dates(series(day.strftime(pattern)), formats=(pattern,)).to_list() == [day.isoformat()]


@given(MOMENTS, OFFSETS)
def test_times_with_an_offset_become_utc(moment, offset):
    aware = moment.replace(tzinfo=offset)
    for text in (aware.isoformat(), aware.isoformat(" "), aware.strftime("%Y%m%dT%H%M%S.%f%z")):
        assert read_times(series(text)).to_list() == [in_utc(aware)]


@given(RULED)
def test_local_times_are_in_their_zone(moment):
    local = moment.replace(tzinfo=ZoneInfo(BERLIN))
    exists = local.astimezone(UTC).astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None) == moment
    read = read_times(series(moment.isoformat()), zone=BERLIN).to_list()
    assert read == [in_utc(local) if exists else None]


@given(RULED, OFFSETS)
def test_a_time_counts_as_the_day_it_is_in_the_zone(moment, offset):
    aware = moment.replace(tzinfo=offset)
    expected = aware.astimezone(ZoneInfo(BERLIN)).date().isoformat()
    assert read_dates(series(aware.isoformat()), zone=BERLIN).to_list() == [expected]


@given(st.integers(-(6 * 10**8), 4 * 10**9))
def test_seconds_since_1970(seconds):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert read_times(series(str(seconds)), unit="s").to_list() == [in_utc(moment)]
    assert read_times(series(str(seconds * 1000)), unit="ms").to_list() == [in_utc(moment)]
    expected = moment.astimezone(ZoneInfo(BERLIN)).date().isoformat()
    assert read_dates(series(str(seconds)), unit="s", zone=BERLIN).to_list() == [expected]


@given(st.lists(st.text(max_size=30), min_size=1))
def test_never_fails_on_any_text(texts):
    for read in (read_dates, read_times):
        assert len(read(series(*texts))) == len(texts)
        assert len(read(series(*texts), unit="s")) == len(texts)
    assert len(read_dates(series(*texts), formats=("%d.%m.%Y", "%Y%j"))) == len(texts)
    assert len(read_times(series(*texts), formats=("%d.%m.%Y %H:%M",))) == len(texts)


@pytest.mark.parametrize(
    "text",
    ["2026-02-29", "2026-13-01", "2026-00-10", "0000-00-00", "0026-01-01", "31.12.2026", "12/31/2026", "2026013", "20261301",
     "2026-01-31T25:00:00", "2026-01-31T12:60:00", "2026-01-31T12:00:60Z", "2026-01-31T12:00:00+99:00", "1767225600", "+2026-01-01",
     "tomorrow", "2026-01-31T12", "２０２６-01-31"],
)  # fmt: skip
def test_what_is_no_date_is_not_read(text):
    assert read_dates(series(text, "2026-01-31")).to_list() == [None, "2026-01-31"]
    assert read_times(series(text, "2026-01-31T00:00:00Z")).to_list() == [None, "2026-01-31T00:00:00Z"]


def test_a_date_is_no_point_in_time():
    assert read_times(series("2026-01-31", "20260131")).to_list() == [None, None]


def test_two_digit_years_are_never_the_year_26():
    assert read_dates(series("31.01.26"), formats=("%d.%m.%Y",)).to_list() == [None]
    assert read_dates(series("31.01.26"), formats=("%d.%m.%y",)).to_list() == ["2026-01-31"]


def test_formats_exclude_everything_else():
    texts = series("2026-04-05", "05.04.2026", "5.4.2026")
    assert read_dates(texts, formats=("%d.%m.%Y",)).to_list() == [None, "2026-04-05", "2026-04-05"]
    assert read_dates(series("2026-04-05"), formats=("%Y-%d-%m",)).to_list() == ["2026-05-04"]
    both = read_dates(texts, formats=("%Y-%m-%d", "%d.%m.%Y"))
    assert both.to_list() == ["2026-04-05"] * 3


def test_formats_with_a_time_of_day():
    texts = series("31.01.2026 23:30", "31.01.2026")
    assert read_times(texts, formats=("%d.%m.%Y %H:%M",), zone=BERLIN).to_list() == ["2026-01-31T22:30:00Z", None]
    assert read_dates(texts, formats=("%d.%m.%Y %H:%M", "%d.%m.%Y"), zone=BERLIN).to_list() == ["2026-01-31"] * 2


def test_the_repeated_hour_is_the_first_and_the_skipped_one_none():
    texts = series("2026-10-25 02:30:00", "2026-03-29 02:30:00")
    assert read_times(texts, zone=BERLIN).to_list() == ["2026-10-25T00:30:00Z", None]


def test_what_postgresql_writes():
    texts = series("2026-01-31 12:00:00+00", "2026-01-31 12:00:00.5+05:30", "2026-01-31 12:00:00-03")
    assert read_times(texts).to_list() == [
        "2026-01-31T12:00:00Z",
        "2026-01-31T06:30:00.500000Z",
        "2026-01-31T15:00:00Z",
    ]
