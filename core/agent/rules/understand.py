"""From a message to tool calls.

A pasted alert is diagnosed, whatever its words say: an alert gives no orders. Anything else is cut into clauses, each
read by `core.agent.rules.clauses`. A clause that lacks a name takes it from its neighbours, then from the conversation;
when it is nowhere, the person is asked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from core.agent.answer import Call
from core.agent.past import Item, Past
from core.agent.rules import names
from core.agent.rules.again import repeated
from core.agent.rules.clauses import Clause, clauses
from core.agent.rules.intents import Intent, first, status
from core.agent.rules.pointing import picked, pointed, points, points_at_one
from core.agent.rules.text import fold
from core.alerts import Alert, read

MOST = 7
"""Most calls for one message, a week of days: what is beyond is better asked again than found at the bottom of ten cards."""
ALERTS = 3
"""Most things of pasted alerts that are diagnosed at once."""
LONGEST = 4000
"""Characters of a message that are read as a question; an alert may be longer."""

TOOLS = {
    "status": "instance_status",
    "log": "instance_log",
    "table": "table_freshness",
    "instances": "list_instances",
    "propose": "propose_operation",
}
"""Tools that go by another word as a command."""
ARGUMENT = {"table_freshness": "name", "list_instances": "subject"}
"""How a tool calls what it is about, where it is not `target`."""
DATED = frozenset({"overview", "list_instances", "instance_status", "table_freshness", "instance_log", "diagnose"})
"""Tools that take a day."""

_RUN = re.compile(r"第 ?(\d{1,3}|[一二三四五六七八九]) ?次|\b(?:run|try|attempt) ?#?(\d{1,3})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """A message as the rules read it.

    Attributes:
        text: what the person wrote.
        today: the date in the fleet's zone.
        past: the conversation before.
        quoted: the message it replies to.
        located: what finds a thing that an alert names, where its own id or name does not.
    """

    text: str
    today: date
    past: Past = field(default_factory=Past)
    quoted: str = ""
    located: Mapping[str, str] = field(default_factory=dict[str, str])


def understand(question: Question) -> tuple[Call, ...]:
    """The tool calls that answer a message; at least one."""
    if alerts := _alerts(question):
        return alerts
    text = question.text[:LONGEST]
    if pick := picked(fold(text), question.past):
        turn, item = pick
        tool = TOOLS.get(turn.again, turn.again)
        return (Call(tool, {**turn.arguments, ARGUMENT.get(tool, "target"): item.ref}),)
    said = clauses(text, question.today)
    if repeats := _again(said, question):
        return repeats
    read_clauses = _with_neighbours(said, talking=bool(question.past.turns))
    asked = [clause for clause in read_clauses if clause.intent and not clause.intent.small] or read_clauses[:1]
    calls = _distinct(call for clause in asked for call in _calls(clause, question))
    return tuple(calls[:MOST]) or (_say("not_understood"),)


def _again(said: Sequence[Clause], question: Question) -> tuple[Call, ...]:
    """What a message without an intent of its own means after the question before it."""
    *earlier, last = question.past.turns or (None,)
    if last is None or any(clause.intent for clause in said):
        return ()
    before = understand(Question(last.said, question.today, Past(tuple(filter(None, earlier)))))[-1]
    named = next((clause.names for clause in said if clause.names), ())
    pointer = next((clause.plain for clause in said if points(clause.plain)), "")
    found = () if named or not pointer else pointed(pointer, question.past, table=before.name == "table_freshness")
    things = named or tuple(handle(item, table=before.name == "table_freshness") for item in found)
    day = next((clause.day for clause in said if clause.dated), None)
    return repeated(fold(question.text), before, things, day)


def _alerts(question: Question) -> tuple[Call, ...]:
    reading = read(question.text)
    if reading.kind != "alert":
        return ()
    calls = _distinct(call for alert in reading.alerts for call in _of_alert(alert, question.located))
    return tuple(calls[:ALERTS]) or (_say("which_task"),)


def _of_alert(alert: Alert, located: Mapping[str, str]) -> Iterable[Call]:
    for thing in alert.subjects:
        named = thing.id or thing.name
        wanted = located.get(named, named)
        if wanted and len(wanted) <= names.LONGEST:
            tool = "table_freshness" if thing.type == "table" else "diagnose"
            yield _call(tool, {ARGUMENT.get(tool, "target"): wanted}, alert.due_day)


def _with_neighbours(read_clauses: Sequence[Clause], *, talking: bool) -> list[Clause]:
    """The clauses that ask something, each with the names and the day it leaves to the others to say.

    Args:
        read_clauses: as they were said.
        talking: whether something was shown before that "the second one" can mean.
    """
    read_clauses = _enumerated(read_clauses)
    if not any(clause.intent for clause in read_clauses):
        return [
            replace(clause, intent=status())
            for clause in read_clauses
            if clause.names or (talking and points(clause.plain))
        ]
    when = next((clause for clause in read_clauses if clause.day or clause.period), Clause(""))
    return [
        _on_day_of(when, replace(clause, names=clause.names or _nearest_names(read_clauses, place)))
        for place, clause in enumerate(read_clauses)
        if clause.intent
    ]


def _on_day_of(when: Clause, clause: Clause) -> Clause:
    """The clause with a neighbour's day, if it has none; a change only with that of the thing it is about."""
    orders = clause.intent is not None and clause.intent.orders
    if clause.day or clause.period or (orders and not when.names):
        return clause
    return replace(clause, day=when.day, period=when.period, business=when.business)


