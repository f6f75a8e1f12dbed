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
ADMIN = "/admin"
"""Where the administration is."""

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

    def back(self, messenger: str) -> str:
        """Where a messenger's own page sends the browser after `Redirect`; empty like `page`."""
        return self.page and f"{self.page}/sign-on/{messenger}"

    @property
    def say(self) -> Words:
        """Our own words, in the language of the installation."""
        return words(self.settings.language)


@dataclass(frozen=True, slots=True)
class Script:
    """A messenger's own script, which gives our page a code; `static/sign_on.js` has a function of the messenger's name.

    Attributes:
        address: where it is: the only script of a foreign host that the page loads, and only inside that messenger.
        app: id of our app, for the script.
    """

    address: str
    app: str


Redirect = Callable[[str], str]
"""Address of a messenger's own page, made for a state; it sends the browser back to `Surroundings.back` with a code."""


@dataclass(frozen=True, slots=True)
class WebView:
    """A messenger whose people sign on to the page without a token.

    Attributes:
        messenger: name of its channel.
        agent: a word in its browser's `User-Agent`, in lower case.
        way: how a browser gets a code.
        identify: whose code this is, as an id of the channel; empty for someone of no id there, who is not of the
            company. Raises `RemoteError`.
    """

    messenger: str
    agent: str
    way: Script | Redirect
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
