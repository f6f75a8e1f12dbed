"""Requests exactly as Feishu makes them: events of people, encrypted and signed with the app's keys.

Written from the documentation and from `lark_oapi`, not from our own code: `tests/bots/test_feishu_sdk.py` lets the vendor's
SDK read what is built here.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.settings import Feishu

Json = dict[str, Any]
TENANT = "tenant_1"


def seal(plain: bytes, key: str) -> str:
    """Feishu's envelope around some bytes."""
    initial = secrets.token_bytes(16)
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(initial)).encryptor()
    sealed = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
    return base64.b64encode(initial + sealed).decode()


def sealed_body(payload: Json, settings: Feishu) -> bytes:
    """The body Feishu posts for a payload."""
    plain = json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return json.dumps({"encrypt": seal(plain, settings.encrypt_key.get_secret_value())}).encode()


def signed(body: bytes, settings: Feishu, now: float) -> dict[str, str]:
    """The headers Feishu sends with a body."""
    timestamp, nonce = str(int(now)), secrets.token_hex(8)
    key = settings.encrypt_key.get_secret_value()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": nonce,
        "X-Lark-Signature": hashlib.sha256((timestamp + nonce + key).encode() + body).hexdigest(),
    }


def envelope(kind: str, event: Json, settings: Feishu, create_time: int) -> Json:
    """Schema 2.0 around an event. `create_time` is in milliseconds for messages, in microseconds for clicks."""
    return {
        "schema": "2.0",
        "header": {
            "event_id": secrets.token_hex(16),
            "event_type": kind,
            "create_time": str(create_time),
            "token": settings.verification_token.get_secret_value(),
            "app_id": settings.app_id,
            "tenant_key": TENANT,
        },
        "event": event,
    }


def person(open_id: str) -> Json:
    """The three ids of someone."""
    return {"open_id": open_id, "union_id": f"on_{open_id}", "user_id": ""}


def mention(key: str, open_id: str, name: str, *, bot: bool) -> Json:
    """One entry of `mentions`."""
    kind = "bot" if bot else "user"
    return {"key": key, "id": person(open_id), "mentioned_type": kind, "name": name, "tenant_key": TENANT}


def click(operator: str, chat: str, message: str, action: Json) -> Json:
    """The event of a press."""
    return {
        "operator": {**person(operator), "tenant_key": TENANT},
        "token": f"c-{secrets.token_hex(20)}",
        "action": action,
        "host": "im_message",
        "context": {"open_message_id": message, "open_chat_id": chat},
    }


def pressed(button: Json, form: Mapping[str, object] | None) -> Json:
    """The `action` of a callback: what the button carries, or the option of a menu, or a form's values."""
    if button["tag"] == "overflow":
        return {"tag": "overflow", "option": button["value"]}
    behaviours = [part for part in button.get("behaviors", ()) if part["type"] == "callback"]
    action: Json = {"tag": "button", "timezone": "Asia/Shanghai"}
    if behaviours:
        action["value"] = behaviours[0]["value"]
    if "name" in button:
        action |= {"name": button["name"], "form_value": dict(form or {})}
    return action
