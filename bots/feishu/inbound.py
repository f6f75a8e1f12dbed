"""A decrypted Feishu payload becomes a `Message`, a `Click`, or an answer on the spot.

Source of every field: open.feishu.cn, "im.message.receive_v1", "card.action.trigger", "接收消息内容". Only fields that
are needed are read, each leniently: Feishu adds fields and event types whenever it likes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

import orjson

from bots import fields
from bots.edge import Reply, parse
from bots.fields import Json
from core.errors import BadInput
from core.messages import Actor, Click, Conversation, Event, Message

NOT_FOR_US = Reply("ignored_not_mentioned")
FROM_BOT = Reply("ignored_from_bot")
UNREADABLE = Reply("ignored_unreadable")
UNKNOWN_ACTION = Reply("ignored_unknown_action")
UNKNOWN_EVENT = Reply("ignored_unknown_event")

_MENTION = re.compile(r"@_user_\d+|@_all")
_ZONED_DATE = re.compile(r"(\d{4}-\d\d-\d\d) [+-]\d{4}")
_CARD_TEXTS = ("title", "subtitle", "text", "content", "name")
_CARD_PARTS = ("header", "body", "elements", "columns", "fields")
_CARD_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A message whose meaning is in other messages, which have to be fetched.

    Attributes:
        message: what the event itself told.
        source: id of the message to fetch: the one it replies to, or itself when it forwards others.
        forwards: whether the fetched text is the message's own text rather than what it replies to.
    """

    message: Message
    source: str
    forwards: bool


def read(payload: Json, *, bot: str) -> Event | Reply | Incomplete:
    """What a payload says.

    Args:
        payload: verified and decrypted.
        bot: `open_id` of the bot itself; while it is not known yet, any bot that is mentioned is taken for us.

    Raises:
        BadInput: an event we know lacks what makes it one.
    """
    if payload.get("type") == "url_verification":
        return Reply("challenge", orjson.dumps({"challenge": fields.text(payload, "challenge")}))
    match fields.text(fields.node(payload, "header"), "event_type"):
        case "im.message.receive_v1":
            return _message(fields.node(payload, "event"), bot)
        case "card.action.trigger":
            return _click(payload)
        case _:
            return UNKNOWN_EVENT


def token(payload: Json) -> str:
    """The Verification Token a payload carries: in the header, or at the top of a challenge."""
    return fields.text(fields.node(payload, "header"), "token") or fields.text(payload, "token")


def flatten(kind: str, content: str, names: Mapping[str, str]) -> str:
    """The plain text of a message's content.

    Args:
        kind: Feishu's `message_type`.
        content: the JSON string Feishu puts there.
        names: what stands for each mention key, e.g. `{"@_user_1": "@Ann", "@_user_2": ""}`.

    Returns:
        The text; empty when this kind has none (stickers, files, images).
    """
    readers = {"text": _plain, "post": _post, "interactive": _card}
    if kind not in readers:
        return ""
    try:
        text = readers[kind](parse(content))
    except BadInput:
        return ""
    return _MENTION.sub(lambda found: names.get(found[0], found[0]), text).strip()


def names_of(mentions: object, *, bot: str = "") -> dict[str, str]:
    """What stands for each mention key: `@name`, and nothing for the bot itself."""
    return {
        fields.text(mention, "key"): "" if bot and _open_id(mention) == bot else f"@{fields.text(mention, 'name')}"
        for mention in fields.nodes(mentions)
    }


def _message(event: Json, bot: str) -> Message | Reply | Incomplete:
    sender, sent = fields.node(event, "sender"), fields.node(event, "message")
    if fields.text(sender, "sender_type") != "user":
        return FROM_BOT
    kind: Literal["private", "group"] = "private" if fields.text(sent, "chat_type") == "p2p" else "group"
    ours = {_open_id(mention) for mention in fields.nodes(sent.get("mentions")) if _is_us(mention, bot)}
    if kind == "group" and not ours:
        return NOT_FOR_US
    message = Message(
        id=fields.required(sent, "message_id"),
        conversation=Conversation("feishu", fields.required(sent, "chat_id"), kind, fields.text(sent, "thread_id")),
        actor=_actor(fields.node(sender, "sender_id"), fields.text(sender, "tenant_key")),
        text=flatten(
            fields.text(sent, "message_type"),
            fields.text(sent, "content"),
            names_of(sent.get("mentions"), bot=next(iter(ours), bot)),
        ),
        at=_when(fields.text(sent, "create_time")),
    )
    if fields.text(sent, "message_type") == "merge_forward":
        return Incomplete(message, message.id, forwards=True)
    if parent := fields.text(sent, "parent_id"):
        return Incomplete(message, parent, forwards=False)
    return message  # perhaps without text, as a picture is: it is told what can be read


