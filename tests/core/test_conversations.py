"""Twenty conversations, each by the rules, by a scripted model that calls tools, and by a scripted router: the same calls."""

import json
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.access import Access
from core.agent import Agent, Answer, Call
from core.agent.history import History
from core.agent.past import Item, Past
from core.agent.rules.understand import ARGUMENT
from core.messages import Actor, Conversation, Message
from core.proposals import Proposals
from core.results import (
    Diagnosed,
    InstanceDetail,
    InstanceList,
    Lineage,
    LogView,
    Notice,
    Overview,
    Proposal,
    TableReport,
)
from core.schedulers.fleet import Fleet
from core.settings import Model, PersonSettings
from core.store import Store
from core.tools.act import Act
from core.tools.look import Look
from tests.fakes.demo import Demo
from tests.fakes.openai import Says, serving

FILE = Path(__file__).parent.parent / "data/conversations.toml"
CONVERSATIONS: Mapping[str, list[dict[str, Any]]] = {
    conversation["about"]: conversation["turn"]
    for conversation in tomllib.loads(FILE.read_text("utf-8"))["conversation"]
}
CHEN = PersonSettings(
    name="chen", role="operator", projects=("*",), owners=("陈晓雯",), identities={"terminal": "chen"}
)
TALK = Conversation("terminal", "1")
PROMISED: Mapping[str, type] = {
    "overview": Overview,
    "list_instances": InstanceList,
    "instance_status": InstanceDetail,
    "table_freshness": TableReport,
    "instance_log": LogView,
    "upstream": Lineage,
    "downstream": Lineage,
    "diagnose": Diagnosed,
    "propose_operation": Proposal,
    "help": Notice,
}


@dataclass
class Puppet:
    """A model that says what it is told to, then nothing."""

    lines: list[Says] = field(default_factory=list[Says])

    def __call__(self, _number: int, _body: Mapping[str, Any]) -> Says:
        """The next line."""
        return self.lines.pop(0) if self.lines else Says("")


class Chat:
    """One person talking over the demonstration's night."""

    def __init__(self, demo: Demo, store: Store, model: Model) -> None:
        access = Access((CHEN,))
        look = Look(Fleet([demo.scheduler]), access, clock=demo.clock)
        self._person = access.person(Actor("terminal", "chen"))
        self._clock, self._store, self._history, self._said = demo.clock, store, History(store), 0
        self._agent = Agent(model, look, Act(look, access, Proposals(store, clock=demo.clock)), self._history)

    async def past(self) -> Past:
        """What was said so far."""
        return await self._history.recall(TALK)

    async def say(self, text: str, quoted: str) -> Answer:
        """One turn, remembered."""
        self._said += 1
        message = Message(str(self._said), TALK, Actor("terminal", "chen"), text, self._clock(), quoted)
        answer = await self._agent.answer(message, self._person, progress=lambda _: None)
        await self._store.write(lambda connection: self._history.entry(connection, TALK, message.key, text, answer))
        return answer


@pytest.fixture(scope="module")
def demo() -> Demo:
    """The night; conversations only look at it and propose."""
    return Demo()


@pytest.mark.parametrize("mode", ["rules", "tools", "router"])
@pytest.mark.parametrize("about", CONVERSATIONS)
async def test_a_conversation_goes_as_it_should(demo: Demo, sqlite_store: Store, about: str, mode: str) -> None:
    """The tools called are those of the file, and what they show is what they promise, whoever chooses them."""
    puppet = Puppet()
    async with serving(puppet) as fake:
        chat = Chat(demo, sqlite_store, _model(mode, fake.base_url))
        for turn in CONVERSATIONS[about]:
            past = await chat.past()
            expected = [_call(line, past) for line in turn["calls"]]
            puppet.lines = [_line(mode, [_call(line, past) for line in turn.get("tries", turn["calls"])], past)]
            answer = await chat.say(turn["say"], turn.get("quoted", ""))
            assert list(answer.calls) == expected, turn["say"]
            shown = turn.get("shows", [PROMISED[call.name].__name__ for call in expected])
            assert [type(result).__name__ for result in answer.results] == shown
            assert not (mode == "rules" and fake.requests)


def test_there_are_twenty() -> None:
    """Of two turns on average, with dangerous requests among them."""
    turns = [turn for conversation in CONVERSATIONS.values() for turn in conversation]
    assert len(CONVERSATIONS) == 20
    assert len(turns) >= 40
    assert sum("tries" in turn for turn in turns) >= 10


def _model(mode: str, base_url: str) -> Model:
    if mode == "rules":
        return Model()
    return Model(name="fake", base_url=base_url, api_key=SecretStr("sk-test-only")).model_copy(update={"mode": mode})


def _call(line: str, past: Past) -> Call:
    tool, *pairs = shlex.split(line)
    arguments = dict(pair.split("=", 1) for pair in pairs)
    return Call(tool, {name: _meant(value, past) for name, value in arguments.items()})


def _meant(value: str, past: Past) -> str:
    """`#2` and `@` as references."""
    if value == "@":
        return next(item.ref for turn in reversed(past.turns) for item in reversed(turn.focus) if item.kind != "table")
    if value.startswith("#"):
        return next(turn.items for turn in reversed(past.turns) if turn.items)[int(value[1:]) - 1].ref
    return value


def _line(mode: str, calls: list[Call], past: Past) -> Says:
    """What a model writes to make these calls."""
    if mode == "tools":
        return Says(calls=tuple((call.name, call.arguments) for call in calls))
    first = calls[0]
    if first.name == "help":
        return Says('{"tool": "none", "args": {}}')
    labels = {item.ref: item.label for item in _items(past)}
    about = ARGUMENT.get(first.name, "target")
    args = {name: labels.get(value, value) if name == about else value for name, value in first.arguments.items()}
    args.pop("day", "")
    return Says(
        json.dumps({"tool": first.name, "args": {"subject": "", **args} if first.name == "list_instances" else args})
    )


def _items(past: Past) -> Iterable[Item]:
    return (item for turn in past.turns for item in (*turn.items, *turn.focus))
