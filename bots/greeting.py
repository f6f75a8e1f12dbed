"""`xops doctor --card`: a card to oneself through every messenger that is set up, and how long each took.

It proves what nothing else proves: that the app may write to people, and that this person sees it.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

from bots.findings import Finding, timed
from core.cards import Button, Buttons, Card, Note, Text
from core.channel import Channel
from core.i18n import Words
from core.messages import Conversation

if TYPE_CHECKING:
    from bots.app import Application


async def greet(application: "Application", whom: str, say: Words) -> list[Finding]:
    """Send the card; a finding for each messenger.

    Args:
        application: its database is brought to this version, since channels remember what they sent.
        whom: a person by name, or an id as `channel:id`.
        say: the words.
    """
    from core.store.migrate import upgrade

    await upgrade(application.store)
    await application.access.refresh()
    ids = _identities(application, whom)
    channels = [messenger.channel for messenger in application.messengers]
    return await asyncio.gather(*(_send(channel, ids.get(channel.name, ""), whom, say) for channel in channels))


def _identities(application: "Application", whom: str) -> Mapping[str, str]:
    """The person's id on each channel."""
    channel, colon, identity = whom.partition(":")
    if colon:
        return {channel: identity}
    person = application.access.named(whom)
    return application.access.identities(person) if person is not None else {}


async def _send(channel: Channel, identity: str, whom: str, say: Words) -> Finding:
    check = f"card {channel.name}"
    if not identity:
        return Finding(check, "off", say("doctor.card_no_id", name=whom, channel=channel.name))

    async def ask() -> str:
        began = time.perf_counter()
        await channel.send(Conversation(channel.name, identity), _card(say), key=f"doctor:{uuid4()}")
        return say("doctor.card_sent", seconds=f"{time.perf_counter() - began:.2f}")

    return await timed(check, say("doctor.card_todo"), ask, say)


def _card(say: Words) -> Card:
    blocks = (Text(say("doctor.card_text")), Buttons((Button(say("views.button.help"), "help"),)))
    return Card(say("doctor.card_title"), (*blocks, Note(say("doctor.card_note"))), "success")
