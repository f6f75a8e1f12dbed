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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
