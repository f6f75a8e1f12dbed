"""What the core may expect of every channel, as one suite any implementation can run.

A new channel adds a subject: how to open it on loopback, where to send, and how to see what a person sees.
"""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from core.channel import Channel
from core.messages import Actor, Conversation


class ChannelSubject(ABC):
    """One channel under test, as an async context manager.

    Attributes:
        channel: what is tested.
        here: a conversation it can send to.
        unknown: a well-formed reference it never gave out.
        someone: a person it knows by name; `stranger` is an id it does not know.
    """

    channel: Channel
    here: Conversation
    unknown: str
    someone: Actor
    stranger: str

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
