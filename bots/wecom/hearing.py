"""What the AI bot hears, by its long connection: callbacks become events, and what can answer them is kept.

WeCom delivers a callback of the long connection once and waits for no acknowledgement, so one that could not be journalled
is tried again here.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bots.edge import Intake, Received
from bots.fields import Json
from bots.wecom.bot import WeComBotChannel
from bots.wecom.inbound import BOT, Press, clicked, read_bot
from core.messages import Click, Event, Message

ATTEMPTS = 3

_log = structlog.get_logger(__name__)


class Hearing:
    """Takes the callbacks of the long connection.

    Args:
        name: what the bot is called in groups.
        channel: answers.
        accept: journals an event, `core.inbox.Inbox.accept`.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        name: str,
        channel: WeComBotChannel,
        accept: Callable[[Event], Awaitable[bool]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._channel = channel
        self._intake = Intake(BOT, accept, lambda _event: b"")
        self._sleep = sleep

    async def take(self, request: str, body: Json) -> None:
        """Take one callback.

        Args:
            request: its id, which answers must carry.
            body: of the frame.
        """
        for attempt in range(ATTEMPTS):
            status, _ = await self._intake.take(understood(self._channel, body, request, name=self._name))
            if status < 500:
                return
            await self._sleep(2.0**attempt)
        _log.error("wecom_bot_callback_lost", request=request)


async def understood(channel: WeComBotChannel, body: Json, handle: str, *, name: str) -> Received:
    """The event of a callback, ready to be answered.

    Args:
        channel: keeps what answers it, and knows what its cards mean.
        body: of the callback.
        handle: what answers it; empty when nothing can.
        name: what the bot is called in groups.
    """
    found = read_bot(body, name=name)
    event = clicked(found, await channel.sent.get(found.reference)) if isinstance(found, Press) else found
    if handle and isinstance(event, Message | Click):
        channel.heard(event, handle)
    return event
