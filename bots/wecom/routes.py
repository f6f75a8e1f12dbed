"""`/wecom/app`: callbacks of the self-built app, signed and encrypted XML, acknowledged with nothing within its five seconds.

Order of work: signature over the envelope, age, envelope, meaning, and for clicks the button that was pressed.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web
from yarl import URL

from bots.edge import Received, Webhook
from bots.wecom.envelope import Envelope, read_xml
from bots.wecom.inbound import APP, IDLE_WARNING, Press, clicked, read_app
from core.errors import BadInput, BadSignature, Unreachable
from core.http import Http
from core.messages import Event
from core.sent_cards import SentCards
from core.settings import WeCom

_log = structlog.get_logger(__name__)


def app_routes(
    settings: WeCom,
    sent: SentCards,
    accept: Callable[[Event], Awaitable[bool]],
    *,
    body_limit: int,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The routes of the app.

    Args:
        settings: its secrets.
        sent: what its cards mean.
        accept: journals an event, `core.inbox.Inbox.accept`.
        body_limit: largest request body in bytes.
        clock: Unix seconds.
    """
    token, key = settings.callback_token.get_secret_value(), settings.encoding_aes_key.get_secret_value()
    envelope = Envelope(token, key, settings.corp_id)
    decoder = AppDecoder(envelope, sent, clock)
    webhook = Webhook(
        APP,
        decoder.decode,
        accept,
        lambda _event: b"",
        body_limit=body_limit,
        content_types=None,  # the documentation names none; the signature tells whose it is
        parameters=lambda request: request.query,
    )
    return [web.get("/wecom/app", echo(envelope, clock)), web.post("/wecom/app", webhook.handle)]


def echo(envelope: Envelope, clock: Callable[[], float]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answers WeCom's check of the address when it is saved: the decrypted `echostr`, and not a byte more."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return web.Response(text=envelope.open(request.query, request.query.get("echostr", ""), now=clock()))
        except BadSignature:
            return web.Response(status=401)
        except BadInput as error:
            _log.warning("wecom_address_check_failed", reason=str(error))
            return web.Response(status=400)

    return answer


async def answers(settings: WeCom, http: Http, address: URL) -> bool:
    """Whether the app's callback address answers WeCom's check as this installation would; asked for by `xops doctor`.

    Args:
        settings: the app's secrets.
        http: the one session.
        address: as WeCom would call it.
    """
    key, nonce, said = settings.encoding_aes_key.get_secret_value(), secrets.token_hex(8), secrets.token_hex(8)
    envelope = Envelope(settings.callback_token.get_secret_value(), key, settings.corp_id)
    sealed = envelope.seal(said, timestamp=int(time.time()), nonce=nonce)
    query = {"msg_signature": sealed["msgsignature"], "timestamp": str(sealed["timestamp"]), "nonce": nonce}
    try:
        answer = await http.request(
            "GET", address, system=APP, params={**query, "echostr": sealed["encrypt"]}, timeout=3
        )
    except Unreachable:
        return False
    return answer.status == web.HTTPOk.status_code and answer.body == said.encode()


class AppDecoder:
    """Turns a callback of the app into an event.

    Args:
        envelope: of its callback address.
        sent: what its cards mean.
        clock: Unix seconds.
    """

    def __init__(self, envelope: Envelope, sent: SentCards, clock: Callable[[], float]) -> None:
        self._envelope = envelope
        self._sent = sent
        self._clock = clock

    async def decode(self, query: Mapping[str, str], body: bytes) -> Received:
        """See `bots.edge.Decode`."""
        found = read_app(read_xml(self._opened(query, body)))
        if found is IDLE_WARNING:
            _log.warning("wecom_app_is_idle")
        if not isinstance(found, Press):
            return found
        if found.code:
            await self._sent.offer_code(found.reference, found.code)
        return clicked(found, await self._sent.get(found.reference))

    def _opened(self, query: Mapping[str, str], body: bytes) -> str:
        """The inside of an envelope. What is wrong before the signature is checked looks like a wrong signature."""
        try:
            sealed = read_xml(body).get("Encrypt")
        except BadInput as error:
            raise BadSignature("an envelope that cannot be read") from error
        return self._envelope.open(query, sealed if isinstance(sealed, str) else "", now=self._clock())