def _click(payload: Json) -> Click | Reply:
    header, event = fields.node(payload, "header"), fields.node(payload, "event")
    action = fields.node(event, "action")
    press = _press(action)
    if not press:
        return UNKNOWN_ACTION
    context = fields.node(event, "context") or fields.node(payload, "context")  # the documentation shows both places
    operator = fields.node(event, "operator")
    kind, _, thread = fields.text(press, "place").partition("/")
    card = fields.text(context, "open_message_id")
    return Click(
        id=fields.required(header, "event_id"),
        conversation=Conversation(
            "feishu",
            fields.required(context, "open_chat_id"),
            "private" if kind == "private" else "group",
            thread,
        ),
        actor=_actor(operator, fields.text(operator, "tenant_key")),
        command=fields.text(press, "command"),
        at=_when(fields.text(header, "create_time")),
        arguments={name: str(value) for name, value in fields.node(press, "arguments").items()},
        form={_own_name(name): _entered(value) for name, value in fields.node(action, "form_value").items()},
        card=f"{card}/{kind or 'group'}/{thread}" if card else "",
    )


def _press(action: Json) -> Json:
    """What the button said: its value, the chosen option of a menu, or the name of a form's button; some are strings."""
    for said in (action.get("value"), action.get("option"), action.get("name")):
        found = _as_node(said)
        if fields.text(found, "command"):
            return found
    return {}


def _as_node(said: object) -> Json:
    if isinstance(said, dict):
        return cast("Json", said)
    try:
        return parse(said) if isinstance(said, str) else {}
    except BadInput:
        return {}


def _own_name(name: str) -> str:
    """The name of an input without the number that makes it unique in the card."""
    number, dot, rest = name.partition(".")
    return rest if dot and number.isdecimal() else name


def _entered(value: object) -> str:
    """What was entered, as text: several choices are joined, a picked date loses the zone Feishu appends."""
    if isinstance(value, list):
        return ",".join(str(part) for part in cast("list[object]", value))
    text = "" if value is None else str(value)
    dated = _ZONED_DATE.fullmatch(text)
    return dated[1] if dated else text


def _plain(content: Json) -> str:
    return fields.text(content, "text")


def _post(content: Json) -> str:
    wrapped = [
        part for part in fields.nodes(list(content.values())) if "content" in part
    ]  # by language, as apps send it
    post = wrapped[0] if wrapped and "content" not in content else content
    lines = ["".join(map(_run, fields.nodes(row))) for row in fields.several(post.get("content"))]
    return "\n".join(filter(None, [fields.text(post, "title"), *lines]))


def _run(part: Json) -> str:
    match fields.text(part, "tag"):
        case "at":
            key = fields.text(part, "user_id")
            return key if _MENTION.fullmatch(key) else f"@{fields.text(part, 'user_name') or key}"
        case "a":
            text, href = fields.text(part, "text"), fields.text(part, "href")
            return text if href in text else f"{text} ({href})"
        case _:
            return fields.text(part, "text")


def _card(content: Json) -> str:
    return "\n".join(filter(None, _walk(content, _CARD_DEPTH)))


def _walk(node: object, depth: int) -> Iterator[str]:
    """Texts of a card in reading order, whichever of Feishu's three shapes it has."""
    if depth == 0:
        return
    if isinstance(node, list):
        parts = cast("list[object]", node)
        runs = [part for part in fields.nodes(parts) if isinstance(part.get("text"), str)]
        if runs and len(runs) == len(parts):  # one line of a reduced card
            yield "".join(map(_run, runs))
            return
        for part in parts:
            yield from _walk(part, depth - 1)
    elif isinstance(node, dict):
        for name, value in cast("dict[str, object]", node).items():
            if isinstance(value, str) and name in _CARD_TEXTS:
                yield value
            elif name in _CARD_TEXTS or name in _CARD_PARTS:
                yield from _walk(value, depth - 1)


def _actor(ids: Json, tenant: str) -> Actor:
    return Actor("feishu", fields.required(ids, "open_id"), tenant=tenant)


def _is_us(mention: Json, bot: str) -> bool:
    return _open_id(mention) == bot if bot else fields.text(mention, "mentioned_type") == "bot"


def _open_id(mention: Json) -> str:
    """Events give an object, fetched messages a string."""
    return fields.text(fields.node(mention, "id"), "open_id") or fields.text(mention, "id")


def _when(text: str) -> datetime:
    """Feishu writes milliseconds for messages and microseconds for clicks; only the number of digits tells."""
    try:
        return datetime.fromtimestamp(int(text) / 10 ** max(len(text) - 10, 0), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
