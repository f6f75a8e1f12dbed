"""WeCom's envelopes, made as its documentation describes them, not by our own code nor by `wechatpy`.

16 random bytes, the length in four bytes, the message, whom it is for; padded to 32; AES-256-CBC with the key's first half
as IV. The signature is SHA-1 over the sorted parts. Source: developer.work.weixin.qq.com, path 90968.
"""

import base64
import hashlib
import secrets
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


@dataclass(frozen=True)
class Crypto:
    """Keys of one callback address, as the console shows them."""

    token: str
    aes_key: str
    receive_id: str

    def seal(self, message: str) -> str:
        """An envelope around a message."""
        plain = message.encode("utf-8", "surrogatepass")
        content = secrets.token_bytes(16) + struct.pack(">I", len(plain)) + plain + self.receive_id.encode()
        padding = BLOCK - len(content) % BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(content + bytes([padding]) * padding) + encryptor.finalize()).decode()

    def open(self, sealed: str) -> str:
        """The message in an envelope, which must be for us."""
        decryptor = self._cipher().decryptor()
        content = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
        assert 1 <= content[-1] <= BLOCK
        content = content[16 : -content[-1]]
        (length,) = struct.unpack(">I", content[:4])
        assert content[4 + length :].decode() == self.receive_id
        return content[4 : 4 + length].decode()

    def sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        """`msg_signature`."""
        parts = sorted([self.token, timestamp, nonce, sealed])
        return hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()

    def query(self, sealed: str, now: float) -> dict[str, str]:
        """The query that WeCom adds to the callback address."""
        timestamp, nonce = str(int(now)), secrets.token_hex(8)
        return {"msg_signature": self.sign(timestamp, nonce, sealed), "timestamp": timestamp, "nonce": nonce}

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(f"{self.aes_key}=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def fresh_aes_key() -> str:
    """43 letters and digits, as the console makes them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(secrets.choice(alphabet) for _ in range(42)) + "A"
