"""What DingTalk brings, by either way, becomes a `Message`, a `Click`, or an answer on the spot.

Source of every field: open.dingtalk.com, "receive-message", "robot-message-type", "event-callback-card". Only fields
that are needed are read, each leniently: quotes are not documented at all, and card callbacks in two shapes.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from bots import fields
from bots.dingtalk.buttons import called, pressed
from bots.dingtalk.places import CHANNEL, conversation_of
from bots.edge import Reply, parse
from bots.fields import Json
from core.errors import BadInput
from core.messages import Actor, Click, Conversation, Event, Message

Kind = Literal["message", "click"]

NOT_FOR_US = Reply("ignored_not_mentioned")
FROM_BOT = Reply("ignored_from_bot")
UNREADABLE = Reply("ignored_unreadable")
NO_QUOTA = Reply("ignored_no_quota")
UNKNOWN_ACTION = Reply("ignored_unknown_action")

QUOTA_EXHAUSTED = "20001"
_MENTION = re.compile(r"^\s*@\S+\s*")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a person to the robot.

    Attributes:
        received: what to do with it.
        conversation: where it was said.
        key: the same for each delivery of it.
        webhook: address for answers without a token, and Unix seconds until which it works.
        notice: what to tell the person instead of an answer; empty when there will be one.
    """

    received: Event | Reply
    conversation: Conversation
    key: str
    webhook: str
    webhook_until: float
    notice: Literal["", "unreadable", "quota"] = ""


def read_message(data: Json) -> Heard | Reply:
    """What a robot message says.

    Raises:
        BadInput: it lacks what makes it a message.
    """
    sender = fields.text(data, "senderId")
    if sender and sender == fields.text(data, "chatbotUserId"):
        return FROM_BOT
    group = fields.text(data, "conversationType") == "2"
    if group and data.get("isInAtList") is False:
        return NOT_FOR_US
    received, notice = _received(data, group=group)
    return Heard(
        received,
        _conversation(data, group=group),
        _id(data),
        fields.text(data, "sessionWebhook"),
        (_number(data, "sessionWebhookExpiredTime") or 0.0) / 1000,
        notice,
    )


def read_click(data: Json, *, id: str, at: str) -> Click | Reply:
    """What a card callback says.

    Args:
        data: the callback.
        id: unique for this delivery, since the callback itself has no id.
        at: milliseconds of its delivery.

    Raises:
        BadInput: it lacks what makes it a click.
    """
    card, user = fields.required(data, "outTrackId"), fields.required(data, "userId")
    content = _as_node(data.get("content") or data.get("value"))
    private = fields.node(content, "cardPrivateData")
    action = called(fields.node(private, "params") or fields.node(content, "params"))
    conversation = conversation_of(card, user)
    if action is None or conversation is None:
        return UNKNOWN_ACTION
    actor = Actor(CHANNEL, user, tenant=fields.text(data, "corpId"))
    return Click(id, conversation, actor, action[0], _when(at), action[1], card=card)


def _received(data: Json, *, group: bool) -> tuple[Event | Reply, Literal["", "unreadable", "quota"]]:
    if QUOTA_EXHAUSTED in {str(data.get(name, "")) for name in ("errorCode", "errCode")}:
        return NO_QUOTA, "quota"
    text = _body(data, group=group)
    if text is None or not (text or group):
        return UNREADABLE, "unreadable"
    id, conversation, at = _id(data), _conversation(data, group=group), _when(data.get("createAt"))
    actor = Actor(
        CHANNEL, _person(data), name=fields.text(data, "senderNick"), tenant=fields.text(data, "senderCorpId")
    )
    if action := pressed(text):  # a button of a plain message, or a line like it typed by hand
        return Click(id, conversation, actor, action[0], at, action[1]), ""
    return Message(id, conversation, actor, text, at, quoted=_quoted(data)), ""


def _body(data: Json, *, group: bool) -> str | None:
    """The text of a message; None when its kind has none."""
    content = fields.node(data, "content")
    match fields.text(data, "msgtype"):
        case "text":
            return fields.text(fields.node(data, "text"), "content").strip()
        case "richText":
            text = _rich(content.get("richText"))
            return (_MENTION.sub("", text, count=1) if group else text).strip() or None
        case "audio":
            return fields.text(content, "recognition").strip() or None
        case _:
            return None


def _rich(parts: object) -> str:
    """The text of rich text. In groups it begins with the mention of the robot, unlike plain text."""
    return "".join(fields.text(part, "text") or fields.text(part, "content") for part in fields.nodes(parts))


def _quoted(data: Json) -> str:
    replied = fields.node(fields.node(data, "text"), "repliedMsg")
    content = _as_node(replied.get("content"))
    return fields.text(content, "text") or _rich(content.get("richText")) or fields.text(content, "fileName")


def _id(data: Json) -> str:
    """Unique for one message to one robot: several robots mentioned in it get the same `msgId`."""
    return f"{fields.required(data, 'msgId')}/{fields.text(data, 'robotCode')}"


def _person(data: Json) -> str:
    """The user id; people of other companies have none, and are then known by an id that can be given no rights."""
    return fields.text(data, "senderStaffId") or fields.required(data, "senderId")


def _conversation(data: Json, *, group: bool) -> Conversation:
    """A private chat is known by the person in it, because that is whom a robot can write to."""
    if group:
        return Conversation(CHANNEL, fields.required(data, "conversationId"), "group")
    return Conversation(CHANNEL, fields.text(data, "senderStaffId") or fields.required(data, "conversationId"))


def _when(milliseconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(float(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _as_node(said: object) -> Json:
    if isinstance(said, dict):
        return cast("Json", said)
    try:
        return parse(said) if isinstance(said, str) else {}
    except BadInput:
        return {}


def _number(node: Json, key: str) -> float | None:
    try:
        return float(str(node.get(key)))
    except ValueError:
        return None
