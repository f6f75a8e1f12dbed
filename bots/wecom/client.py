"""The app's side of `core.channel.Channel`: private messages, edited in place where WeCom allows it, sent anew where not.

WeCom has no idempotency key, so what was sent is written down first (`core.sent_cards`); only an attempt after a broken
one asks WeCom to drop it should the first have got through. A card is edited with a code that works once: there is one
with the card and one with every click. Without a code the card is sent anew and the old one is recalled.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast
from weakref import WeakValueDictionary

import structlog

from bots.wecom.cards import APP_LIMITS, Rendered, Surface, app_surface, render
from bots.wecom.elements import Json
from bots.wecom.inbound import APP
from bots.wecom.pace import Pace
from core.background import Background
from core.cards import Button, Card
from core.channel import Limits
from core.errors import NotFound, Refused, Throttled, Unauthorized, Unreachable
from core.http import Http, Response, Token
from core.i18n import Words
from core.messages import Actor, Conversation
from core.redact import clean
from core.sent_cards import SentCard, SentCards
from core.settings import WeCom

STALE_TOKEN = {40014, 41001, 42001}
"""Invalid, missing or expired: a new token may help, once."""

WRONG_SECRET = {40001, 40013}
SLOW_DOWN = {45009, 45033}
"""Too often in a minute, too many at once."""

SYSTEM_BUSY = -1
PATIENCE = 60.0
"""Seconds one call waits in all because WeCom is busy or asked it to slow down; its blocks last a minute."""

REPEAT_SECONDS = 600
"""How long WeCom looks back for a message sent before, when asked to."""

EDITIONS = 5
"""Old buttons that still work: those of the last so many editions of a card."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """What the console says of the app.

    Attributes:
        domain: its trusted domain, for pages that want to know who opens them; may be empty.
        disabled: nobody sees it.
    """

    name: str
    domain: str
    disabled: bool


class WeComChannel:
    """The app in its private chats.

    Args:
        settings: the app's credentials and address.
        http: the one session; the channel opens no other.
        sent: what was sent.
        say: our own words, in the language of the installation.
        page: address that notices open; may be empty.
        pace: see `Pace`.
        sleep: waits; tests pass a clock of their own.
    """

    name = APP
    limits: Limits = APP_LIMITS

    def __init__(
        self,
        settings: WeCom,
        http: Http,
        sent: SentCards,
        say: Words,
        *,
        page: str = "",
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.sent = sent
        self._settings = settings
        self._http = http
        self._say = say
        self._surface: Surface = app_surface(page)
        self._pace = pace
        self._sleep = sleep
        self._token = Token(self._fetch_token)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._background = Background()

    async def start(self) -> None:
        """Begin to forget old cards, once an hour."""
        self._background.repeat(self.sent.forget_old, 3600, "wecom-forget")

    async def stop(self) -> None:
        """Stop forgetting."""
        await self._background.stop()

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card; see `core.channel.Channel.send`."""
        reference = reference_of(key)
        async with self._lock(reference):
            known = await self.sent.get(reference)
            if known is None or known.waiting:
                begun = known or SentCard(reference, conversation.id, conversation.kind)
                await self._show(begun, card, key, again=known is not None)
        return reference

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card; see `core.channel.Channel.update`.

        Versions between the first and the last are not shown: each would use up the code, or disturb as a new message.
        """
        async with self._lock(reference):
            known = await self.sent.get(reference)
            if known is None:
                raise NotFound(f"no card {reference} was sent", kind="card", name=reference)
            if known.change == key or card.pending:
                return
            if not (known.alone and await self._replace(known, card, key)):
                await self._show(known, card, key)
                for message in known.sent:
                    with suppress(Refused):  # older than a day, so it stays
                        await self._call("POST", "message/recall", json={"msgid": message})

    async def lookup(self, actor_id: str) -> Actor:
        """Who this `userid` is; without a name when the app may not see the person."""
        try:
            answer = await self._call("GET", "user/get", params={"userid": actor_id})
        except Refused:
            return Actor(self.name, actor_id)
        return Actor(self.name, actor_id, name=clean(str(answer.get("name", ""))))

    async def identify(self, code: str) -> str:
        """The `userid`, as in messages, of whoever WeCom gave this code; empty for someone outside the company.

        Source: developer.work.weixin.qq.com, 获取访问用户身份. A code works once, within five minutes.

        Raises:
            RemoteError: WeCom does not know the code, or does not answer.
        """
        told = await self._call("GET", "auth/getuserinfo", params={"code": code})
        return str(told.get("userid", ""))

    async def app(self) -> App:
        """The app as the console has it: proves that the credentials work from this address.

        Raises:
            RemoteError: they do not; with code 60020 when the console does not list this address, which the text names.
        """
        answer = await self._call("GET", "agent/get", params={"agentid": str(self._settings.agent_id)})
        domain = str(answer.get("redirect_domain", ""))
        return App(str(answer.get("name", "")), domain, disabled=bool(answer.get("close")))

    async def _show(self, known: SentCard, card: Card, key: str, *, again: bool = False) -> None:
        """Send a card as new messages, together with others where too many were sent lately."""
        async with self._pace.turn(known.conversation, card) as due:
            edition = known.edition + 1
            task = f"{known.reference}-{edition}"
            made = render(due, self._surface, self._say, task=task, edition=edition) if due else Rendered(())
            next_one = next_edition(known, made, key)
            messages = tuple(_messages(made))
            self._pace.count(known.conversation, len(messages))
            await self.sent.put(replace(next_one, task=task, waiting=messages, sent=()))
            answers = [await self._post(known.conversation, message, again=again) for message in messages]
            ids = tuple(str(answer.get("msgid", "")) for answer in answers)
            code = str(answers[0].get("response_code", "")) if made.alone and answers else ""
            await self.sent.put(replace(next_one, task=task, sent=ids), code=code)

    async def _replace(self, known: SentCard, card: Card, key: str) -> bool:
        """Edit a card in place. Returns whether that was possible."""
        made = render(card, self._surface, self._say, task=known.task, edition=known.edition + 1)
        code = await self.sent.take_code(known.reference) if made.alone else ""
        if not code:
            return False
        await self.sent.put(
            replace(next_edition(known, made, key), change=known.change)
        )  # its buttons may be pressed at once
        body = {"userids": [known.conversation], "agentid": self._settings.agent_id, "response_code": code}
        try:
            await self._call("POST", "message/update_template_card", json={**body, "template_card": made.cards[0]})
        except Refused as error:
            _log.warning("wecom_card_not_edited", code=error.code)
            return False
        await self.sent.put(next_edition(known, made, key))
        return True

    async def _post(self, user: str, message: Json, *, again: bool) -> dict[str, Any]:
        try:
            return await self._post_once(user, message, again=again)
        except Unreachable:  # it may have arrived all the same
            return await self._post_once(user, message, again=True)

    async def _post_once(self, user: str, message: Json, *, again: bool) -> dict[str, Any]:
        check = {"enable_duplicate_check": 1, "duplicate_check_interval": REPEAT_SECONDS} if again else {}
        body = {"touser": user, "agentid": self._settings.agent_id, **message, **check}
        answer = await self._call("POST", "message/send", json=body)
        for problem in ("invaliduser", "unlicenseduser"):  # said with errcode 0
            if answer.get(problem):
                raise Refused(f"wecom did not deliver: {problem}", system=self.name, code=problem)
        return answer

    async def _call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: object | None = None
    ) -> dict[str, Any]:
        """One call of the API, tried again where that may help, as the answer's JSON with `errcode` 0."""
        renewed, patience, pause = False, PATIENCE, 1.0
        while True:
            token = await self._token.get()
            response = await self._http.request(
                method,
                f"{self._settings.api}/cgi-bin/{path}",
                system=self.name,
                params={"access_token": token, **(params or {})},
                json=json,
                timeout=10,
            )
            try:
                return _checked(response)
            except Unauthorized:
                if renewed:
                    raise
                renewed = True
                self._token.reject(token)
            except Throttled:
                if pause > patience:
                    raise
                patience -= pause
                await self._sleep(pause)
                pause *= 2

    async def _fetch_token(self) -> tuple[str, float]:
        response = await self._http.request(
            "GET",
            f"{self._settings.api}/cgi-bin/gettoken",
            system=self.name,
            params={"corpid": self._settings.corp_id, "corpsecret": self._settings.secret.get_secret_value()},
            timeout=10,
            attempts=3,
        )
        answer = _checked(response)
        return str(answer["access_token"]), float(answer["expires_in"])

    def _lock(self, reference: str) -> asyncio.Lock:
        return self._locks.setdefault(reference, asyncio.Lock())


