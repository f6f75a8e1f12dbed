"""What both ways in share, webhook and long connection: payload to event, and what Feishu wants to hear about it."""

import asyncio
from dataclasses import replace

import orjson
import structlog

from bots.edge import Received, Reply
from bots.feishu.client import FeishuChannel
from bots.feishu.elements import worded
from bots.feishu.inbound import UNREADABLE, Incomplete, Json, read
from core.errors import RemoteError, Unreachable
from core.messages import Click, Event, Message

FETCH_SECONDS = 1.5
"""Longest wait for other messages before a message is acknowledged; Feishu gives us three seconds in all."""

_log = structlog.get_logger(__name__)


async def understand(payload: Json, channel: FeishuChannel) -> Received:
    """The event in a verified, decrypted payload, with the text of messages it replies to or forwards.

    Raises:
        BadInput: an event we know lacks what makes it one.
        RemoteError: what it forwards cannot be fetched now; Feishu shall bring it again.
    """
    received = read(payload, bot=channel.bot_open_id)
    return await _completed(received, channel) if isinstance(received, Incomplete) else received


def acknowledge(event: Event) -> bytes:
    """What Feishu wants to hear: nothing for a message, a toast for a click."""
    return _TOAST if isinstance(event, Click) else b"{}"


async def _completed(found: Incomplete, channel: FeishuChannel) -> Message | Reply:
    try:
        text = await _fetched(found.source, channel)
    except RemoteError as error:
        _log.warning("feishu_message_unread", message=found.source, reason=str(error))
        if not found.forwards:
            return found.message
        if error.retryable:
            raise  # not acknowledged, so Feishu brings it again
        return UNREADABLE
    return replace(found.message, text=text) if found.forwards else replace(found.message, quoted=text)


async def _fetched(message_id: str, channel: FeishuChannel) -> str:
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await channel.read(message_id)
    except TimeoutError as error:
        raise Unreachable("feishu: no answer in time", system="feishu", code="timeout") from error


def _toast() -> bytes:
    text = worded("feishu.received")
    return orjson.dumps({"toast": {"type": "info", "content": text["content"], "i18n": text["i18n_content"]}})


_TOAST = _toast()
