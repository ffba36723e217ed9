"""Date and time texts of a source become canonical texts, a whole column at a time.

Canonical are dates ``2026-01-31`` and points in time in UTC ``2026-01-31T11:00:00Z`` (with six digits of a fraction where
there is one). A reader gives null for what it cannot read; nothing is guessed. Clock changes are known until 2099 (the
rules that polars carries end there); later local times count as standard time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import polars as pl

Unit = Literal["s", "ms"]

_CANONICAL_DATE: Final = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_CANONICAL_TIME: Final = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_ISO: Final = (  # ISO 8601-1:2019 §5.4, basic and extended, and the space that SQL databases write for the T
    r"^([0-9]{4})-?([0-9]{2})-?([0-9]{2})[Tt ]([0-9]{2}):?([0-9]{2})"
    r"(?::?([0-9]{2})(?:[.,]([0-9]{1,9}))?)? ?(?:([zZ])|([+-])([0-9]{2}):?([0-9]{2})?)?$"
)
_LEADING_ZEROS: Final = r"(^|[^0-9])0+([0-9])"


def read_dates(
    texts: pl.Series, *, formats: tuple[str, ...] = (), unit: Unit | None = None, zone: str = "UTC"
) -> pl.Series:
    """Dates; a point in time counts as the day it is in ``zone``.

    Args:
        texts: Utf8, null for nothing.
        formats: strptime patterns, tried in order and alone; without any: 2026-01-31, 20260131 and ISO 8601 times.
        unit: texts are whole seconds or milliseconds since 1970-01-01 UTC.
        zone: IANA time zone.
    """
    import polars as pl

    if unit is not None:
        return _show_dates(_since_1970(texts, unit).dt.convert_time_zone(zone))
    if not formats and texts.str.contains(_CANONICAL_DATE).all():
        dates = texts.str.to_date("%Y-%m-%d", strict=False)
        if dates.null_count() == texts.null_count():
            return texts
    found = [_read_clock(texts, pattern) for pattern in formats or ("%Y-%m-%d", "%Y%m%d")]
    if not formats and any(column.null_count() > texts.null_count() for column in found):
        found.append(_iso_times(texts, zone).dt.convert_time_zone(zone).dt.replace_time_zone(None))
    return _show_dates(pl.select(pl.coalesce(found)).to_series().alias(texts.name))


def read_times(
    texts: pl.Series, *, formats: tuple[str, ...] = (), unit: Unit | None = None, zone: str = "UTC"
) -> pl.Series:
    """Points in time; a text without a time of day is not one.

    Args:
        texts: Utf8, null for nothing.
        formats: strptime patterns of local times, tried in order and alone; without any: ISO 8601.
        unit: texts are whole seconds or milliseconds since 1970-01-01 UTC.
        zone: IANA time zone of times without an offset. An hour that a clock change leaves out is not read; of one
            that it repeats, the first counts.
    """
    import polars as pl

    if unit is not None:
        return _show_times(_since_1970(texts, unit))
    if formats:
        found = [_local(_read_clock(texts, pattern), zone) for pattern in formats if tells_time(pattern)]
        return _show_times(pl.select(pl.coalesce(found)).to_series().alias(texts.name))
    if texts.str.contains(_CANONICAL_TIME).all():
        times = texts.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False, time_zone=None)
        # second 60 is read as the next minute, so only a text that comes back as it was is canonical
        if (times.dt.strftime("%Y-%m-%dT%H:%M:%SZ") == texts).all() and times.null_count() == texts.null_count():
            return texts
    return _show_times(_iso_times(texts, zone))


def tells_time(pattern: str) -> bool:
    """Whether a strptime pattern holds a time of day."""
    return "%H" in pattern or "%I" in pattern


def _since_1970(texts: pl.Series, unit: Unit) -> pl.Series:
    import polars as pl

    whole = pl.col(texts.name)
    number = pl.when(whole.str.contains(r"^-?[0-9]{1,15}$")).then(whole).cast(pl.Int64)
    micros = number * (1_000_000 if unit == "s" else 1_000)
    return texts.to_frame().select(micros.cast(pl.Datetime("us", "UTC"))).to_series()


def _read_clock(texts: pl.Series, pattern: str) -> pl.Series:
    """Texts by one pattern, as naive times.

    chrono alone would take 2026013 for 3 January 2026 and 1.1.26 for the year 26; so a value counts only if it is
    written back as it came, leading zeros and case aside.
    """
    import polars as pl

    if tells_time(pattern):
        times = texts.str.to_datetime(pattern, strict=False, time_unit="us")
    else:
        times = texts.str.to_date(pattern, strict=False).cast(pl.Datetime("us"))
    shown = times.dt.strftime(pattern)
    same = (shown == texts).fill_null(False)
    if not same.all():
        plain, again = (
            column.str.to_lowercase().str.replace_all(_LEADING_ZEROS, "${1}${2}") for column in (texts, shown)
        )
        same = (plain == again).fill_null(False)
    return pl.select(pl.when(same).then(times)).to_series().alias(texts.name)


def _iso_times(texts: pl.Series, zone: str) -> pl.Series:
    """ISO 8601 times in UTC."""
    import polars as pl

    part = texts.str.extract_groups(_ISO).struct.unnest().select(pl.all().name.map(lambda name: f"p{name}"))
    clock = pl.concat_str("p1", pl.lit("-"), "p2", pl.lit("-"), "p3", pl.lit("T"), "p4", pl.lit(":"), "p5", pl.lit(":"),
                          pl.col("p6").fill_null("00"))  # fmt: skip
    offset = pl.col("p10").cast(pl.Int64) * 60 + pl.col("p11").fill_null("00").cast(pl.Int64)
    parts = part.select(
        clock=clock.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us"),
        second=pl.col("p6").fill_null("00"),
        micros=pl.col("p7").fill_null("").str.pad_end(9, "0").str.head(6).cast(pl.Int64),
        offset=pl.when(pl.col("p8").is_not_null())
        .then(0)
        .otherwise(pl.when(pl.col("p9") == "-").then(-offset).otherwise(offset)),
    )
    exact = pl.when(pl.col("second") < "60").then(pl.col("clock") + pl.duration(microseconds="micros"))
    parts = parts.with_columns(exact.alias("clock"))
    local = _local(parts["clock"], zone)
    shifted = (pl.col("clock") - pl.duration(minutes="offset")).dt.replace_time_zone("UTC")
    # the widest offset in use is +14:00; PostgreSQL writes no more than 15:59 either way
    known = pl.when(pl.col("offset").abs() < 16 * 60).then(shifted)
    return parts.select(pl.when(pl.col("offset").is_null()).then(local).otherwise(known)).to_series().alias(texts.name)


def _local(times: pl.Series, zone: str) -> pl.Series:
    aware = times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC")


def _show_dates(times: pl.Series) -> pl.Series:
    import polars as pl

    time = pl.col(times.name)
    return times.to_frame().select(pl.when(_in_four_digits(time)).then(time.dt.strftime("%Y-%m-%d"))).to_series()


def _show_times(times: pl.Series) -> pl.Series:
    import polars as pl

    time = pl.col(times.name)
    shown = time.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f").str.strip_suffix(".000000") + "Z"
    return times.to_frame().select(pl.when(_in_four_digits(time)).then(shown)).to_series()


def _in_four_digits(time: pl.Expr) -> pl.Expr:
    return time.dt.year().is_between(1000, 9999)
