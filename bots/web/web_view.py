"""What the page needs to know of a messenger inside which it is opened."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from yarl import URL

from bots.web.gate import POLICY


@dataclass(frozen=True, slots=True)
class WebView:
    """A messenger whose people sign on without a token.

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

    @property
    def policy(self) -> str:
        """The page's policy, with this one host more."""
        return POLICY.replace("script-src 'self'", f"script-src 'self' {URL(self.sdk).origin()}")