def _enumerated(read_clauses: Sequence[Clause]) -> list[Clause]:
    """The clauses, with names that stand alone ("rerun a, b") given to the clause before them."""
    joined: list[Clause] = []
    for clause in read_clauses:
        if joined and clause.names and not clause.plain and joined[-1].names:
            joined[-1] = replace(joined[-1], names=joined[-1].names + clause.names)
        else:
            joined.append(clause)
    return joined


def _nearest_names(read_clauses: Sequence[Clause], place: int) -> tuple[str, ...]:
    """Names said before this clause, which is also what its "it" is, or else after it; none for "the second one"."""
    plain = read_clauses[place].plain
    if points(plain) and not points_at_one(plain):
        return ()
    after = () if points(plain) else read_clauses[place + 1 :]
    around = (*reversed(read_clauses[:place]), *after)
    return next((clause.names for clause in around if clause.names), ())


def _calls(clause: Clause, question: Question) -> Iterable[Call]:
    intent = clause.intent
    if intent is None:
        return
    if intent.finds and not intent.arguments["subject"]:
        yield _say("which_task")
        return
    if intent.needs == "nothing" or intent.tool == "list_instances":
        yield from _daily(intent, clause, question.today)
        return
    targets = _targets(clause, question)
    general = first(clause.plain, named=False)
    if not targets and intent.named and general and general.needs in {"nothing", "group"}:
        yield from _daily(general, clause, question.today)  # "how is it going" when there is no "it"
    elif not targets:
        yield _say("which_table" if intent.needs == "table" else "which_task")
    elif intent.tool == "propose_operation" and len(targets) > 1:
        yield _say("one_at_a_time")
    else:
        more = _details(clause, intent)
        for target in targets:
            yield _call(
                intent.tool, {**intent.arguments, ARGUMENT.get(intent.tool, "target"): target, **more}, clause.day
            )


def _daily(intent: Intent, clause: Clause, today: date) -> Iterable[Call]:
    """A call for each day that is asked about, the latest first: a list and an overview are about one day each."""
    if clause.period is None:
        yield _call(intent.tool, intent.arguments, clause.day)
        return
    first_day, last = clause.period
    for back in range(min((last - first_day).days + 1, MOST)):
        day = last - timedelta(days=back)
        yield _call(intent.tool, intent.arguments, "" if day == today else day.isoformat())


def _details(clause: Clause, intent: Intent) -> Mapping[str, str]:
    """What a tool takes besides what it is about: the number of a run, the days of a backfill."""
    if intent.tool == "instance_log":
        return run_number(clause.plain)
    if intent.arguments.get("operation") == "backfill":
        start, end = clause.business
        return {"day": start, "until": end}
    return {"day": clause.day} if intent.tool == "propose_operation" else {}


def _targets(clause: Clause, question: Question) -> tuple[str, ...]:
    if clause.names:
        return clause.names
    table = clause.intent is not None and clause.intent.needs == "table"
    found = pointed(clause.plain, question.past, table=table)
    if found:
        return tuple(handle(item, table=table) for item in found)
    quoted = clauses(question.quoted[:LONGEST], question.today)
    return next((other.names for other in quoted if other.names), ())


def handle(item: Item, *, table: bool) -> str:
    """What a tool can look an item up by: a task is not found by the reference of a table, nor the other way round."""
    return item.ref if (item.kind == "table") == table else item.label


def run_number(plain: str) -> dict[str, str]:
    """The number of the run that folded text speaks of, as an argument of `instance_log`; empty when it speaks of none."""
    found = _RUN.search(plain)
    number = found and (found[1] or found[2])
    return {"run": str("一二三四五六七八九".find(number) + 1 or number)} if number else {}


def _call(tool: str, arguments: Mapping[str, str], day: str) -> Call:
    dated = {**arguments, "day": day} if tool in DATED else arguments
    return Call(tool, {name: value for name, value in dated.items() if value})


def _say(topic: str) -> Call:
    return Call("help", {"topic": topic})


def _distinct(calls: Iterable[Call]) -> list[Call]:
    return list({(call.name, *sorted(call.arguments.items())): call for call in calls}.values())
