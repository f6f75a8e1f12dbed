"""What WeCom tells, as events: XML of the app and JSON of the AI bot, both as read, none of it trusted.

Clicks name only a press and a card of ours; `clicked` looks their meaning up. Whoever is not a person writing to us, and
whatever holds no text, leads to no event.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from bots import fields
from bots.edge import Reply
from bots.fields import Json
from bots.wecom.presses import meaning
from core.messages import Actor, Click, Conversation, Message
from core.sent_cards import SentCard

APP, BOT = "wecom", "wecom_bot"

UNREADABLE = Reply("ignored_unreadable", b"")
UNKNOWN_EVENT = Reply("ignored_unknown_event", b"")
UNKNOWN_ACTION = Reply("ignored_unknown_action", b"")
IDLE_WARNING = Reply("app_idle_warning", b"")

IDLE_EVENTS = {"inactive_alert", "low_active_alert", "close_inactive_agent", "low_active"}
"""WeCom is about to suspend, or has suspended, an app that too few people use."""


@dataclass(frozen=True, slots=True)
class Press:
    """A click whose meaning is still to be looked up.

    Attributes:
        id: unique for one delivery of one click.
        task: `task_id` of the template card.
        press: what was pressed.
        chosen: list and option, for each list of the card.
        code: edits the card once; the AI bot gives none.
    """

    id: str
    conversation: Conversation
    actor: Actor
    at: datetime
    task: str
    press: str
    chosen: tuple[tuple[str, str], ...]
    code: str = ""

    @property
    def reference(self) -> str:
        """The card, as `Channel.send` named it."""
        return self.task.partition("-")[0]


def read_app(payload: Json) -> Message | Press | Reply:
    """What a callback of the app says; all its chats are private.

    Args:
        payload: the decrypted XML.

    Raises:
        BadInput: an event we know lacks what makes it one.
    """
    user = fields.required(payload, "FromUserName")
    conversation, actor = Conversation(APP, user), Actor(APP, user, tenant=fields.text(payload, "ToUserName"))
    at = _when(fields.text(payload, "CreateTime"))
    match fields.text(payload, "MsgType"), fields.text(payload, "Event"):
        case "text", _:
            text = fields.text(payload, "Content").strip()
            return Message(fields.required(payload, "MsgId"), conversation, actor, text, at)
        case "event", "template_card_event" | "template_card_menu_event":
            return _app_press(payload, conversation, actor, at)
        case "event", event:
            return IDLE_WARNING if event in IDLE_EVENTS else UNKNOWN_EVENT
        case _:  # a picture, a file, a place: it is told what can be read
            id = fields.text(payload, "MsgId")
            return Message(id, conversation, actor, "", at) if id else UNREADABLE


def read_bot(body: Json, *, name: str) -> Message | Press | Reply:
    """What a callback of the AI bot says.

    Args:
        body: decrypted, or from the long connection.
        name: what the bot is called, to take `@name` off what people write in groups.

    Raises:
        BadInput: an event we know lacks what makes it one.
    """
    kind = fields.text(body, "msgtype")
    if kind == "event":
        event = fields.node(body, "event")
        is_press = fields.text(event, "eventtype") == "template_card_event"
        return _bot_press(body, fields.node(event, "template_card_event")) if is_press else UNKNOWN_EVENT
    text = "\n".join(filter(None, _texts(body)))
    conversation, actor = _bot_place(body)
    if conversation.kind == "group":
        text = _without_mention(text, name)
    quoted = "\n".join(filter(None, _texts(fields.node(body, "quote"))))
    at = _when(_number(body, "create_time"))
    return Message(fields.required(body, "msgid"), conversation, actor, text.strip(), at, quoted=quoted)


def clicked(found: Press, card: SentCard | None) -> Click | Reply:
    """The click, with what was pressed; a card or a button that was never ours leads to nothing."""
    meant = meaning(card.presses, found.press, found.chosen) if card is not None else None
    if meant is None:
        return UNKNOWN_ACTION
    button, entered = meant
    return Click(
        found.id,
        found.conversation,
        found.actor,
        button.command,
        found.at,
        arguments=button.arguments,
        form=entered,
        card=found.reference,
    )


def _app_press(payload: Json, conversation: Conversation, actor: Actor, at: datetime) -> Press:
    items = fields.nodes(_listed(fields.node(payload, "SelectedItems").get("SelectedItem")))
    chosen = tuple(
        (fields.text(item, "QuestionKey"), option)
        for item in items
        for option in _strings(fields.node(item, "OptionIds").get("OptionId"))
    )
    names = ("FromUserName", "CreateTime", "Event", "EventKey", "TaskId", "ResponseCode")
    parts = [*(fields.text(payload, name) for name in names), repr(chosen)]  # a second has room for two clicks
    return Press(
        hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:40],
        conversation,
        actor,
        at,
        fields.required(payload, "TaskId"),
        fields.text(payload, "EventKey"),
        chosen,
        fields.text(payload, "ResponseCode"),
    )


def _bot_press(body: Json, event: Json) -> Press:
    items = fields.nodes(_listed(fields.node(event, "selected_items").get("selected_item")))
    chosen = tuple(
        (fields.text(item, "question_key"), option)
        for item in items
        for option in _strings(fields.node(item, "option_ids").get("option_id"))
    )
    conversation, actor = _bot_place(body)
    # The documentation writes both names of each.
    task = fields.text(event, "task_id") or fields.text(event, "taskid")
    press = fields.text(event, "event_key") or fields.text(event, "eventkey")
    at = _when(_number(body, "create_time"))
    return Press(fields.required(body, "msgid"), conversation, actor, at, task, press, chosen)


def _bot_place(body: Json) -> tuple[Conversation, Actor]:
    user = fields.required(fields.node(body, "from"), "userid")
    kind: Literal["private", "group"] = "group" if fields.text(body, "chattype") == "group" else "private"
    chat = fields.required(body, "chatid") if kind == "group" else user
    return Conversation(BOT, chat, kind), Actor(BOT, user, tenant=fields.text(fields.node(body, "from"), "corpid"))


def _texts(body: Json) -> Iterator[str]:
    """The texts of a message: plain, mixed with pictures, or what WeCom heard in a voice message."""
    kind = fields.text(body, "msgtype")
    if kind == "mixed":
        for part in fields.nodes(fields.node(body, "mixed").get("msg_item")):
            yield fields.text(fields.node(part, "text"), "content")
    elif kind in {"text", "voice"}:
        yield fields.text(fields.node(body, kind), "content")


def _without_mention(text: str, name: str) -> str:
    """Text without the bot's own `@name`, which WeCom writes like any other word; names may hold spaces."""
    start = text.lstrip()
    if name and start.startswith(f"@{name}"):
        return start.removeprefix(f"@{name}")
    if not name and start.startswith("@"):
        return start.partition(" ")[2] or start.partition("\u2005")[2]
    return text


def _when(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _number(node: Json, key: str) -> str:
    value = node.get(key)
    return str(value) if isinstance(value, int | str) else ""


def _listed(value: object) -> list[object]:
    """XML does not tell a list of one from the one."""
    if isinstance(value, list):
        return cast("list[object]", value)
    return [] if value is None else [value]


def _strings(value: object) -> list[str]:
    return [part for part in _listed(value) if isinstance(part, str)]
