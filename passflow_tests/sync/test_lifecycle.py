"""Member status and dates become pass status; time passing is a change that is announced in advance."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from passflow.errors import ProgramError, SourceError
from passflow.model import Status
from passflow.sync.codes import ROW_CODES
from passflow.sync.lifecycle import Lifecycle, evaluate

DAY = 86_400_000_000


def micros(*args, zone="UTC"):
    moment = datetime(*args, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def block(**settings):
    return Lifecycle.model_validate(settings)


BERLIN = block(
    statuses={"active": ["A", "active"], "voided": "blocked", "redeemed": ["used"], "expired": ["X"], "deleted": [9]},
    time_zone="Europe/Berlin",
    delete_after="P90D",
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("A", "active"), ("a", "active"), ("Blocked", "voided"), ("used", "redeemed"), ("X", "expired"), ("9", "deleted"),
     ("deleted", "deleted"), (None, "active")],
)  # fmt: skip
def test_the_masters_words(status, expected):
    assert evaluate(BERLIN, {"status": status}, 0) == (Status(expected), None)


def test_an_unknown_status_refuses_the_row_or_means_what_the_file_says():
    with pytest.raises(SourceError) as caught:
        evaluate(BERLIN, {"status": "secret word"}, 0)
    assert caught.value.error_code == "value.unknown"
    assert caught.value.error_code in ROW_CODES
    assert "secret word" not in str(caught.value)
    assert evaluate(block(unknown="voided"), {"status": "?"}, 0) == (Status.VOIDED, None)
    assert evaluate(block(), {"status": "redeemed"}, 0) == (Status.REDEEMED, None)


def test_a_date_lasts_until_its_last_moment_in_the_programs_zone():
    values = {"expires_at": date(2026, 3, 29)}  # 23 hours long: clocks go forward
    end = micros(2026, 3, 30, zone="Europe/Berlin")
    assert end == micros(2026, 3, 29, 22)
    assert evaluate(BERLIN, values, end - 1) == (Status.ACTIVE, end)
    assert evaluate(BERLIN, values, end) == (Status.EXPIRED, end + 90 * DAY)
    assert evaluate(BERLIN, values, end + 90 * DAY) == (Status.DELETED, None)


def test_a_day_that_has_two_last_hours_ends_after_the_second():
    lebanon = block(time_zone="Asia/Beirut")
    end = micros(2023, 10, 28, 22)  # 29 October 00:00 at +02:00; 23:00 to 24:00 came twice
    assert evaluate(lebanon, {"expires_at": date(2023, 10, 28)}, 0) == (Status.ACTIVE, end)


def test_a_time_is_exact():
    values = {"expires_at": datetime(2026, 1, 31, 12, tzinfo=UTC)}
    end = micros(2026, 1, 31, 12)
    assert evaluate(BERLIN, values, end - 1)[0] is Status.ACTIVE
    assert evaluate(BERLIN, values, end)[0] is Status.EXPIRED


def test_the_earliest_end_counts():
    two = block(expires=["expires_at", "tier_until"])
    values = {"expires_at": date(2027, 1, 1), "tier_until": date(2026, 1, 1)}
    assert evaluate(two, values, 0) == (Status.ACTIVE, micros(2026, 1, 2))


def test_never_in_the_year_9999():
    new_york = block(time_zone="America/New_York", delete_after="P90D")
    status, due_at = evaluate(new_york, {"expires_at": date(9999, 12, 31)}, micros(2026, 1, 1))
    assert status is Status.ACTIVE
    assert due_at is not None and due_at < 2**63


@pytest.mark.parametrize("told", ["blocked", "used", "X"])
def test_dates_do_not_undo_what_the_master_says_but_delete_in_time(told):
    values = {"status": told, "expires_at": date(2026, 1, 31)}
    end = micros(2026, 2, 1, zone="Europe/Berlin")
    before, due_at = evaluate(BERLIN, values, 0)
    assert due_at == end + 90 * DAY
    assert evaluate(BERLIN, values, end + 1) == (before, due_at)
    assert evaluate(BERLIN, values, due_at) == (Status.DELETED, None)


def test_deleting_at_the_end_itself():
    at_once = block(delete_after="P0D")
    end = micros(2026, 2, 1)
    assert evaluate(at_once, {"expires_at": date(2026, 1, 31)}, 0) == (Status.ACTIVE, end)
    assert evaluate(at_once, {"expires_at": date(2026, 1, 31)}, end) == (Status.DELETED, None)


LIFECYCLES = st.builds(
    block,
    statuses=st.just({"active": "A", "voided": "V", "redeemed": "R", "expired": "X", "deleted": "D"}),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Beirut", "Pacific/Apia"]),
    delete_after=st.none() | st.sampled_from(["P0D", "PT1H", "P1D", "P90D"]),
    expires=st.just(["one", "two"]),
)
ENDS = (
    st.none()
    | st.dates(date(1990, 1, 1), date(2030, 1, 1))
    | st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
)
VALUES = st.fixed_dictionaries({"status": st.none() | st.sampled_from("AVRXD"), "one": ENDS, "two": ENDS})


@given(LIFECYCLES, VALUES, st.integers(600, 2_000).map(lambda weeks: weeks * 7 * DAY), st.floats(0, 1))
def test_the_next_change_is_announced_exactly(lifecycle, values, now, part):
    status, due_at = evaluate(lifecycle, values, now)
    if due_at is None:
        assert evaluate(lifecycle, values, now + 10**17)[0] is status
        return
    assert due_at > now
    between = now + int((due_at - 1 - now) * part)
    assert evaluate(lifecycle, values, between) == (status, due_at)
    assert evaluate(lifecycle, values, due_at - 1) == (status, due_at)
    assert evaluate(lifecycle, values, due_at)[0] is not status


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"statuses": {"active": ["a"], "voided": ["A"]}}, "'A' under both active and voided"),
        ({"statuses": {"invalidated": ["a"]}}, "Extra inputs"),
        ({"unknown": "delete"}, "'refuse', 'active' or 'voided'"),
        ({"time_zone": "CEST/no"}, "IANA"),
        ({"delete_after": 90}, "ISO 8601 duration"),
        ({"delete_after": "90 days"}, "ISO 8601 duration"),
        ({"delete_after": "P"}, "too short"),
        ({"delete_after": "-P1D"}, "ISO 8601 duration"),
        ({"on_missing": "ignore"}, "'delete', 'void', 'expire' or 'keep'"),
    ],
)
def test_mistakes_are_named(settings, message):
    with pytest.raises(ValidationError, match=message):
        block(**settings)


def test_the_block_has_to_go_with_the_fields():
    block().check_fields({"external_id": "text"})
    block(expires="until").check_fields({"until": "date"})
    with pytest.raises(ValueError, match="'until', which `members` does not map"):
        block(expires="until").check_fields({})
    with pytest.raises(ValueError, match="which is text, not date"):
        block().check_fields({"expires_at": "text"})
    with pytest.raises(ProgramError, match="'expires_at'"):
        evaluate(block(), {"expires_at": "2026-01-31"}, 0)


def test_durations_of_the_program_file_survive_being_written():
    written = BERLIN.model_dump(mode="json")
    assert Lifecycle.model_validate(written) == BERLIN
    assert written["delete_after"] == "P90D"
