"""Times as people write them, and the next time a clock shows one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.watches.terms import Calendar, read_clock, read_days, read_end, read_span
from tests.strategies import moments, texts, zones

SHANGHAI = ZoneInfo("Asia/Shanghai")
SUNDAY = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("2h", 120), ("30m", 30), ("30 分钟", 30), ("1.5小时", 90), ("2小時", 120), ("1 day", 1440), ("3天", 4320)],
)
def test_lengths_of_time(text: str, minutes: int) -> None:
    assert read_span(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("08:30", "08:30"),
        ("8：30", "08:30"),
        ("9点", "09:00"),
        ("9點半", "09:30"),
        ("下午3点5分", "15:05"),
        ("晚上12点", "12:00"),
        ("10am", "10:00"),
        ("12:30 am", "00:30"),
        ("3 PM", "15:00"),
    ],
)
def test_times_of_day(text: str, shown: str) -> None:
    assert f"{read_clock(text):%H:%M}" == shown


@pytest.mark.parametrize(
    ("text", "ends"),
    [("2h", "22 12:30"), ("11am", "22 11:00"), ("10:00", "23 10:00"), ("明天", "23 09:00"), ("tomorrow", "23 09:00")],
)
def test_when_something_is_over(text: str, ends: str) -> None:
    """After a while, the next time the clock shows it, or in the morning; here it is half past ten."""
    assert f"{read_end(text, SUNDAY, Calendar(SHANGHAI)).astimezone(SHANGHAI):%d %H:%M}" == ends


@pytest.mark.parametrize(
    ("text", "days"), [("", "daily"), ("每天", "daily"), ("每個工作日", "workdays"), ("Weekdays", "workdays")]
)
def test_days(text: str, days: str) -> None:
    assert read_days(text) == days


@pytest.mark.parametrize("read", [read_span, read_clock])
@pytest.mark.parametrize("text", ["", "0h", "24:00", "08:60", "for ever", "-2h", "9", "99999d", "２５:00"])
def test_what_is_no_time_is_refused(read: object, text: str) -> None:
    """The person is told, and nothing is promised for a time they did not mean."""
    assert callable(read)
    with pytest.raises(BadInput):
        read(text)


@given(texts)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another error, however hostile."""
    for read in (read_span, read_clock, read_days):
        try:
            read(text)
        except BadInput:
            continue


@given(at=st.times(), after=moments, zone=zones)
def test_the_next_time_is_after_now_within_two_days_and_shows_the_clock(
    at: time, after: datetime, zone: ZoneInfo
) -> None:
    """In every zone; on the night when the clocks go forward the time may not exist, and comes later by as much."""
    at = at.replace(second=0, microsecond=0)
    found = Calendar(zone).following(at, after)
    assert after < found <= after + timedelta(days=2)
    shown = found.astimezone(zone)
    minutes = (shown.hour - at.hour) * 60 + shown.minute - at.minute
    assert minutes in {0, 15, 60}  # Kathmandu once skipped a quarter of an hour


def test_a_time_that_the_clocks_leave_out_comes_an_hour_later_and_one_they_repeat_comes_once() -> None:
    """New York, 8 March and 1 November 2026."""
    calendar = Calendar(ZoneInfo("America/New_York"))
    spring = calendar.following(time(2, 30), datetime(2026, 3, 8, 5, tzinfo=UTC))
    assert spring == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    autumn = calendar.following(time(1, 30), datetime(2026, 11, 1, 4, tzinfo=UTC))
    assert autumn == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert calendar.following(time(1, 30), autumn) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


def test_working_days_leave_out_holidays_and_take_in_days_worked_instead() -> None:
    """As China's calendar does around its festivals."""
    calendar = Calendar(SHANGHAI, holidays=(date(2026, 11, 23),), workdays=(date(2026, 11, 28),))
    days = [SUNDAY]
    while len(days) < 7:
        days.append(calendar.following(time(9), days[-1], "workdays"))
    assert [day.astimezone(SHANGHAI).day for day in days[1:]] == [24, 25, 26, 27, 28, 30]
