"""What a person's message looks like on the wire, signed as each platform signs it."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

from core.settings import Feishu
from tests.fakes import feishu_events

SLACK_SECRET = "bench-signing-secret"
FEISHU = Feishu.model_validate(
    {
        "app_id": "cli_bench",
        "app_secret": "bench-app-secret",
        "encrypt_key": "bench-encrypt-key",
        "verification_token": "bench-verification-token",
    }
)
PERSON = "ou_bench"

Event = Callable[[int, int], tuple[Mapping[str, str], bytes]]
"""(number, place) to (headers, body)."""


def feishu(text: str) -> Event:
    """Encrypted and signed private messages with this text; `{place}` in it becomes the place's number."""

    def event(number: int, place: int) -> tuple[Mapping[str, str], bytes]:
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
        return feishu_events.signed(body, FEISHU, now), body

    return event


def slack(text: str) -> Event:
    """Signed messages in a channel; the text as in `feishu`."""

    def event(number: int, place: int) -> tuple[Mapping[str, str], bytes]:
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
        return {"Content-Type": "application/json", **headers}, body

    return event
