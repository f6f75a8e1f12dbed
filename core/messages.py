"""What can come in, whichever messenger it came from.

Everything here is a frozen dataclass of strings and times: parsed once at the edge, safe to journal as JSON, and free of
any platform's vocabulary. Ids stay strings from end to end (64-bit ids lose digits in JavaScript card payloads).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone as one channel knows them; `core.access` maps an actor to a person with rights.

    Attributes:
        channel: name of the channel, e.g. `feishu`.
        id: the channel's stable id of the person (Feishu `open_id`, a web session's subject).
        name: what to call them; may be empty, never used to grant anything.
        tenant: the channel's tenant or company id; empty when it has none.
        locale: preferred language when the channel tells (`zh-CN`, `zh-TW`, `en`); empty when it does not.
    """

    channel: str
    id: str
    name: str = ""
    tenant: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A place to answer in.

    Attributes:
        channel: name of the channel.
        id: the channel's id of the chat. A private one may also be named by the person's id, to speak to them first.
        kind: `private` or `group`.
        thread: the channel's id of the thread within the chat; empty outside threads.
    """

    channel: str
    id: str
    kind: Literal["private", "group"] = "private"
    thread: str = ""

    @property
    def key(self) -> str:
        """Stable name for lanes, history and live cards: `feishu:oc_1` or `feishu:oc_1/omt_2`."""
        return f"{self.channel}:{self.id}" + (f"/{self.thread}" if self.thread else "")


@dataclass(frozen=True, slots=True)
class Message:
    """Text from a person, mentions of the assistant already removed, forwarded and rich posts already flattened.

    Attributes:
        id: unique for ever within the channel; the channel's own message id.
        text: at most a few hundred kilobytes; cleaned of control, bidirectional and lone-surrogate characters.
        quoted: text of the message this one replies to, when the channel gives it.
        at: when the person sent it, with zone.
    """

    id: str
    conversation: Conversation
    actor: Actor
    text: str
    at: datetime
    quoted: str = ""
    type: Literal["message"] = "message"

    @property
    def key(self) -> str:
        """Key for deduplication and idempotency."""
        return f"{self.conversation.channel}:{self.id}"


@dataclass(frozen=True, slots=True)
class Click:
    """A press of a button that a card of ours carried.

    Attributes:
        id: unique within the channel for one delivery of one press; two presses have two ids.
        command: the command the button names, e.g. `log` or `confirm`; the same word a person may type after a slash.
        arguments: its arguments by name. Untrusted like any other input: rights and state are checked again.
        form: values the person entered, when the button submitted a form.
        card: the channel's reference of the message that carried the card; empty when it does not tell.
    """

    id: str
    conversation: Conversation
    actor: Actor
    command: str
    at: datetime
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    card: str = ""
    type: Literal["click"] = "click"

    @property
    def key(self) -> str:
        """Key for deduplication and idempotency."""
        return f"{self.conversation.channel}:{self.id}"


Event = Message | Click
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes an `Event` as JSON, for the journal."""
