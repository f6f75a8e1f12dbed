"""The ways in: a token, or, inside a messenger's web view, whoever the messenger says it is.

Inside the web view the messenger's own script gives our page a code; our server asks the messenger whose it is. The answer
is an id, and only `people[].identities` makes a person of it: never a name, never an e-mail address.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import quote

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bots.messenger import PAGE, WebView
from bots.web.gate import Gate, policy_inside
from bots.web.render import Renderer
from bots.web.session import Session, Sessions
from core.access import Access
from core.errors import Busy, RemoteError
from core.i18n import closest, words
from core.messages import Actor

_REFERENCE = re.compile(r"[\w:.+/#=@-]{1,200}")

_log = structlog.get_logger(__name__)


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=2000)


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

    async def by_form(self, request: web.Request) -> web.Response:
        """Take the form's token."""
        self._gate.need_own_origin(request)
        token = (await request.post()).get("token", "")
        return self.by_token(request, token if isinstance(token, str) else "")

    def by_token(self, request: web.Request, token: str) -> web.Response:
        """A session for whoever has the token, and back to an address without it."""
        try:
            session = self._sessions.sign_on(token, request.remote or "", language=_language(request))
        except Busy:
            return self.form(request, HTTPStatus.TOO_MANY_REQUESTS, "web.error.too_many_attempts")
        if session is None:
            return self.form(request, HTTPStatus.UNAUTHORIZED, "web.error.wrong_token")
        return self.to_page(session, request)

    async def by_messenger(self, request: web.Request) -> web.Response:
        """Take a code from a messenger's script."""
        self._gate.need_own_origin(request)
        view = self._views.get(request.match_info["messenger"])
        if view is None:
            self._gate.refuse(request, HTTPStatus.NOT_FOUND, "web.error.malformed")
        try:
            code = _Given.model_validate_json(await request.read()).code
            self._sessions.check_attempts(request.remote or "")
            identity = await view.identify(code)
        except ValidationError:
            self._gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.malformed")
        except Busy:
            self._gate.refuse(request, HTTPStatus.TOO_MANY_REQUESTS, "web.error.too_many_attempts")
        except RemoteError as error:
            self._refuse_unknown(request, view, error)
        return self._welcome(request, Actor(view.messenger, identity))

    def form(self, request: web.Request, status: HTTPStatus = HTTPStatus.OK, problem: str = "") -> web.Response:
        """The form that asks for the token; inside a messenger, with the script that asks the messenger first."""
        agent = request.headers.get("User-Agent", "").lower()
        view = next((view for view in self._views.values() if view.agent in agent), None)
        html = self._renderer.sign_on(
            words(self._gate.language(request, None)), problem=problem, view=view, place=place(request)
        )
        response = web.Response(text=html, status=status, content_type="text/html")
        if view is not None:
            response.headers["Content-Security-Policy"] = policy_inside(view)
        return response

    def to_page(self, session: Session, request: web.Request) -> web.Response:
        """On to the page, with the session, to where the person wanted to be."""
        target = place(request)
        location = f"{PAGE}?at={quote(target, safe='')}" if target else PAGE
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location})
        self._gate.admit(response, session)
        return response

    def _welcome(self, request: web.Request, actor: Actor) -> web.Response:
        subject = self._access.identity(self._access.person(actor), "web")
        if not subject:
            self._gate.refuse(request, HTTPStatus.FORBIDDEN, "web.error.not_listed")
        response = web.json_response({})
        self._gate.admit(response, self._sessions.begin(subject, _language(request)))
        return response

    def _refuse_unknown(self, request: web.Request, view: WebView, error: RemoteError) -> NoReturn:
        if not error.retryable:
            self._sessions.remember_failure(request.remote or "")
        _log.warning("sign_on_refused", messenger=view.messenger, reason=str(error), code=error.code)
        self._gate.refuse(request, HTTPStatus.UNAUTHORIZED, "web.error.not_recognised")


def place(request: web.Request) -> str:
    """The instance a deep link leads to, `?at=scheduler:id`; empty when there is none, or it is no reference."""
    asked = request.query.get("at", "")
    return asked if _REFERENCE.fullmatch(asked) else ""


def _language(request: web.Request) -> str:
    chosen = request.query.get("lang", "")
    return closest(chosen) if chosen else ""
