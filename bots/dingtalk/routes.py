"""HTTP mode: `POST /dingtalk/messages` for the robot, `POST /dingtalk/cards` for presses on its cards.

DingTalk signs a timestamp and never the body, and accepts up to an hour between the two clocks. So whoever sees one request can
send others in its name for that hour: serve these addresses over TLS only, and prefer Stream mode. A message that comes
again is known by its id. Source: open.dingtalk.com, "receive-message", "register-card-callback-address".
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bots.crypto import dingtalk_card_signature, dingtalk_signature, fresh, same
from bots.dingtalk.client import CARDS, MESSAGES, DingTalkChannel
from bots.edge import Received, Webhook, parse
from core.messages import Event
from core.settings import DingTalk

HOUR = 3600.0


def dingtalk_routes(
    settings: DingTalk,
    channel: DingTalkChannel,
    accept: Callable[[Event], Awaitable[bool]],
    *,
    body_limit: int,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The routes of the DingTalk app; none in stream mode.

    Args:
        settings: its secrets.
        channel: hears what arrives.
        accept: journals an event, `core.inbox.Inbox.accept`.
        body_limit: largest request body in bytes.
        clock: Unix seconds.
    """
    if settings.mode == "stream":
        return []
    client_secret = settings.client_secret.get_secret_value()

    async def message(headers: Mapping[str, str], body: bytes) -> Received:
        timestamp = headers.get("timestamp", "")
        same(headers.get("sign", ""), dingtalk_signature(timestamp, client_secret))
        fresh(_seconds(timestamp), now=clock(), window=HOUR)
        return channel.hear("message", parse(body), id="", at=timestamp)

    async def click(headers: Mapping[str, str], body: bytes) -> Received:
        timestamp = headers.get("x-ddpaas-signature-timestamp", "")
        expected = dingtalk_card_signature(timestamp, channel.callback_secret)
        same(headers.get("x-ddpaas-signature", ""), expected)
        fresh(_seconds(timestamp), now=clock(), window=HOUR)
        id = hashlib.sha256(timestamp.encode() + body).hexdigest()[:32]  # a callback has none of its own
        return channel.hear("click", parse(body), id=id, at=timestamp)

    return [
        web.post(path, Webhook("dingtalk", decode, accept, channel.acknowledge, body_limit=body_limit).handle)
        for path, decode in ((MESSAGES, message), (CARDS, click))
    ]


def _seconds(milliseconds: str) -> str:
    """A timestamp in milliseconds as `bots.crypto.fresh` takes it."""
    return f"{milliseconds[:-3]}.{milliseconds[-3:]}"
