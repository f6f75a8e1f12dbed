"""A message cut into clauses, and what each says by itself: an intent, names, a project or an owner, a day."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from core.agent.rules import days, groups
from core.agent.rules.intents import Intent, first, listing, reported
from core.agent.rules.names import Name, identifiers, is_person, remainder
from core.agent.rules.pointing import points, points_at_one
from core.agent.rules.spelling import corrected
from core.agent.rules.text import blank, fold

_CUT = re.compile(
    r"[\n。;；!！?？,，、]+|(?:然后|另外|顺便|还有|以及|并且|同时)(?!.{0,4}下游.{0,3}$)|再帮我|再看"
    r"|\b(?:and then|and also|also(?! fail)|then|plus|as well as)\b(?!.{0,10}downstream)"
    r"|(?<=原因)[和与及跟](?=日志|上游|下游)|(?<=日志)[和与及跟](?=原因|上游|下游|状态)|(?<=状态)[和与及跟](?=日志|上游|下游|原因)"
    r"|\band (?=(?:why|what|who|show|list|how|is|did|does|re-?run|re-?try|give|check|tell)\b)",
    re.ASCII | re.IGNORECASE,
)
_BELONGS = re.compile(r"\b(?:in|for|of|from|by|under|on) (?:the |project )?$", re.ASCII)
_COUNTED = re.compile(r"[\d一二两三四五几多][天次个周条]")
SHORTEST = 3
"""Characters of a name in plain words that turns a general question into one about it."""
CERTAIN = 4
"""Characters of one after which 那个 does not point at something shown before: 那个会员标签刷新."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a message that says one thing.

    Attributes:
        plain: folded, without its names.
        intent: what it asks; None when it asks nothing.
        names: of tasks, instances or tables.
        day: ISO date; empty for today.
        dated: whether it names a day, be it today.
        period: its first and last day, when it names several in a row.
        business: the first and the last day as a backfill takes them: days of data, not of runs; empty without a day.
    """

    plain: str
    intent: Intent | None = None
    names: tuple[str, ...] = ()
    day: str = ""
    dated: bool = False
    period: tuple[date, date] | None = None
    business: tuple[str, str] = ("", "")


def clauses(text: str, today: date) -> list[Clause]:
    """The clauses of a message, in order."""
    return [_clause(part, today) for part in _CUT.split(corrected(text)) if part.strip()]


def _clause(part: str, today: date) -> Clause:
    folded, found = fold(part), identifiers(part)
    unnamed = blank(folded, [name.span for name in found if not name.text.isdecimal()])
    dates = days.mentions(unnamed, today)
    taken = [*(mention.span for mention in dates), *days.hours(unnamed)]
    group = groups.group(blank(folded, taken))
    taken += [group.span] if group else []
    names = [name for name in found if not any(start < name.end and name.start < end for start, end in taken)]
    away = [*([group.span] if group else []), *(name.span for name in names), *days.hours(unnamed)]
    plain = " ".join(blank(folded, away).split())
    intent = first(plain, named=bool(names) or points_at_one(plain))
    clause = _dated(Clause(plain, intent, tuple(name.text for name in names)), dates, today)
    if group:
        return _about(clause, part[slice(*group.span)], group.kind)
    rest = remainder(blank(part, [*taken, *reported(folded)]))
    if intent and intent.needs == "subject":
        return _listed(clause, intent, names or [name for name in rest if intent.finds or _is_group(name, folded)])
    named_besides = points_at_one(plain) and len(rest) == 1 and len(rest[0].text) >= CERTAIN
    return clause if names or (points(plain) and not named_besides) else _in_plain_words(clause, rest)


def _dated(clause: Clause, dates: Sequence[days.Mention], today: date) -> Clause:
    if not dates:
        return clause
    said = dates[0]
    last = said.last or said.day
    to_data = timedelta(days=said.business or (said.last == today))
    start, end = (said.day - to_data).isoformat(), (last - to_data).isoformat() if said.last else ""
    return replace(
        clause,
        day="" if said.day == today else said.day.isoformat(),
        dated=True,
        period=(said.day, said.last) if said.last else None,
        business=("", "") if (last, said.last, said.business) == (today, None, False) else (start, end),
    )


def _listed(clause: Clause, intent: Intent, named: Sequence[Name]) -> Clause:
    """The clause as a list of what belongs to a project, an owner, or has a word in its name; of all if none is named."""
    return replace(clause, names=(), intent=listing(intent.arguments["kind"], named[0].text if named else ""))


def _is_group(name: Name, folded: str) -> bool:
    """Whether a name in plain words may be that of a project or a person: an English one is said to be in, of or by it."""
    if name.text.isascii():
        return _BELONGS.search(folded, 0, name.start) is not None
    return is_person(name.text) or (len(name.text) >= SHORTEST and not _COUNTED.search(name.text))


def _about(clause: Clause, subject: str, kind: Literal["project", "owner"]) -> Clause:
    """The clause as a question about a project or an owner, unless it is about something of theirs."""
    intent, whole = clause.intent, "project" if kind == "project" else "all"
    if intent and intent.tool == "propose_operation" and identifiers(subject):
        return clause if clause.names else replace(clause, names=(subject,))
    if intent is None or intent.tool in {"overview", "instance_status"}:
        return clause if clause.names else replace(clause, intent=listing(whole, subject))
    if intent.tool == "list_instances":
        asked = intent.arguments["kind"]
        return replace(clause, intent=listing(whole if asked in {"all", "mine"} else asked, subject))
    if intent.tool == "diagnose" and not clause.names:
        return replace(clause, intent=listing("failed", subject))
    return clause


def _in_plain_words(clause: Clause, rest: Sequence[Name]) -> Clause:
    """The clause with a name that is not spelt like one: what it needs, or what makes it a question about one thing."""
    if not rest:
        return clause
    if clause.intent and clause.intent.tool == "list_instances" and len(rest) == 1 and is_person(rest[0].text):
        return replace(clause, intent=listing(clause.intent.arguments["kind"], rest[0].text))
    if clause.intent and clause.intent.needs in {"instance", "table"}:
        return replace(clause, names=(rest[0].text,))
    about_one = first(clause.plain, named=True)
    if about_one and about_one.named and len(rest) == 1 and len(rest[0].text) >= SHORTEST:
        return replace(clause, intent=about_one, names=(rest[0].text,))
    return clause
