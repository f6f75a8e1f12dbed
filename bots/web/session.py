"""Who is signed on, without a table of sessions: a cookie that only we can write.

The key is made of a secret that all replicas share across restarts (`core.web_cards`) and the configured sign-on token:
a restart signs nobody out, a changed token signs everybody out. Each sign-on makes a new session whatever cookie came
with it, so a planted cookie is worth nothing.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import Busy
from core.settings import Settings

ATTEMPTS = 5
"""Wrong tokens from one address within `WINDOW`; then it has to wait, right or wrong."""
WINDOW = timedelta(minutes=1)
ADDRESSES = 4096
"""Addresses remembered for that; the one longest unseen is forgotten first."""


ATTEMPT_LIFETIME = timedelta(minutes=5)
"""How long a messenger's own page may take to come back; its codes live no longer."""


class Sealed(BaseModel):
    """What a cookie of ours says.

    Attributes:
        expires: seconds since 1970.
        language: chosen on the page; empty when the browser's preference counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    expires: float
    language: str = ""


class Session(Sealed):
    """Somebody is signed on.

    Attributes:
        id: random, new at each sign-on.
        subject: the person's id on this channel (`people[].identities.web`).
    """

    id: str
    subject: str


class Attempt(Sealed):
    """Somebody was sent to a messenger's own page to be named there, and will come back.

    Attributes:
        messenger: whose page.
        state: random; comes back in the address, and proves there that it is this browser that was sent.
        place: the instance to show afterwards.
    """

    messenger: str
    state: str
    place: str


_Sealed = TypeVar("_Sealed", bound=Sealed)


class Sessions:
    """Makes and reads sessions.

    Args:
        settings: the sign-on token, whom it stands for, how long a session lasts.
        secret: shared by all replicas.
        clock: the present, with zone.
    """

    def __init__(self, settings: Settings, secret: bytes, *, clock: Callable[[], datetime]) -> None:
        configured = settings.web.sign_on_token.get_secret_value()
        self.sign_on_token = configured or secrets.token_urlsafe(24)
        """What signs a person on; made up for this process when none is configured."""
        self.lifetime = timedelta(hours=settings.web.session_hours)
        self._subject = _subject(settings)
        self._key = hmac.digest(secret, configured.encode(), sha256)
        self._clock = clock
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()

    def sign_on(self, token: str, address: str, *, language: str = "") -> Session | None:
        """A new session if the token is right.

        Args:
            token: what the person gave.
            address: where from, for the limit on attempts.
            language: chosen on the page, if any.

        Raises:
            Busy: wrong too often lately from this address, so it has to wait.
        """
        self.check_attempts(address)
        if not hmac.compare_digest(token.encode(errors="surrogatepass"), self.sign_on_token.encode()):
            self.remember_failure(address)
            return None
        return self.begin(self._subject, language)

    def begin(self, subject: str, language: str) -> Session:
        """A new session of someone who has proved who they are."""
        expires = (self._clock() + self.lifetime).timestamp()
        return Session(id=secrets.token_urlsafe(18), subject=subject, expires=expires, language=language)

    def attempt(self, messenger: str, place: str, language: str) -> Attempt:
        """A new attempt to be named by a messenger; WeCom takes a state of letters and digits only."""
        expires = (self._clock() + ATTEMPT_LIFETIME).timestamp()
        state = secrets.token_hex(16)
        return Attempt(messenger=messenger, state=state, place=place, language=language, expires=expires)

    def check_attempts(self, address: str) -> None:
        """Raises `Busy` when there were too many failures from this address lately."""
        if len(self._recent_failures(address)) >= ATTEMPTS:
            raise Busy(f"{address} failed to sign on {ATTEMPTS} times")

    def remember_failure(self, address: str) -> None:
        """Count one against the address."""
        self._failures[address] = [*self._recent_failures(address), self._clock()]
        self._failures.move_to_end(address)
        if len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)

    def seal(self, content: Sealed) -> str:
        """A session, or an attempt, as a cookie's value."""
        body = urlsafe_b64encode(content.model_dump_json().encode())
        return f"{body.decode()}.{self._sign(_purpose(type(content)), body)}"

    def open(self, cookie: str) -> Session | None:
        """The session in a cookie's value, unless it is forged, damaged or over."""
        return self._open(Session, cookie)

    def open_attempt(self, cookie: str) -> Attempt | None:
        """The attempt in a cookie's value, as strictly."""
        return self._open(Attempt, cookie)

    def valid(self, content: Sealed) -> bool:
        """Whether it has not run out."""
        return self._clock().timestamp() < content.expires

    def token(self, session: Session) -> str:
        """What the page's own script sends beside the cookie, and a foreign page cannot know."""
        return self._sign("token", session.id.encode())

    def holds(self, session: Session, token: str) -> bool:
        """Whether this is the session's token."""
        return hmac.compare_digest(token.encode(errors="surrogatepass"), self.token(session).encode())

    def _open(self, kind: type[_Sealed], cookie: str) -> _Sealed | None:
        body, _, signature = cookie.partition(".")
        raw = body.encode(errors="surrogatepass")
        if not hmac.compare_digest(signature.encode(errors="surrogatepass"), self._sign(_purpose(kind), raw).encode()):
            return None
        try:
            content = kind.model_validate_json(urlsafe_b64decode(raw))
        except ValidationError:  # signed by an older release of ours
            return None
        return content if self.valid(content) else None

    def _sign(self, purpose: str, body: bytes) -> str:
        return hmac.new(self._key, purpose.encode() + b":" + body, sha256).hexdigest()

    def _recent_failures(self, address: str) -> list[datetime]:
        since = self._clock() - WINDOW
        return [moment for moment in self._failures.get(address, ()) if moment > since]


def _purpose(kind: type[Sealed]) -> str:
    """Keeps one kind of cookie from being taken for another."""
    return kind.__name__.lower()


def _subject(settings: Settings) -> str:
    """The web identity of the person the token stands for. Someone without one signs on as a stranger, without rights."""
    name = settings.web.person
    return next((person.identities.get("web", name) for person in settings.people if person.name == name), name)
