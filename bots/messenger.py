"""A messenger as the application runs it: a channel to speak through, an ear, addresses, and what doctor asks of it.

A new messenger is a folder with one of these, and a line in `bots/messengers.py`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bots.findings import Finding
from core.channel import Channel
from core.http import Http
from core.i18n import Words, words
from core.messages import Event
from core.settings import Settings
from core.store import Store

PAGE = "/mobile/ops/chat"
"""Where the web page is."""

Accept = Callable[[Event], Awaitable[bool]]
"""Journals an event: `core.inbox.Inbox.accept`."""

Standing = Callable[[str], Awaitable[str]]
"""What the X-Ops that runs here says of a channel's long connection, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a messenger is built from.

    Attributes:
        settings: all settings; a messenger reads its own section, and what is common.
        http: the one outbound session.
        store: where it remembers what it sent.
        owner: a name no other process on this database has.
    """

    settings: Settings
    http: Http
    store: Store
    owner: str

    @property
    def page(self) -> str:
        """Address of the web page, where cards lead people to; empty when phones cannot reach this server."""
        public = self.settings.server.public_url.rstrip("/")
        return f"{public}{PAGE}" if public else ""

    @property
    def say(self) -> Words:
        """Our own words, in the language of the installation."""
        return words(self.settings.language)


@dataclass(frozen=True, slots=True)
class WebView:
    """A messenger whose people sign on to the page without a token.

    Attributes:
        messenger: name of its channel, and of its function in `static/sign_on.js`.
        agent: a word in its browser's `User-Agent`, in lower case.
        sdk: address of its script, the only one of a foreign host that the page loads, and only there.
        app: id of our app, for the script.
        identify: whose code this is, as an id of the channel. Raises `RemoteError`.
    """

    messenger: str
    agent: str
    sdk: str
    app: str
    identify: Callable[[str], Awaitable[str]]


class Messenger(Protocol):
    """One configured messenger."""

    @property
    def channel(self) -> Channel:
        """What answers go through."""
        ...

    @property
    def view(self) -> WebView | None:
        """How its people sign on to the page; None when they cannot."""
        ...

    def routes(self, accept: Accept, *, body_limit: int) -> Sequence[web.RouteDef]:
        """The addresses it calls; none with a long connection."""
        ...

    async def start(self, accept: Accept) -> None:
        """Begin to listen; being ready does not wait for a connection."""
        ...

    async def stop_listening(self) -> None:
        """Take no more events; answers still go out."""
        ...

    async def stop(self) -> None:
        """Let go of everything, after the last answer."""
        ...

    async def examine(self, standing: Standing) -> Finding:
        """Prove that it works, by harmless calls: for `xops doctor`."""
        ...
