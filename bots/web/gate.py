"""What a request must prove, and what every answer carries so that a browser enforces our side of it.

A change needs three things a foreign page cannot produce together: the session's cookie (SameSite=Lax), an origin that is
ours (`Origin`, `Sec-Fetch-Site`; `Origin: null` is nobody's), and the session's token in a header.
"""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import NoReturn

import orjson
from aiohttp import web
from yarl import URL

from bots.messenger import PAGE, Script
from bots.web.session import ATTEMPT_LIFETIME, Attempt, Session, Sessions
from core.i18n import LANGUAGES, Words, closest, words
from core.messages import Actor, Conversation

COOKIE = "xops_session"
ATTEMPT_COOKIE = "xops_sign_on"
TOKEN_HEADER = "X-Session-Token"  # noqa: S105  # the name of a header

POLICY: str = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser lets the page do."""

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not `no-referrer`: browsers then send `Origin: null` with our own sign-on form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def policy_with(script: Script) -> str:
    """The page's policy inside a messenger, with the one host more that its script comes from."""
    return POLICY.replace("script-src 'self'", f"script-src 'self' {URL(script.address).origin()}")


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-on person asking for something."""

    session: Session
    words: Words

    @property
    def actor(self) -> Actor:
        """The person as this channel knows them, in the page's language."""
        return Actor("web", self.session.subject, locale=self.words.language)

    @property
    def conversation(self) -> Conversation:
        """Their dialogue: one, whatever device they use."""
        return Conversation("web", self.session.subject)


class Gate:
    """Admits requests.

    Args:
        sessions: opens cookies.
        public_url: where people reach the page; decides whether cookies travel over HTTPS only.
        language: spoken to those who state no preference.
    """

    def __init__(self, sessions: Sessions, *, public_url: str, language: str) -> None:
        self.sessions = sessions
        self._secure = public_url.startswith("https://")
        self._origin = str(URL(public_url).origin()) if public_url else ""
        self._language = language

    def visit(self, request: web.Request) -> Visit | None:
        """Who asks, if they are signed on."""
        session = self.sessions.open(request.cookies.get(COOKIE, ""))
        return session and Visit(session, words(self.language(request, session)))

    def need_visit(self, request: web.Request) -> Visit:
        """Who asks; 401 unless they are signed on."""
        return self.visit(request) or self.refuse(request, HTTPStatus.UNAUTHORIZED, "web.error.signed_out")

    def need_own_script(self, request: web.Request) -> Visit:
        """Who asks for a change; 401 unless signed on, 403 unless it is our own page that asks."""
        visit = self.need_visit(request)
        self.need_own_origin(request)
        if not self.sessions.holds(visit.session, request.headers.get(TOKEN_HEADER, "")):
            self.refuse(request, HTTPStatus.FORBIDDEN, "web.error.foreign")
        return visit

    def need_own_origin(self, request: web.Request) -> None:
        """403 unless the browser says that one of our pages sent this. A browser that says nothing is refused too."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        ours = {self._origin, f"http://{request.host}", f"https://{request.host}"} - {""}
        if (site, origin) == (None, None) or site not in {None, "same-origin"} or origin not in {None, *ours}:
            self.refuse(request, HTTPStatus.FORBIDDEN, "web.error.foreign")

    def language(self, request: web.Request, session: Session | None) -> str:
        """Asked for in the address, chosen before, or preferred by the browser, in this order."""
        chosen = request.query.get("lang") or (session.language if session else "")
        return closest(chosen) if chosen else preferred(request.headers.get("Accept-Language", ""), self._language)

    def admit(self, response: web.StreamResponse, session: Session) -> None:
        """Let the browser keep the session, which is also that of the administration."""
        self._keep(response, COOKIE, self.sessions.seal(session), self.sessions.lifetime, path="/")

    def forget(self, response: web.StreamResponse) -> None:
        """Take the session from the browser."""
        self._take(response, COOKIE, path="/")

    def send_away(self, response: web.StreamResponse, attempt: Attempt) -> None:
        """Let the browser keep who it is, while a messenger's own page names the person."""
        self._keep(response, ATTEMPT_COOKIE, self.sessions.seal(attempt), ATTEMPT_LIFETIME, path=PAGE)

    def came_back(self, request: web.Request) -> Attempt | None:
        """The attempt this browser was sent away with."""
        return self.sessions.open_attempt(request.cookies.get(ATTEMPT_COOKIE, ""))

    def end_attempt(self, response: web.StreamResponse) -> None:
        """Take the attempt from the browser: whatever came of it, there is one return for one departure."""
        self._take(response, ATTEMPT_COOKIE, path=PAGE)

    def _keep(self, response: web.StreamResponse, name: str, value: str, lifetime: timedelta, *, path: str) -> None:
        """Set a cookie that is out of reach of scripts and of other sites' requests."""
        age = round(lifetime.total_seconds())
        response.set_cookie(name, value, max_age=age, path=path, httponly=True, secure=self._secure, samesite="Lax")

    def _take(self, response: web.StreamResponse, name: str, *, path: str) -> None:
        response.del_cookie(name, path=path, httponly=True, secure=self._secure, samesite="Lax")

    def refuse(self, request: web.Request, status: HTTPStatus, key: str) -> NoReturn:
        """Say no as JSON, in the person's language; `key` is a sentence of the catalogues."""
        session = self.sessions.open(request.cookies.get(COOKIE, ""))
        error = words(self.language(request, session))(key)
        refusal = web.HTTPBadRequest(text=orjson.dumps({"error": error}).decode(), content_type="application/json")
        refusal.set_status(status)
        raise refusal


def preferred(header: str, default: str) -> str:
    """The first language of an `Accept-Language` header that is one of ours; browsers list them best first."""
    for part in header.split(","):
        tag = part.partition(";")[0].strip()
        if tag[:2].lower() in {language[:2] for language in LANGUAGES}:
            return closest(tag)
    return default


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer; an `on_response_prepare` signal, so errors carry them too."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Content-Security-Policy", POLICY)  # inside a messenger, its script's host is added
    response.headers.setdefault("Cache-Control", "no-store")
