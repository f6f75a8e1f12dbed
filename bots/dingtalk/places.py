"""References of what we sent, and what they tell: which conversation, and how it can be edited.

A card's reference is its `outTrackId`, made from the idempotency key, so the same key is always the same card. It also
names the group, because a card callback does not reliably say where it was pressed. A message's reference holds what
recalling it needs.
"""

import hashlib
from dataclasses import dataclass

from core.errors import NotFound
from core.messages import Conversation

CHANNEL = "dingtalk"
_CARD, _MESSAGE = "xops-", "message/"
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of ours.

    Attributes:
        query_key: DingTalk's `processQueryKey`; empty when it went through a session webhook and cannot be recalled.
    """

    conversation: Conversation
    query_key: str

    @property
    def reference(self) -> str:
        """The channel's reference of it."""
        return f"{_MESSAGE}{self.query_key}/{self.conversation.kind}/{self.conversation.id}"


def track(conversation: Conversation, key: str) -> str:
    """The `outTrackId` (at most 100 characters) of the card with this idempotency key in this conversation."""
    digest = hashlib.sha256(f"{conversation.key} {key}".encode()).hexdigest()[:_DIGEST]
    return f"{_CARD}{digest}.{conversation.id if conversation.kind == 'group' else ''}"


def is_card(reference: str) -> bool:
    """Whether this is a card's reference."""
    return reference.startswith(_CARD)


def conversation_of(card: str, clicker: str) -> Conversation | None:
    """Where a card of ours is; None when it is not ours.

    Args:
        card: its `outTrackId`.
        clicker: user id of who pressed; a private chat is known by the person in it.
    """
    _, dot, group = card.partition(".")
    if not is_card(card) or not dot:
        return None
    return Conversation(CHANNEL, group, "group") if group else Conversation(CHANNEL, clicker)


def posted(reference: str) -> Posted:
    """The message behind a reference.

    Raises:
        NotFound: it is not one of ours.
    """
    if not reference.startswith(_MESSAGE):
        raise NotFound(f"no reference of ours: {reference}", kind="card", name=reference)
    query_key, _, place = reference.removeprefix(_MESSAGE).partition("/")
    kind, _, id = place.partition("/")
    return Posted(Conversation(CHANNEL, id, "group" if kind == "group" else "private"), query_key)
