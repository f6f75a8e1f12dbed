"""Whom the scheduler itself calls: who of a roster is on duty now, and its alert rules in sentences."""

from collections.abc import Iterator, Sequence

from core.cards import Field, Text
from core.schedulers.base import AlertRule, Shift
from core.views.reader import Reader, plain


def on_duty(reader: Reader, rules: Sequence[AlertRule]) -> Iterator[Field]:
    """Who is on duty now, of all rosters that are called."""
    people = dict.fromkeys(person for rule in rules for shift in rule.shifts for person in shift.people)
    if people:
        yield Field(reader.words("calling.on_duty"), reader.listed(list(people)))


def about(reader: Reader, rules: Sequence[AlertRule], title: str) -> Iterator[Text]:
    """The rules, one a line, under a title; nothing when there is none."""
    if rules:
        yield Text("\n".join((title, *(f"· {sentence(reader, rule)}" for rule in rules))))


def sentence(reader: Reader, rule: AlertRule) -> str:
    """What a rule is called, what makes it call, and whom."""
    on = f"calling.on.{rule.on}"
    return reader.words(
        "calling.rule" if rule.enabled else "calling.rule_off",
        name=plain(rule.name or rule.id),
        on=reader.words(on) if on in reader.words else plain(rule.on),
        whom=reader.listed(list(_called(reader, rule)), 10) or reader.words("calling.nobody"),
        owner=plain(rule.owner) or reader.words("views.no_owner"),
    )


def _called(reader: Reader, rule: AlertRule) -> Iterator[str]:
    yield from (_shift(reader, shift) for shift in rule.shifts)
    yield from rule.people
    for word in rule.elsewhere:
        key = f"calling.elsewhere.{word}"
        yield reader.words(key) if key in reader.words else word


def _shift(reader: Reader, shift: Shift) -> str:
    key = "calling.shift" if shift.people else "calling.shift_empty"
    return reader.words(key, name=plain(shift.name), people=reader.listed(shift.people))
