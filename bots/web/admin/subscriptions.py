"""What one's chats hear of, what one follows, and what is muted: on the page, by the services behind the commands.

A name that nothing has, or several things, is answered with those it may mean, each a button that asks again. A mute is shown
first with what it would have hidden, as in a chat.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import get_args

from aiohttp import web
from multidict import MultiDict

from bots.web.admin.desk import Desk, Visitor, fields
from bots.web.admin.forms import Problems
from bots.web.admin.wording import sentence_of
from core.cards import Item
from core.errors import Ambiguous, BadInput, Busy, NotFound, XOpsError
from core.messages import Conversation
from core.subscriptions.model import Kind, Severity
from core.subscriptions.wishes import USUAL, Wishes
from core.views import show
from core.views.reader import plain
from core.views.watch import entry
from core.watches.model import Watch
from core.watches.promises import Promises

PLACE = "subscriptions"
SPANS = ("30m", "1h", "2h", "8h", "24h")

Form = MultiDict[str]
Add = Callable[[Visitor, Conversation, Form], Awaitable[object]]


class SubscriptionPages:
    """Everything under `/admin/subscriptions`.

    Args:
        desk: admits and draws.
        wishes: reads and keeps subscriptions.
        promises: follows and mutes.
    """

    def __init__(self, desk: Desk, wishes: Wishes, promises: Promises) -> None:
        self._desk = desk
        self._wishes = wishes
        self._promises = promises
        self._adding: Mapping[str, Add] = {"subscribe": self._subscribe, "follow": self._follow, "mute": self._mute}

    def routes(self) -> Sequence[web.RouteDef]:
        """The table."""
        return (
            web.get("/subscriptions", self.show),
            web.post(f"/subscriptions/{{word:{'|'.join(self._adding)}}}", self.add),
            web.post("/subscriptions/preview", self.preview),
            web.post("/subscriptions/{id:[SW]-[A-Z0-9]{1,10}}/end", self.end),
        )

    async def show(self, request: web.Request) -> web.Response:
        """Everything that one is told, and what nobody is told."""
        visitor = await self._desk.reader(request, PLACE)
        mine, mutes = await self._promises.mine(visitor.person), await self._promises.all_mutes(visitor.person)
        return self._desk.page(
            visitor,
            request,
            "admin/subscriptions.html",
            chats=[(_called(visitor, chat), found) for chat, found in await self._wishes.listed(visitor.person)],
            promised=self._entries(visitor, [one for one in mine.watches if one.kind != "mute"]),
            muted=self._entries(visitor, mutes.watches),
            **await self._form(visitor, MultiDict()),
        )

    async def add(self, request: web.Request) -> web.Response:
        """Subscribe, follow or mute."""
        visitor, word = await self._desk.writer(request, PLACE), request.match_info["word"]
        form = _given(await fields(request), word)
        try:
            chat = await self._wishes.chat(visitor.person, form.get("chat", ""))
            await self._adding[word](visitor, chat, form)
        except (BadInput, Busy) as error:
            return await self._again(visitor, word, form, error)
        return self._desk.go(f"/subscriptions?done={word}")

    async def preview(self, request: web.Request) -> web.Response:
        """What a mute would have hidden, with the button that mutes."""
        visitor, form = await self._desk.writer(request, PLACE), _given(await fields(request), "mute")
        try:
            found = await self._promises.preview(visitor.person, _named(form), form.get("duration", ""))
        except BadInput as error:
            return await self._again(visitor, "mute", form, error)
        card = show(found, visitor.words, self._desk.zone, visitor.person)
        values = await self._form(visitor, form) | {"preview": card, "subject": found.subject}
        return self._desk.part(visitor, "admin/mute_add.html", HTTPStatus.OK, **values)

    async def end(self, request: web.Request) -> web.Response:
        """End a subscription, or a promise."""
        visitor, id = await self._desk.writer(request, PLACE), request.match_info["id"]
        ending = self._wishes.end if id.startswith("S") else self._promises.end
        await ending(visitor.person, id)
        return self._desk.go("/subscriptions?done=ended")

    async def _subscribe(self, visitor: Visitor, chat: Conversation, form: Form) -> object:
        kind, severity, quiet = (form.get(name, "") for name in ("kind", "severity", "quiet"))
        return await self._wishes.subscribe(visitor.person, chat, kind, _subject(form), severity, quiet)

    async def _follow(self, visitor: Visitor, chat: Conversation, form: Form) -> object:
        return await self._promises.follow(visitor.person, chat, _named(form))

    async def _mute(self, visitor: Visitor, chat: Conversation, form: Form) -> object:
        return await self._promises.mute(visitor.person, chat, _named(form), form.get("duration", ""))

    async def _again(self, visitor: Visitor, word: str, form: Form, error: XOpsError) -> web.Response:
        """The form with what is wrong, and what may have been meant."""
        many = "notices.too_many_subscriptions" if word == "subscribe" else "notices.too_many_watches"
        sentence = visitor.words(many) if isinstance(error, Busy) else sentence_of(error, visitor.words)
        problems: Problems = {f"{word}-{error.details.get('argument', 'subject')}": sentence}
        values = await self._form(visitor, form) | {"candidates": _candidates(error), "problems": problems}
        return self._desk.form(visitor, f"admin/{word}_add.html", **values)

    async def _form(self, visitor: Visitor, given: Form) -> dict[str, object]:
        """What the forms offer, and what was entered in one."""
        chats = await self._wishes.chats(visitor.person)
        return {
            "given": given,
            "subject": _subject(given),
            "offered": [(chat.key, _called(visitor, chat)) for chat in chats],
            "abouts": get_args(Kind),
            "severities": get_args(Severity),
            "usual": USUAL,
            "spans": [(span, span) for span in SPANS],
            "candidates": (),
            "preview": None,
        }

    def _entries(self, visitor: Visitor, found: Sequence[Watch]) -> list[tuple[Watch, Item, bool]]:
        """Promises with how they are shown, and whether they are the visitor's to end."""
        reader = self._desk.wording(visitor).reader
        return [(one, entry(reader, one), self._promises.may_end(visitor.person, one)) for one in found]


def _given(form: Form, word: str) -> Form:
    """The fields of one of several forms of a page, whose ids have to differ."""
    return MultiDict((name.removeprefix(f"{word}-"), text) for name, text in form.items())


def _subject(form: Form) -> str:
    """What it is about: a candidate that was pressed stands after what was typed."""
    return form.getall("subject", [""])[-1].strip()


def _named(form: Form) -> str:
    """The same where there must be one.

    Raises:
        BadInput: there is none.
    """
    if found := _subject(form):
        return found
    raise BadInput("nothing is named", argument="subject")


def _candidates(error: XOpsError) -> Sequence[tuple[str, str]]:
    """(reference, label) of what a name may mean."""
    match error:
        case Ambiguous():
            return error.choices
        case NotFound():
            return [(name, name) for name in error.nearest]
        case _:
            return ()


def _called(visitor: Visitor, chat: Conversation) -> str:
    """What people call a chat: on which messenger, and which group."""
    key = f"people.channel.{chat.channel}"
    channel = visitor.words(key) if key in visitor.words else visitor.words("admin.hearing.page")
    return visitor.words(f"admin.hearing.{chat.kind}", channel=channel, id=plain(chat.id, 40))
