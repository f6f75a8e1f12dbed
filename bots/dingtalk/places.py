"""References of what we sent, and what they tell: which conversation, and how it can be edited.

A card's reference is its `outTrackId`, made from the idempotency key, so the same key is always the same card. It also
names the group, because a card callback does not reliably say where it was pressed. A message's reference is a name in our
own table, since DingTalk's cannot be known before it is sent.
"""

import hashlib

from core.messages import Conversation

CHANNEL = "dingtalk"
_CARD = "xops-"
_DIGEST = 32


def track(conversation: Conversation, key: str) -> str:
    """The `outTrackId` (at most 100 characters) of the card with this idempotency key in this conversation."""
    return f"{_CARD}{_digest(conversation, key)}.{conversation.id if conversation.kind == 'group' else ''}"


def post(conversation: Conversation, key: str) -> str:
    """The reference of the message with this idempotency key in this conversation."""
    return f"{CHANNEL}/{_digest(conversation, key)}"


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


def _digest(conversation: Conversation, key: str) -> str:
    return hashlib.sha256(f"{conversation.key} {key}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
