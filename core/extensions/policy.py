"""What the settings say about an operation that waits: pure. The first rule that holds answers.

A fact that could not be looked up is taken for the worse: a rule that refuses or asks holds, one that allows does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from core.settings import ExtensionRule, ExtensionSettings
from core.settings.extensions import Answer
from core.subscriptions.model import quiet


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an operation that waits.

    Attributes:
        event: code of the extension point.
        operator: the platform's id of whoever does it.
        projects: the workspace by id, and by name where that is known.
        named: whether its name is known.
        things: names of what it is about.
        downstream: how many instances wait for these; None when that is not known.
        owned: whether each has an owner; None when that is not known.
    """

    event: str
    operator: str
    projects: frozenset[str]
    named: bool = False
    things: tuple[str, ...] = ()
    downstream: int | None = None
    owned: bool | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is answered: by which rule (from 1; 0 when none held), with which words."""

    answer: Answer
    rule: int = 0
    tip: str = ""


def rule_on(settings: ExtensionSettings, facts: Facts, now: datetime, zone: tzinfo) -> Ruling:
    """What the settings say."""
    for number, rule in enumerate(settings.rules, 1):
        held = list(_conditions(rule, facts, now, zone))
        if False not in held and (rule.answer != "allow" or None not in held):
            return Ruling(rule.answer, number, rule.tip)
    return Ruling(settings.otherwise)


def _conditions(rule: ExtensionRule, facts: Facts, now: datetime, zone: tzinfo) -> Iterator[bool | None]:
    """Whether each condition holds; None where a fact is missing."""
    yield not rule.events or facts.event in rule.events
    yield not rule.operators or facts.operator in rule.operators
    yield not rule.hours or quiet(rule.hours, now.astimezone(zone).time())
    yield rule.covers(now)
    if rule.projects:
        yield True if facts.projects & set(rule.projects) else False if facts.named else None
    if rule.downstream is not None:
        yield None if facts.downstream is None else facts.downstream > rule.downstream
    if rule.without_owner:
        yield None if facts.owned is None else not facts.owned
