"""A message cut into clauses, and what each says by itself: an intent, names, a project or an owner, a day."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from core.agent.rules import days, groups
from core.agent.rules.intents import Intent, first, listing
from core.agent.rules.names import Name, identifiers, remainder
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
SHORTEST = 3
"""Characters of a name in plain words that turns a general question into one about it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a message that says one thing.

    Attributes:
        plain: folded, without its names.
        intent: what it asks; None when it asks nothing.
        names: of tasks, instances or tables.
        day: ISO date; empty for today.
        dated: whether it names a day, be it today.
    """

    plain: str
    intent: Intent | None = None
    names: tuple[str, ...] = ()
    day: str = ""
    dated: bool = False


def clauses(text: str, today: date) -> list[Clause]:
    """The clauses of a message, in order."""
    return [_clause(part, today) for part in _CUT.split(corrected(text)) if part.strip()]


def _clause(part: str, today: date) -> Clause:
    folded, found = fold(part), identifiers(part)
    dates = days.mentions(blank(folded, [name.span for name in found if not name.text.isdecimal()]), today)
    taken = [mention.span for mention in dates]
    group = groups.group(blank(folded, taken))
    taken += [group.span] if group else []
    names = [name for name in found if not any(start < name.end and name.start < end for start, end in taken)]
    unnamed = [group.span] if group else []
    plain = " ".join(blank(folded, [*unnamed, *(name.span for name in names)]).split())
    day = "" if not dates or dates[0].day == today else dates[0].day.isoformat()
    intent = first(plain, named=bool(names) or points_at_one(plain))
    clause = Clause(plain, intent, tuple(name.text for name in names), day, bool(dates))
    if group:
        return _about(clause, part[slice(*group.span)], group.kind)
    return clause if names or points(plain) else _in_plain_words(clause, remainder(blank(part, taken)))


def _about(clause: Clause, subject: str, kind: Literal["project", "owner"]) -> Clause:
    """The clause as a question about a project or an owner, unless it is about something of theirs."""
    intent, whole = clause.intent, "project" if kind == "project" else "all"
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
    if clause.intent and clause.intent.needs in {"instance", "table"}:
        return replace(clause, names=(rest[0].text,))
    about_one = first(clause.plain, named=True)
    if about_one and about_one.named and len(rest) == 1 and len(rest[0].text) >= SHORTEST:
        return replace(clause, intent=about_one, names=(rest[0].text,))
    return clause
