"""What a person's message looks like on the wire, signed as each platform signs it."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from core.settings import DingTalk, Feishu, WeCom
from tests.fakes import feishu_events
from tests.fakes.wecom_crypto import Crypto

SLACK_SECRET = "bench-signing-secret"
FEISHU = Feishu.model_validate(
    {
        "app_id": "cli_bench",
        "app_secret": "bench-app-secret",
        "encrypt_key": "bench-encrypt-key",
        "verification_token": "bench-verification-token",
    }
)
DINGTALK = DingTalk.model_validate(
    {"client_id": "dingbench", "client_secret": "bench-client-secret", "card_template_id": "bench.schema"}
)
WECOM = WeCom.model_validate(
    {
        "corp_id": "wwbench",
        "agent_id": 1000002,
        "secret": "bench-app-secret",
        "callback_token": "bench-callback-token",
        "encoding_aes_key": "b" * 42 + "A",
    }
)
PERSON = "ou_bench"


class Wire(NamedTuple):
    """One request of a messenger to the bot."""

    headers: Mapping[str, str]
    body: bytes
    query: str = ""


Event = Callable[[int, int], Wire]
"""From number and place."""


def feishu(text: str) -> Event:
    """Encrypted and signed private messages with this text; `{place}` in it becomes the place's number."""

    def event(number: int, place: int) -> Wire:
        now = time.time()
        said = {
            "sender": {"sender_id": feishu_events.person(PERSON), "sender_type": "user", "tenant_key": "tenant_1"},
            "message": {
                "message_id": f"om_{number}_place{place}x",
                "create_time": str(int(now * 1000)),
                "chat_id": f"oc_place{place}x",
                "chat_type": "p2p",
                "message_type": "text",
                "content": json.dumps({"text": text.format(place=place)}),
            },
        }
        payload = feishu_events.envelope("im.message.receive_v1", said, FEISHU, int(now * 1000))
        body = feishu_events.sealed_body(payload, FEISHU)
        return Wire(feishu_events.signed(body, FEISHU, now), body)

    return event


def dingtalk(text: str) -> Event:
    """Signed messages in a group, as HTTP mode brings them, to be answered with a card."""
    secret = DINGTALK.client_secret.get_secret_value()

    def event(number: int, place: int) -> Wire:
        now = str(int(time.time() * 1000))
        said = {
            "msgId": f"msg{number}",
            "msgtype": "text",
            "text": {"content": f" {text.format(place=place)}"},
            "conversationId": f"cid_place{place}x",
            "conversationType": "2",
            "isInAtList": True,
            "senderStaffId": PERSON,
            "senderId": f"$:LWCP_v1:${PERSON}",
            "senderNick": "bench",
            "senderCorpId": "dingcompany",
            "chatbotCorpId": "dingcompany",
            "chatbotUserId": "$:LWCP_v1:$robot",
            "robotCode": DINGTALK.client_id,
            "createAt": int(now),
        }
        sign = base64.b64encode(hmac.digest(secret.encode(), f"{now}\n{secret}".encode(), "sha256")).decode()
        headers = {"Content-Type": "application/json", "timestamp": now, "sign": sign}
        return Wire(headers, json.dumps(said).encode())

    return event


def wecom(text: str) -> Event:
    """Encrypted and signed messages to the app. A private chat is its person, so each place is a person of its own."""
    crypto = Crypto(WECOM.callback_token.get_secret_value(), WECOM.encoding_aes_key.get_secret_value(), WECOM.corp_id)

    def event(number: int, place: int) -> Wire:
        now = time.time()
        sealed = crypto.seal(
            f"<xml><ToUserName>{WECOM.corp_id}</ToUserName><FromUserName>place{place}x</FromUserName>"
            f"<CreateTime>{int(now)}</CreateTime><AgentID>{WECOM.agent_id}</AgentID><MsgType>text</MsgType>"
            f"<Content>{text.format(place=place)}</Content><MsgId>{number + 1}</MsgId></xml>"
        )
        body = f"<xml><ToUserName>{WECOM.corp_id}</ToUserName><Encrypt>{sealed}</Encrypt></xml>"
        return Wire({"Content-Type": "text/xml"}, body.encode(), urlencode(crypto.query(sealed, now)))

    return event


def slack(text: str) -> Event:
    """Signed messages in a channel; the text as in `feishu`."""

    def event(number: int, place: int) -> Wire:
        channel, said = f"Cplace{place}x", text.format(place=place)
        payload = {
            "type": "event_callback",
            "event_id": f"Ev{number}",
            "event_time": 1,
            "team_id": "T1",
            "api_app_id": "A1",
            "authorizations": [{"team_id": "T1", "user_id": "W1", "is_bot": True, "is_enterprise_install": False}],
            "event": {"type": "message", "text": said, "user": "W2", "ts": "1.1", "channel": channel, "team": "T1"},
        }
        body, now = json.dumps(payload).encode(), str(int(time.time()))
        digest = hmac.new(SLACK_SECRET.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={digest}"}
        return Wire({"Content-Type": "application/json", **headers}, body)

    return event
