"""`POST /feishu/events`: Feishu's events and card callbacks, signed and encrypted, acknowledged within its three seconds.

Order of work: signature over the bytes as received, age, envelope, verification token, meaning. Only Feishu's check of
the address (`url_verification`) comes without a signature; whatever else is wrong with an unsigned request is answered
like a bad signature, so that nobody can probe the envelope.
"""

import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bots.crypto import FeishuEnvelope, feishu_signature, fresh, same
from bots.edge import Received, Webhook, parse
from bots.feishu.client import FeishuChannel
from bots.feishu.inbound import Json, token
from bots.feishu.intake import acknowledge, understand
from core.errors import BadInput, BadSignature
from core.messages import Event
from core.settings import Feishu

REDELIVERED = 8 * 3600.0
"""Oldest request in seconds: Feishu brings an event again for up to 7 h 20 min. What is replayed within that time finds its
row in the journal, which is kept longer, and changes nothing."""


def feishu_routes(
    settings: Feishu,
    channel: FeishuChannel,
    accept: Callable[[Event], Awaitable[bool]],
    *,
    body_limit: int,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The routes of the Feishu app.

    Args:
        settings: its secrets.
        channel: fetches the messages that a message refers to.
        accept: journals an event, `core.inbox.Inbox.accept`.
        body_limit: largest request body in bytes.
        clock: Unix seconds.
    """
    decoder = Decoder(settings, channel, clock)
    webhook = Webhook("feishu", decoder.decode, accept, acknowledge, body_limit=body_limit)
    return [web.post("/feishu/events", webhook.handle)]


class Decoder:
    """Turns a request of Feishu into an event.

    Args:
        settings: the app's secrets.
        channel: fetches the messages that a message refers to.
        clock: Unix seconds.
    """

    def __init__(self, settings: Feishu, channel: FeishuChannel, clock: Callable[[], float]) -> None:
        self._encrypt_key = settings.encrypt_key.get_secret_value()
        self._verification_token = settings.verification_token.get_secret_value()
        self._envelope = FeishuEnvelope(self._encrypt_key)
        self._channel = channel
        self._clock = clock

    async def decode(self, headers: Mapping[str, str], body: bytes) -> Received:
        """See `bots.edge.Decode`."""
        return await understand(self._verified(headers, body), self._channel)

    def _verified(self, headers: Mapping[str, str], body: bytes) -> Json:
        signature = headers.get("X-Lark-Signature")
        if signature is None:
            return self._unsigned(body)
        timestamp, nonce = headers.get("X-Lark-Request-Timestamp", ""), headers.get("X-Lark-Request-Nonce", "")
        same(signature, feishu_signature(timestamp, nonce, self._encrypt_key, body))
        fresh(timestamp, now=self._clock(), window=REDELIVERED)
        payload = self._opened(body)
        same(token(payload), self._verification_token)
        return payload

    def _unsigned(self, body: bytes) -> Json:
        try:
            payload = self._opened(body)
        except BadInput as error:
            raise BadSignature("an unsigned request that cannot be opened") from error
        if payload.get("type") != "url_verification":
            raise BadSignature("an event without a signature")
        same(token(payload), self._verification_token)
        return payload

    def _opened(self, body: bytes) -> Json:
        sealed = parse(body).get("encrypt")
        if not isinstance(sealed, str):
            raise BadInput("the body is not encrypted")
        return parse(self._envelope.open(sealed))
