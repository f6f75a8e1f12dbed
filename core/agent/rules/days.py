"""Days in a sentence: 昨天, T-1, last Friday, 11月21日, bizdate=20261121; and days in a row: 上周, "Nov 1 to Nov 7".

A business date is the day the data is about; its runs are due the day after (DataWorks and Dataphin: bizdate T-1), so a
date that is called one is moved on by a day.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

LONGEST = 62
"""Most days in a row that are read as such."""
_DIGITS = {character: value for value, character in enumerate("零一二三四五六日")} | {"天": 7, "两": 2, "七": 7}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ABBREVIATED = tuple(day[:3] for day in _WEEKDAYS)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Mention:
    """A day in a text, and where it stands.

    Attributes:
        last: the last day, when several in a row are meant; `day` is then the first.
        business: whether it was called a business date.
    """

    day: date
    start: int
    end: int
    last: date | None = None
    business: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """Start and end."""
        return self.start, self.end


def mentions(folded: str, today: date) -> list[Mention]:
    """All days in a text made comparable by `fold`, in order; those that no calendar has are passed over.

    A day that is only compared with ("failed yesterday too", 昨天也失败) is not what the question is about.
    """
    single = sorted(_mentions(folded, today), key=lambda mention: mention.start)
    several = [*_joined(folded, single), *_periods(folded, today)]
    covered = [mention for mention in single if not any(other.start <= mention.start < other.end for other in several)]
    return sorted((*several, *covered), key=lambda mention: mention.start)


def _joined(folded: str, single: list[Mention]) -> Iterator[Mention]:
    """Days that are written as from one to another."""
    for first, last in pairwise(single):
        if _TO.fullmatch(folded, first.end, last.start):
            until = last.day + timedelta(days=first.business and not last.business)
            if timedelta() < until - first.day <= timedelta(days=LONGEST):
                yield Mention(first.day, first.start, last.end, until, first.business)


def _periods(folded: str, today: date) -> Iterator[Mention]:
    monday = today - timedelta(days=today.weekday())
    for match in _PERIOD.finditer(folded):
        count = "7" if match["week"] else match["chinese"] or match["english"]
        if match["last_week"]:
            first, last = monday - timedelta(days=7), monday - timedelta(days=1)
        elif count and not 1 < _number(count) <= LONGEST:
            continue
        else:
            first, last = (today - timedelta(days=_number(count) - 1) if count else monday), today
        yield Mention(first, match.start(), match.end(), last)


def hours(folded: str) -> list[tuple[int, int]]:
    """Where times of day stand (凌晨3点以后, "since midnight"): nothing is asked by the hour, and they name nothing."""
    return [match.span() for match in _HOURS.finditer(folded)]


def _mentions(folded: str, today: date) -> Iterator[Mention]:
    for pattern, read in _PATTERNS:
        for match in pattern.finditer(folded):
            try:
                day = read(match, today)
            except ValueError:
                continue
            business = _BUSINESS.search(folded[: match.start()], max(0, match.start() - 16))
            if business:
                yield Mention(day + timedelta(days=1), business.start(), match.end(), business=True)
            else:
                yield Mention(day, match.start(), match.end())


_TO = re.compile(r" ?(?:到|至|~|-|—|–|to|through|thru|until) ?")
_PERIOD = re.compile(
    r"(?:最近|过去|近|前)(?:的)?(?P<chinese>\d{1,2}|[一二三四五六七两])天(?!前)"
    r"|\b(?:past|last) (?P<english>\d{1,2}|two|three|four|five|six|seven) days\b"
    r"|(?P<last_week>(?<!上)上(?:个|一)?(?:周|星期|礼拜)(?![一二三四五六日天末])|\blast week\b)"
    r"|(?:本|这)(?:一|个)?(?:周|星期|礼拜)(?![一二三四五六日天末])|\bthis week\b"
    r"|(?P<week>(?:最近|过去)一(?:周|个?星期)|\bpast week\b)",
    re.ASCII,
)
_HOURS = re.compile(
    r"(?:(?:凌晨|早上|上午|中午|下午|晚上|今早) ?)?(?<![\d.])\d{1,2}(?:[:点](?:\d{2}|半)?分?)(?!\d)"
    r"(?:以?后|之?后|以?前|之?前|开始|多|左右|起)?"
    r"|\b(?:since|after|before|by|until|till|from|around) (?:midnight|noon|\d{1,2}(?::\d{2})?(?: ?[ap]m\b|:\d{2}))"
    r"|\b\d{1,2}(?::\d{2})? ?[ap]m\b|(?:零点|半夜|午夜|夜里)(?:以?后|之?后|过后)?|\bmidnight\b",
    re.ASCII,
)

_BUSINESS = re.compile(r"(?:biz_?date|business ?date|业务日期?|数据日期|账期|数据时间)\W{0,3}$")


def _back(days: int) -> Callable[[re.Match[str], date], date]:
    return lambda _match, today: today - timedelta(days=days)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _COUNTS.get(text) or _DIGITS[text]


def _ago(match: re.Match[str], today: date) -> date:
    return today - timedelta(days=_number(match[1]))


def _calendar(match: re.Match[str], _today: date) -> date:
    return date(*map(int, match.groups()))


def _this_year(month: int, day: int, today: date) -> date:
    """The latest such day that is not in the future."""
    found = date(today.year, month, day)
    return found if found <= today else date(today.year - 1, month, day)


def _month_day(match: re.Match[str], today: date) -> date:
    return _this_year(int(match[1]), int(match[2]), today)


def _month_day_of_late(match: re.Match[str], today: date) -> date:
    """The latest such day of a month that is not in the future."""
    wanted = int(match[1] or match[2])
    if wanted <= today.day:
        return today.replace(day=wanted)
    return (today.replace(day=1) - timedelta(days=1)).replace(day=wanted)


def _two_weeks_back(match: re.Match[str], today: date) -> date:
    return today - timedelta(days=today.weekday() + 15 - (_DIGITS[match[1]] or 7))


def _english(match: re.Match[str], today: date) -> date:
    month, day = (match[1], match[2]) if match[1] else (match[4], match[3])
    return _this_year(_MONTHS.index(month[:3]) + 1, int(day), today)


def _weekday(match: re.Match[str], today: date) -> date:
    """The latest such day before today; with 上周 or a Chinese "last week", that of the week before this one."""
    last_week, chinese, english, whole = match.groups()
    wanted = _DIGITS[chinese] if chinese else _ABBREVIATED.index((english or whole)[:3]) + 1
    wanted = wanted or 7
    if chinese and last_week:
        return today - timedelta(days=today.weekday() + 8 - wanted)
    return today - timedelta(days=(today.isoweekday() - wanted) % 7 or 7)


_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)

_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date]], ...] = (
    (re.compile(r"大前天"), _back(3)),
    (re.compile(r"(?<!大)前(?:天|晚|日)|the day before yesterday"), _back(2)),
    (
        re.compile(
            r"昨(?:天|日)(?!也|[和跟与]?今天)"
            r"|(?<!before )(?<!also failed )\b(?:yesterday|ystd|yday|yest)\b(?! too| as well| and today)"
        ),
        _back(1),
    ),
    (
        re.compile(r"今(?:天|日|晚|早|晨)|昨(?:晚|夜)|凌晨|\b(?:today|tonight|last night|this morning|overnight)\b"),
        _back(0),
    ),
    (re.compile(r"(?<![a-z0-9])t ?- ?(\d{1,2})(?!\d)"), _ago),
    (re.compile(rf"(\d{{1,3}}|[一二三四五六七两]|\b(?:{'|'.join(_COUNTS)})) ?(?:天(?:以)?前|d(?:ays?)? ago)"), _ago),
    (re.compile(r"(?<![\w.])(\d{1,2})\.(\d{1,2})(?= ?[-~到至] ?\d)"), _month_day),
    (re.compile(r"(?<=[-~到至])(\d{1,2})\.(\d{1,2})(?![\w.])"), _month_day),
    (re.compile(r"(?<![\w./-])(\d{1,2})[/-](\d{2})(?![\w/-]|\.\d)", re.ASCII), _month_day),
    (
        re.compile(r"(?<![\d月/-])(\d{1,2})(?:号|日)(?!线|任务|表|机|节点|库)|\bon the (\d{1,2})(?:st|nd|rd|th)\b"),
        _month_day_of_late,
    ),
    (re.compile(r"上上(?:个)?(?:周|星期|礼拜)([一二三四五六日天])"), _two_weeks_back),
    (re.compile(r"(?<!\d)(20\d\d)[-/.年]?([01]\d)[-/.月]?([0-3]\d)(?!\d)日?"), _calendar),
    (re.compile(r"(?<!\d)(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)日?"), _calendar),
    (re.compile(r"(?<![\d年])(\d{1,2})月(\d{1,2})(?:日|号)?"), _month_day),
    (
        re.compile(
            rf"\b(?:({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?|(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({_MONTH}))\b"
        ),
        _english,
    ),
    (
        re.compile(
            rf"(?<!上)(上)?(?:个)?(?:周|星期|礼拜)([一二三四五六日天])"
            rf"|(?:(?:last|on|this|since) )((?:{'|'.join(_ABBREVIATED)})[a-z]{{0,6}})\b|\b({'|'.join(_WEEKDAYS)})\b"
        ),
        _weekday,
    ),
)
