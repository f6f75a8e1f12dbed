"""One conversation through any channel: overview, failed list, diagnosis, rerun, confirmation, green; and what passed for it.

The cards are those of `tests/data/payloads/conversation.json`, so that a change of wording elsewhere changes nothing here; what
passed between us and each platform is in the folder beside it, a file a step. After a change of a renderer, or to take over
new wording, write both anew: `python -m tests.contracts.conversation`. The diff is the review.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.cards import CARD, Card, buttons
from core.i18n import words
from core.messages import Event, Message
from core.views import show
from tests.contracts.channels import ChannelSubject
from tests.contracts.wire import Json
from tests.samples import OPERATOR, SAMPLES, ZONE

FOLDER = Path(__file__).parents[1] / "data/payloads"
CARDS = FOLDER / "conversation.json"
QUESTION = "昨晚跑得怎么样"

_PORT = re.compile(r"127\.0\.0\.1:\d+")
_MADE_UP = re.compile(r"(?:(?<![0-9A-Za-z ])|(?<=msg))[0-9a-f]{12,64}(?![0-9A-Za-z])")
"""Ids that are new each time: of messages, events, requests, sessions. A number in JSON follows a space, and is none."""


@dataclass(frozen=True)
class Step:
    """What the person does, and what answers it.

    Attributes:
        name: of the file.
        sample: of `tests.samples.SAMPLES`.
        command: what the pressed button says to us; empty for the question, and where nobody does anything.
        edits: the answer replaces the card before.
    """

    name: str
    sample: str
    command: str = ""
    edits: bool = False


STEPS = (
    Step("1-overview", "overview"),
    Step("2-failed", "failed", "instances"),
    Step("3-diagnosis", "diagnosis", "diagnose"),
    Step("4-proposal", "proposal-open", "propose"),
    Step("5-confirmed", "proposal-following", "confirm", edits=True),
    Step("6-green", "proposal-succeeded", edits=True),
)


async def talk(subject: ChannelSubject, cards: Mapping[str, Card]) -> dict[str, list[Json]]:
    """Have the conversation; returns what passed at each step.

    Args:
        subject: the channel.
        cards: by name of a step.
    """
    passed: dict[str, list[Json]] = {}
    reference, before = "", Card("")
    for step in STEPS:
        subject.wire.clear()
        await _act(subject, step, before)
        before = cards[step.name]
        if step.edits:
            await subject.channel.update(reference, before, key=step.name)
        else:
            reference = await subject.channel.send(subject.here, before, key=step.name)
        passed[step.name] = [*subject.wire, *await subject.drawn()]
    return readable(passed, CARDS.read_text("utf-8"))


async def _act(subject: ChannelSubject, step: Step, before: Card) -> None:
    """Let the person do what belongs to a step, and see that it was understood."""
    if step.name == STEPS[0].name:
        await subject.say(QUESTION)
        assert _meaning(subject.heard[-1]) == (QUESTION, {})
    elif step.command:
        button = next(button for button in buttons(before) if button.command == step.command)
        await subject.press(button.label)
        assert _meaning(subject.heard[-1]) == (button.command, button.arguments), subject.heard[-1]


def _meaning(event: Event) -> tuple[str, Mapping[str, str]]:
    """What was said, or the command and the arguments of what was pressed."""
    return (event.text, {}) if isinstance(event, Message) else (event.command, event.arguments)


def readable(passed: Mapping[str, list[Json]], known: str) -> dict[str, list[Json]]:
    """The record in a form that stays the same: made-up ids numbered, ports left out, JSON within strings opened.

    Args:
        passed: what passed at each step.
        known: text whose ids are not made up.
    """
    text = _PORT.sub("platform.example", json.dumps(passed, ensure_ascii=False))
    numbers: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return found[0] if found[0] in known else numbers.setdefault(found[0], f"id{len(numbers) + 1}")

    return cast("dict[str, list[Json]]", _opened(json.loads(_MADE_UP.sub(named, text))))


def _opened(value: Any) -> Any:  # JSON
    match value:
        case dict():
            return {key: _opened(part) for key, part in cast("Json", value).items()}
        case list():
            return [_opened(part) for part in cast("list[Any]", value)]
        case str() if value.startswith(("{", "[{")) and value.endswith(("}", "]")):
            return {"JSON": _opened(json.loads(value))}
        case _:
            return value


def written(value: object) -> str:
    """As it stands in a file."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def slug(name: str) -> str:
    """A channel's folder."""
    return name.replace(" ", "-")


def cards() -> dict[str, Card]:
    """The cards of the conversation, by name of the step."""
    return {name: CARD.validate_python(card) for name, card in json.loads(CARDS.read_text("utf-8")).items()}


def _anew() -> dict[str, Any]:
    say = words("zh-CN")
    found = {step.name: show(SAMPLES[step.sample], say, ZONE, OPERATOR) for step in STEPS}
    return {name: json.loads(CARD.dump_json(card)) for name, card in found.items()}


async def _write(subjects: Mapping[str, type[ChannelSubject]]) -> None:
    CARDS.parent.mkdir(parents=True, exist_ok=True)
    CARDS.write_text(written(_anew()), "utf-8")
    for name, kind in subjects.items():
        async with kind() as subject:
            passed = await talk(subject, cards())
        (FOLDER / slug(name)).mkdir(exist_ok=True)
        for step, record in passed.items():
            (FOLDER / slug(name) / f"{step}.json").write_text(written(record), "utf-8")


if __name__ == "__main__":
    from tests.contracts.test_channels import SUBJECTS

    asyncio.run(_write(SUBJECTS))
