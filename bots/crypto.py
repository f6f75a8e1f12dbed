"""Signatures and envelopes of webhooks: pure functions over strings and bytes, compared in constant time.

Whatever arrives, only two exceptions leave this module: `BadSignature` when the sender is not who it says it is, and
`BadInput` when something rightly signed cannot be opened.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from core.errors import BadInput, BadSignature

BLOCK = 16


def same(given: str, expected: str) -> None:
    """Compare a secret somebody sent with ours, without telling by the time it takes where they differ.

    Raises:
        BadSignature: they differ, or ours is empty.
    """
    if not expected or not hmac.compare_digest(_bytes(given), _bytes(expected)):
        raise BadSignature("a secret or signature does not match")


def fresh(timestamp: str, *, now: float, window: float = 300.0) -> None:
    """Check that a signed request was made just now, so that a recorded one cannot be played back later.

    Args:
        timestamp: Unix seconds, as the sender wrote them.
        now: Unix seconds here.
        window: greatest difference allowed, in seconds, either way.

    Raises:
        BadSignature: too old, from the future, or not a time.
    """
    try:
        age = abs(now - float(timestamp))
    except ValueError as error:
        raise BadSignature("the timestamp is not a number") from error
    if not age <= window:  # also refuses "nan"
        raise BadSignature("the timestamp is outside the window")


def feishu_signature(timestamp: str, nonce: str, key: str, body: bytes) -> str:
    """Feishu's `X-Lark-Signature`: SHA-256 over timestamp, nonce, Encrypt Key and the body exactly as received.

    Source: open.feishu.cn, event subscription guide, "Encrypt Key".
    """
    return hashlib.sha256(_bytes(timestamp + nonce + key) + body).hexdigest()


def dingtalk_signature(timestamp: str, secret: str) -> str:
    """DingTalk's `sign` header of a robot's webhook: HMAC-SHA256 over timestamp and Client Secret, keyed with the latter.

    The body is not part of it. Source: open.dingtalk.com, "receive-message".
    """
    return _hmac(secret, f"{timestamp}\n{secret}")


def dingtalk_card_signature(timestamp: str, secret: str) -> str:
    """DingTalk's `x-ddpaas-signature` of a card callback: HMAC-SHA256 over the timestamp, keyed with the `apiSecret`.

    Source: open.dingtalk.com, "register-card-callback-address".
    """
    return _hmac(secret, timestamp)


def wecom_signature(token: str, timestamp: str, nonce: str, sealed: str) -> str:
    """WeCom's `msg_signature`: SHA-1 over token, timestamp, nonce and envelope, sorted and joined.

    Source: developer.work.weixin.qq.com, path 90968, "加解密方案说明".
    """
    parts = sorted(map(_bytes, (token, timestamp, nonce, sealed)))
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()  # the platform's choice, not ours


class FeishuEnvelope:
    """Feishu's AES-256-CBC envelope: the key is SHA-256 of the Encrypt Key, the first block is the IV, padding is PKCS#7.

    Args:
        key: the app's Encrypt Key.
    """

    def __init__(self, key: str) -> None:
        self._key = algorithms.AES(hashlib.sha256(_bytes(key)).digest())

    def open(self, sealed: str) -> bytes:
        """The content of an envelope.

        Raises:
            BadInput: not base64, cut short, or sealed with another key.
        """
        try:
            raw = base64.b64decode(sealed, validate=True)
            decryptor = Cipher(self._key, modes.CBC(raw[:BLOCK])).decryptor()
            unpadder = PKCS7(BLOCK * 8).unpadder()
            padded = decryptor.update(raw[BLOCK:]) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError as error:
            raise BadInput("the envelope cannot be opened") from error


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.digest(_bytes(key), _bytes(message), "sha256")).decode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
