"""The ways in: a token, or, inside a messenger's web view, whoever the messenger says it is.

There a browser gets a code: from the messenger's own script on our page, or from the messenger's own page, which sends the
browser back. Our server asks the messenger whose it is. The answer is an id, and only `people[].identities` makes a person
of it: never a name, never an e-mail address.

A browser that is sent away takes a sealed cookie along (`Attempt`); without it, or with another state than its, a code that
comes back is not even looked at. So nobody is signed on as someone else by a link they happen to follow.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bots.messenger import ADMIN, PAGE, Script, WebView
from bots.web.gate import Gate, policy_with
from bots.web.render import Renderer
from bots.web.session import Attempt, Session, Sessions
from core.access import Access
from core.errors import Busy, RemoteError
from core.i18n import closest, words
from core.messages import Actor

_REFERENCE = re.compile(r"[\w:.+/#=@-]{1,200}")

_log = structlog.get_logger(__name__)


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=2000)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why somebody is not signed on; `key` is a sentence of the catalogues."""

    status: HTTPStatus
    key: str


class SignOn:
    """Makes sessions.

    Args:
        gate: puts them into cookies.
        sessions: makes and counts them.
        renderer: draws the form.
        access: who people are.
        views: messengers that may name a person.
    """

    def __init__(
        self, gate: Gate, sessions: Sessions, renderer: Renderer, access: Access, views: Sequence[WebView]
    ) -> None:
        self._gate = gate
        self._sessions = sessions
        self._renderer = renderer
        self._access = access
        self._views = {view.messenger: view for view in views}

    def ask(self, request: web.Request) -> web.Response:
        """What somebody without a session gets: the form, or the way to the messenger's own page that names them."""
        view = self._inside(request)
        if view is None or isinstance(view.way, Script):
            return self._form(request, HTTPStatus.OK, at=place(request))
        attempt = self._sessions.attempt(view.messenger, place(request), _language(request))
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": view.way(attempt.state)})
        self._gate.send_away(response, attempt)
        return response

    async def by_form(self, request: web.Request) -> web.Response:
        """Take the form's token."""
        self._gate.need_own_origin(request)
        token = (await request.post()).get("token", "")
        return self.by_token(request, token if isinstance(token, str) else "")

    def by_token(self, request: web.Request, token: str) -> web.Response:
        """A session for whoever has the token, and back to an address without it."""
        at = place(request)
        try:
            session = self._sessions.sign_on(token, request.remote or "", language=_language(request))
        except Busy:
            return self._form(request, HTTPStatus.TOO_MANY_REQUESTS, "web.error.too_many_attempts", at=at)
        if session is None:
            return self._form(request, HTTPStatus.UNAUTHORIZED, "web.error.wrong_token", at=at)
        return self.to_page(session, at)

    async def by_script(self, request: web.Request) -> web.Response:
        """Take a code from a messenger's script."""
        self._gate.need_own_origin(request)
        view = self._views.get(request.match_info["messenger"])
        if view is None or not isinstance(view.way, Script):
            self._gate.refuse(request, HTTPStatus.NOT_FOUND, "web.error.malformed")
        try:
            code = _Given.model_validate_json(await request.read()).code
        except ValidationError:
            self._gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.malformed")
        found = await self._recognise(request, view, code, _language(request))
        if isinstance(found, _Refusal):
            self._gate.refuse(request, found.status, found.key)
        response = web.json_response({})
        self._gate.admit(response, found)
        return response

    async def by_redirect(self, request: web.Request) -> web.Response:
        """Take a code that a browser brings back from a messenger's own page."""
        attempt = self._gate.came_back(request)
        response = await self._returned(request, attempt) if attempt else self._unexpected(request)
        self._gate.end_attempt(response)
        return response

    def to_page(self, session: Session, at: str) -> web.Response:
        """On to the page, with the session, to where the person wanted to be."""
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": _address(at)})
        self._gate.admit(response, session)
        return response

    async def _returned(self, request: web.Request, attempt: Attempt) -> web.Response:
        view = self._views.get(request.match_info["messenger"])
        code, state = request.query.get("code", ""), request.query.get("state", "")
        same = hmac.compare_digest(state.encode(errors="surrogatepass"), attempt.state.encode())
        if view is None or view.messenger != attempt.messenger or not same or not 0 < len(code) <= 2000:
            return self._unexpected(request)
        found = await self._recognise(request, view, code, attempt.language)
        if isinstance(found, _Refusal):
            return self._form(request, found.status, found.key, at=attempt.place, again=True)
        return self.to_page(found, attempt.place)

    def _unexpected(self, request: web.Request) -> web.Response:
        return self._form(request, HTTPStatus.BAD_REQUEST, "web.error.sign_on_over", again=True)

    async def _recognise(self, request: web.Request, view: WebView, code: str, language: str) -> Session | _Refusal:
        """A session for the person whose code it is."""
        address = request.remote or ""
        try:
            self._sessions.check_attempts(address)
            identity = await view.identify(code)
        except Busy:
            return _Refusal(HTTPStatus.TOO_MANY_REQUESTS, "web.error.too_many_attempts")
        except RemoteError as error:
            if not error.retryable:
                self._sessions.remember_failure(address)
            _log.warning("sign_on_refused", messenger=view.messenger, reason=str(error), code=error.code)
            return _Refusal(HTTPStatus.UNAUTHORIZED, "web.error.not_recognised")
        if not identity:
            return _Refusal(HTTPStatus.FORBIDDEN, "web.error.outsider")
        subject = self._access.identity(self._access.person(Actor(view.messenger, identity)), "web")
        if not subject:
            return _Refusal(HTTPStatus.FORBIDDEN, "web.error.not_listed")
        return self._sessions.begin(subject, language)

    def _form(
        self, request: web.Request, status: HTTPStatus, problem: str = "", *, at: str = "", again: bool = False
    ) -> web.Response:
        """The form that asks for the token; inside a messenger with a script, with that, which asks the messenger first."""
        view = self._inside(request)
        script = view.way if view is not None and isinstance(view.way, Script) else None
        html = self._renderer.sign_on(
            words(self._gate.language(request, None)),
            problem=problem,
            messenger=view.messenger if view else "",
            script=script,
            place=at,
            again=_address(at) if again else "",
        )
        response = web.Response(text=html, status=status, content_type="text/html")
        if script is not None:
            response.headers["Content-Security-Policy"] = policy_with(script)
        return response

    def _inside(self, request: web.Request) -> WebView | None:
        agent = request.headers.get("User-Agent", "").lower()
        return next((view for view in self._views.values() if view.agent in agent), None)


def place(request: web.Request) -> str:
    """Where a deep link leads: an instance, `?at=scheduler:id`, or a page of the administration; empty for nowhere."""
    asked = request.query.get("at", "")
    return asked if _REFERENCE.fullmatch(asked) else ""


def _address(at: str) -> str:
    if at.startswith(f"{ADMIN}/"):
        return at
    return f"{PAGE}?at={quote(at, safe='')}" if at else PAGE


def _language(request: web.Request) -> str:
    chosen = request.query.get("lang", "")
    return closest(chosen) if chosen else ""
