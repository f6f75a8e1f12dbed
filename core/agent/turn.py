"""One turn of the agent: who asks, what may be spent, what was found. No LangChain here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from core.access import Person
from core.agent.answer import Call
from core.agent.rules.understand import Question
from core.messages import Conversation
from core.redact import StandIns
from core.results import Proposal, Result

Reason = Literal["failed", "slow", "budget", "repeated", "no_tool"]
"""Why a turn was stopped, or its outcome not used; `agent.<reason>` in the catalogues."""


class Stopped(Exception):  # not an error: the turn ends here
    """The model is not to be asked again in this turn."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(slots=True)
class Use:
    """One use of a tool, with its result once it is there; none ever comes when it was refused."""

    call: Call
    result: Result | None = None
    refused: bool = False


@dataclass(slots=True)
class Turn:
    """Handed to tools and middleware as LangGraph's runtime context; lives for one message.

    Attributes:
        question: what is asked, and the conversation before it.
        known: all text that names and ids may be copied from: the message, the conversation, and results so far.
        tokens: spent so far.
        steps: calls of the model so far.
        stand_ins: what hides names from the model that look like secrets, and brings them back.
    """

    person: Person
    conversation: Conversation
    question: Question
    progress: Callable[[str], None]
    known: str
    uses: list[Use] = field(default_factory=list[Use])
    tokens: int = 0
    steps: int = 0
    stand_ins: StandIns = field(default_factory=StandIns)

    @classmethod
    def about(
        cls,
        question: Question,
        person: Person,
        conversation: Conversation,
        progress: Callable[[str], None] = lambda _: None,
    ) -> "Turn":
        """A turn that begins: names may be copied from the question and from all that was said and shown before."""
        past = question.past
        shown = (f"{item.ref} {item.label}" for turn in past.turns for item in (*turn.focus, *turn.items))
        said = (part for turn in past.turns for part in (turn.said, turn.answered))
        known = "\n".join((question.text, question.quoted, past.summary, *said, *shown, *question.located.values()))
        return cls(person, conversation, question, progress, known.casefold())

    @property
    def found(self) -> tuple[Use, ...]:
        """The uses that have a result, in the order in which they were asked for."""
        return tuple(use for use in self.uses if use.result is not None)

    @property
    def results(self) -> tuple[Result, ...]:
        """What was found."""
        return tuple(use.result for use in self.uses if use.result is not None)

    @property
    def proposed(self) -> bool:
        """Whether a change waits for the person, so that the turn is over."""
        return any(isinstance(use.result, Proposal) for use in self.uses)

    def knows(self, name: str) -> bool:
        """Whether a name was written somewhere before, and so is not made up."""
        return name.casefold() in self.known
