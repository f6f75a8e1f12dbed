"""Which runs a dependency of DolphinScheduler means: every word, on days where it is easy to get wrong."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schedulers.dolphinscheduler.spans import BY_DAY, WORDS, crosses, days_after, span
from tests.core.dolphins import dolphin
from tests.fakes.dolphin_night import TODAY, ZONE, Flow, Job, waits_for

moments = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(ZONE))  # noqa: DTZ001  # by timezones


@pytest.mark.parametrize(
    ("word", "first", "last"),
    [
        ("today", "2026-03-01", "2026-03-01"),
        ("last1Days", "2026-02-28", "2026-02-28"),
        ("last2Days", "2026-02-27", "2026-02-28"),
        ("last3Days", "2026-02-26", "2026-02-28"),
        ("last7Days", "2026-02-22", "2026-02-28"),
        ("thisWeek", "2026-02-23", "2026-03-01"),
        ("lastWeek", "2026-02-16", "2026-02-22"),
        ("lastMonday", "2026-02-16", "2026-02-16"),
        ("lastTuesday", "2026-02-17", "2026-02-17"),
        ("lastWednesday", "2026-02-18", "2026-02-18"),
        ("lastThursday", "2026-02-19", "2026-02-19"),
        ("lastFriday", "2026-02-20", "2026-02-20"),
        ("lastSaturday", "2026-02-21", "2026-02-21"),
        ("lastSunday", "2026-02-22", "2026-02-22"),
        ("thisMonth", "2026-03-01", "2026-03-01"),
        ("thisMonthBegin", "2026-03-01", "2026-03-01"),
        ("thisMonthEnd", "2026-03-01", "2026-03-01"),
        ("lastMonth", "2026-02-01", "2026-02-28"),
        ("lastMonthBegin", "2026-02-01", "2026-02-01"),
        ("lastMonthEnd", "2026-02-28", "2026-02-28"),
    ],
)
def test_days_weeks_and_months_are_reckoned_as_dolphinscheduler_does(word: str, first: str, last: str) -> None:
    """From a Sunday that is the first of a March, at five: the day after a short month, the last day of its week."""
    meant = span(word, datetime(2026, 3, 1, 5, tzinfo=ZONE))
    assert [day.isoformat() for day in meant.days] == [first, last]


@pytest.mark.parametrize(
    ("word", "begins", "hours"),
    [
        ("currentHour", "01 00", 1),
        ("last1Hour", "28 23", 1),
        ("last2Hours", "28 22", 2),
        ("last3Hours", "28 21", 3),
        ("last24Hours", "28 01", 24),
    ],
)
def test_hours_are_reckoned_across_midnight(word: str, begins: str, hours: int) -> None:
    meant = span(word, datetime(2026, 3, 1, 0, 30, tzinfo=ZONE))
    assert f"{meant.begins:%d %H}" == begins
    assert meant.ends - meant.begins == timedelta(hours=hours)


def test_every_word_of_the_published_enumeration_is_known() -> None:
    """As in `DependentUtils`: twenty-five, of which twenty are tested by days and five by hours."""
    assert (len(WORDS), len(BY_DAY)) == (25, 20)


@given(st.sampled_from(sorted(WORDS)), moments, st.floats(0, 1))
def test_a_run_that_is_meant_finds_the_one_that_waits_for_it(word: str, waits: datetime, part: float) -> None:
    """Up- and downstream are two ways to say the same, so the days that are listed for the one hold the other."""
    meant = span(word, waits)
    met = meant.begins + (meant.ends - meant.begins - timedelta(microseconds=1)) * part
    first, last = days_after(word, met)
    assert first <= waits.date() <= last


@given(st.sampled_from(sorted(WORDS)), moments)
def test_a_run_is_of_its_own_cycle(word: str, due: datetime) -> None:
    assert not crosses(word, due, due)


@pytest.mark.parametrize(
    ("word", "days", "crossing"),
    [
        ("currentHour", [], []),
        ("last24Hours", ["2026-11-22"], [True]),
        ("last2Days", ["2026-11-21", "2026-11-22"], [True, True]),
        ("thisWeek", ["2026-11-23"], [False]),
        ("lastWeek", ["2026-11-21", "2026-11-22"], [True, True]),
        ("lastSunday", ["2026-11-22"], [True]),
        ("thisMonth", ["2026-11-21", "2026-11-22", "2026-11-23"], [True, True, False]),
        ("lastMonthEnd", [], []),
    ],
)
async def test_ties_of_weeks_months_and_hours_are_seen_from_either_end(
    word: str, days: list[str], crossing: list[bool]
) -> None:
    """Of three days that ran at two o'clock, those are met that the word means; each of them knows who waits."""
    async with dolphin() as pair:
        job = Job(401, "waiter", type="DEPENDENT", settings=waits_for(201, 301, word))
        flow = Flow(101, 205, "by_word", 5, (job,), "li_si")
        pair.server.night.flows.append(flow)
        pair.server.night.fire(flow, TODAY)
        waiter = pair.server.id("waiter")
        above = sorted(await pair.scheduler.upstream(waiter), key=lambda one: one.instance.id)
        due = [one.instance.scheduled_at for one in above]
        assert [at.astimezone(ZONE).date().isoformat() for at in due if at] == days
        assert [one.cross_cycle for one in above] == crossing
        for day in (TODAY - timedelta(days=ago) for ago in range(3)):
            below = await pair.scheduler.downstream(pair.server.id("ods_order", day))
            assert (waiter in {one.instance.id for one in below}) == (day.isoformat() in days)


async def test_a_word_that_nobody_published_ties_nothing() -> None:
    async with dolphin() as pair:
        job = Job(401, "waiter", type="DEPENDENT", settings=waits_for(201, 301, "nextFullMoon"))
        pair.server.night.flows.append(Flow(101, 205, "by_word", 5, (job,), "li_si"))
        pair.server.night.fire(pair.server.night.flows[-1], TODAY)
        assert await pair.scheduler.upstream(pair.server.id("waiter")) == ()
