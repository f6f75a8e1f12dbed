"""What the core may expect of every channel, as one suite any implementation can run.

A new channel adds a subject: how to open it on loopback, where to send, and how to see what a person sees.
"""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from core.channel import Channel
from core.messages import Actor, Conversation, Event
from tests.contracts.wire import Json


class ChannelSubject(ABC):
    """One channel under test, as an async context manager.

    Attributes:
        channel: what is tested.
        here: a conversation it can send to.
        unknown: a well-formed reference it never gave out.
        someone: a person it knows by name; `stranger` is an id it does not know.
        heard: what the person's messages and presses became, in order.
        wire: what passed between us and the platform, both ways, without what is about credentials.
    """

    channel: Channel
    here: Conversation
    unknown: str
    someone: Actor
    stranger: str

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.wire: list[Json] = []

    async def hear(self, event: Event) -> bool:
        """Takes what arrives, as `core.inbox.Inbox.accept` does."""
        self.heard.append(event)
        return True

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    async def shown(self) -> list[str]:
        """The text of each card that a person in `here` sees now, oldest first."""

    @abstractmethod
    async def labels(self) -> list[str]:
        """What the person can press on the newest card."""

    @abstractmethod
    async def say(self, text: str) -> None:
        """The person in `here` writes to us, by the platform's own way."""

    @abstractmethod
    async def press(self, label: str) -> None:
        """The person presses the first button of the newest card that says this."""

    async def drawn(self) -> list[Json]:
        """What was shown just now, where showing is no call that passes over a wire."""
        return []