def reference_of(key: str) -> str:
    """The reference of a card sent with this key: safe in a `task_id`, and without the dash that ends it there."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:40]


def next_edition(known: SentCard, made: Rendered, key: str) -> SentCard:
    """The card in its next edition, applied by `key`; buttons of recent editions still work."""
    edition = known.edition + 1
    kept: dict[str, Button] = {
        press: button for press, button in known.presses.items() if int(press.partition(".")[0]) > edition - EDITIONS
    }
    return replace(known, edition=edition, change=key, alone=made.alone, waiting=(), presses={**kept, **made.presses})


def _messages(made: Rendered) -> list[Json]:
    texts: list[Json] = [{"msgtype": "text", "text": {"content": text}} for text in made.texts]
    return [*texts, *({"msgtype": "template_card", "template_card": card} for card in made.cards)]


def _checked(response: Response) -> dict[str, Any]:
    """The answer, or the error it stands for. WeCom says almost everything with status 200."""
    if response.status >= 500:
        raise Unreachable(f"wecom answered {response.status}", system=APP, code=str(response.status))
    found = response.json(system=APP)
    if not isinstance(found, dict):
        raise Refused("wecom answered with JSON that is no object", system=APP)
    answer = cast("dict[str, Any]", found)
    code, said = answer.get("errcode"), clean(str(answer.get("errmsg", "")))
    if code == 0:
        return answer
    if code in STALE_TOKEN or code in WRONG_SECRET:
        raise Unauthorized(f"wecom refuses the credentials: {code}", system=APP, code=str(code))
    if code in SLOW_DOWN or code == SYSTEM_BUSY:
        raise Throttled(f"wecom is busy or asks us to slow down: {code}", system=APP, code=str(code))
    raise Refused(f"wecom refused: {code} {said}", system=APP, code=str(code))
