"""Answers in a person's words: a model chooses the tools, or the rules do.

LangChain is loaded in a thread, on the first question or by `warm` after the start: neither start-up nor commands pay for it.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import structlog

from core.access import Person
from core.agent.answer import Answer
from core.agent.claims import claims
from core.agent.history import History
from core.agent.offer import left_to_rules
from core.agent.prompts import PROMPTS, prompt
from core.agent.rules.understand import Question
from core.agent.turn import Reason, Stopped, Turn
from core.errors import ConfigurationError, XOpsError
from core.messages import Message
from core.results import AlertReport, Diagnosed, Notice
from core.settings import Model
from core.tools.act import Act
from core.tools.look import Look

if TYPE_CHECKING:
    from core.agent.graph import Graph

log = structlog.get_logger(__name__)

LONGEST = 20_000
"""Characters of a message that is read."""


class Agent:
    """The agent.

    Args:
        settings: which model, and how much of it.
        look: what can be asked.
        act: what can be proposed.
        history: what was said before.
        chosen: name of the model that may be used now, empty for none; that of the settings unless it is given.
    """

    def __init__(
        self, settings: Model, look: Look, act: Act, history: History, *, chosen: Callable[[], str] | None = None
    ) -> None:
        self._settings = settings
        self._chosen = chosen or (lambda: settings.name)
        self._look = look
        self._act = act
        self._history = history
        self._graphs: dict[str, Graph | None] = {}
        self._loading = asyncio.Lock()

    @property
    def prompt_digest(self) -> str:
        """Tells versions of the prompt apart; logged with every answer of a model."""
        return prompt(PROMPTS[self._settings.mode]).digest

    async def answer(self, message: Message, person: Person, *, progress: Callable[[str], None]) -> Answer:
        """Answer a message. There is always an answer with at least one result.

        Args:
            message: what was said.
            person: who said it; tools check their rights.
            progress: told the name of each tool when it starts.
        """
        alert = await self._look.alert(person, message.text)
        named = alert is not None and any(one.instance for one in alert.located)
        if not named and (finding := await self._look.pasted_log(person, message.text)):
            return Answer((finding,), (), (), "rules")
        question = await self._question(message, alert)
        turn = Turn.about(question, person, message.conversation, progress)
        return replace(await self.respond(turn, message.at), alert=alert)

    async def respond(self, turn: Turn, at: datetime) -> Answer:
        """Answer a question whose conversation is known already.

        Args:
            turn: what is asked, and by whom; afterwards it tells what was spent.
            at: when it was asked.
        """
        answer = await self._respond(turn, at)
        return replace(answer, tokens=turn.tokens)

    async def _respond(self, turn: Turn, at: datetime) -> Answer:
        rules, model = await self._load()
        question = turn.question
        if model is None or turn.person.role == "stranger" or await self._left_to_rules(question):
            return await self._by_rules(rules, turn)
        text, stopped = await self._by_model(model, turn, at.astimezone(self._look.fleet.zone))
        note = f"agent.{stopped}" if stopped else ""
        if turn.proposed or (turn.results and stopped in {"", "repeated"}):
            return _from_model(turn, text, note)
        ruled = await self._by_rules(rules, replace(turn, uses=[]))
        if turn.results and all(call.name == "help" for call in ruled.calls):  # the model understood, the rules did not
            return _from_model(turn, "", note)
        chose_none = self._settings.mode == "router" and not turn.uses
        return replace(ruled, note=note or ("" if chose_none else "agent.no_tool"))

    async def probe(self) -> None:
        """Ask the configured model for one word, to see that it can be reached with these settings.

        Raises:
            ConfigurationError: its provider is not known or not installed.
            RemoteError: it cannot be reached, or said no. Nothing secret is in the error.
        """
        from core.agent import graph as graphs

        await graphs.probe(self._settings)

    async def warm(self) -> None:
        """Load what the first question needs, and have the configured model read its prompt; nothing without a model.

        Nothing depends on it: whoever asks meanwhile waits for the rest of the loading, as without it.
        """
        if not self._chosen():
            return
        await self._load()
        from core.agent import graph as graphs
        from core.agent.toolkit import Toolkit

        began = time.perf_counter()
        try:
            await graphs.warm(self._named(self._chosen()), Toolkit(self._look, self._act))
        except XOpsError as error:
            log.warning("model not warmed up", error=str(error))
        else:
            log.info("model warmed up", seconds=round(time.perf_counter() - began, 1))

    async def _question(self, message: Message, alert: AlertReport | None) -> Question:
        past = await self._history.recall(message.conversation)
        located = {one.asked: one.target for one in alert.located if one.instance} if alert else {}
        return Question(message.text[:LONGEST], self._look.find.day(""), past, message.quoted[:LONGEST], located)

    async def _left_to_rules(self, question: Question) -> bool:
        return self._settings.mode == "router" and await asyncio.to_thread(left_to_rules, question)

    async def _by_rules(self, graph: "Graph", turn: Turn) -> Answer:
        from core.agent import graph as graphs

        await graphs.run(graph, turn, "")
        results = turn.results or (Notice("not_understood"),)  # a tool can refuse what was written, e.g. as too long
        return Answer(results, (), tuple(use.call for use in turn.found), "rules")

    async def _by_model(self, graph: "Graph", turn: Turn, now: datetime) -> tuple[str, Reason | Literal[""]]:
        """The model's closing words, and why it was stopped, if it was; what it found is in the turn."""
        from core.agent import graph as graphs

        try:
            async with asyncio.timeout(self._settings.turn_seconds):
                text, stopped = await graphs.run(graph, turn, now.strftime("%Y-%m-%d %H:%M %A")), ""
        except TimeoutError:
            text, stopped = "", "slow"
        except Stopped as stop:
            text, stopped = "", stop.reason
        log.info("model", prompt=self.prompt_digest, steps=turn.steps, tokens=turn.tokens, stopped=stopped)
        return text, stopped

    async def _load(self) -> tuple["Graph", "Graph | None"]:
        """The agent of the rules, and that of the model that may be used now, if any; each is built once."""
        name = self._chosen()
        async with self._loading:
            for missing in {"", name} - set(self._graphs):
                self._graphs[missing] = await asyncio.to_thread(self._build, missing)
                gc.freeze()  # LangChain lives for ever: looking through it again and again costs pauses under load
        rules = self._graphs[""]
        assert rules is not None  # noqa: S101  # `_build` gives None for a model only
        return rules, self._graphs[name] if name else None

    def _build(self, name: str) -> "Graph | None":
        """The agent of a model; that of the rules for no name; None when the model cannot be used."""
        from core.agent import graph as graphs
        from core.agent.toolkit import Toolkit

        toolkit = Toolkit(self._look, self._act)
        if not name:
            return graphs.build_agent(graphs.rules(), toolkit, Model())
        try:
            model = graphs.configured(self._named(name))
        except (
            ConfigurationError
        ) as error:  # `xops doctor` tells the operator; whoever asks gets an answer all the same
            log.error("model cannot be used", error=str(error))
            return None
        return graphs.build_agent(model, toolkit, self._settings)

    def _named(self, name: str) -> Model:
        return self._settings.model_copy(update={"name": name})


def _from_model(turn: Turn, text: str, note: str) -> Answer:
    """What a model found, with those of its words that hold. About two diagnoses at once it would not be clear what holds."""
    diagnoses = [result.diagnosis for result in turn.results if isinstance(result, Diagnosed)]
    held = claims(text, diagnoses[0], turn.knows, turn.stand_ins.restore) if len(diagnoses) == 1 else ()
    return Answer(turn.results, held, tuple(use.call for use in turn.found), "model", note)
