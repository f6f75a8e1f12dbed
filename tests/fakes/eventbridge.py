"""EventBridge as its HTTP targets see it: signs with a key of its own, and serves the certificate over loopback.

Rules kept from the vendor: the address as the console has it, five headers in a fixed order, the body, a line feed between
each and, in the vendor's sample, one at the end; a repeated push is signed anew. Source: help.aliyun.com, EventBridge,
"signature algorithm".
"""

import base64
import hashlib
import hmac
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "eventbridge.test")])
PATH = "/x509_public_certificate_1.pem"
DAY = timedelta(days=1)


@cache
def new_key(_number: int = 0) -> rsa.RSAPrivateKey:
    """A key pair; another number, another key."""
    return rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey, now: datetime, *, until: timedelta = DAY) -> bytes:
    """A certificate of the key, as PEM."""
    built = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + until)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


class EventBridge:
    """One event bus's push.

    Args:
        clock: when it signs.
        token: of the target.
        trailing: whether a line feed ends what is signed, as in the vendor's sample.
    """

    def __init__(self, clock: Callable[[], datetime], *, token: str = "", trailing: bool = False) -> None:
        self.clock = clock
        self.token = token
        self.trailing = trailing
        self.key = new_key()
        self.pem = certificate(self.key, clock())
        self.fetched = 0
        self.failing = False
        self.certificates = ""

    def signed(self, url: str, body: bytes) -> dict[str, str]:
        """Headers of a push in the present scheme."""
        headers = self._headers("x-eventbridge-hash-method", "SHA256")
        signature = self.key.sign(self._text(url, headers, body), PKCS1v15(), hashes.SHA256())
        return {**headers, "x-eventbridge-signature-v2": base64.b64encode(signature).decode()}

    def signed_before(self, url: str, body: bytes) -> dict[str, str]:
        """Headers of a push in the older scheme."""
        headers = self._headers("x-eventbridge-signature-method", "HMAC-SHA1")
        secret = b"temporary-secret"
        signature = hmac.digest(secret, self._text(url, headers, body), hashlib.sha1)
        return {
            **headers,
            "x-eventbridge-signature-secret": base64.b64encode(_sealed(self.key, secret)).decode(),
            "x-eventbridge-signature": base64.b64encode(signature).decode(),
        }

    def _headers(self, method: str, value: str) -> dict[str, str]:
        token = {"x-eventbridge-signature-token": self.token} if self.token else {}
        return {
            "x-eventbridge-signature-timestamp": str(int(self.clock().timestamp() * 1000)),
            method: value,
            "x-eventbridge-signature-version": "1.0",
            "x-eventbridge-signature-url": f"{self.certificates}{PATH}",
            **token,
        }

    def _text(self, url: str, headers: dict[str, str], body: bytes) -> bytes:
        lines = [url, *(f"{name}: {value}" for name, value in headers.items())]
        return "\n".join(lines).encode() + b"\n" + body + (b"\n" if self.trailing else b"")

    async def serve_certificate(self, _request: web.Request) -> web.Response:
        """The certificate, as its host serves it."""
        self.fetched += 1
        return web.Response(status=503) if self.failing else web.Response(body=self.pem)


def _sealed(key: rsa.RSAPrivateKey, secret: bytes) -> bytes:
    """What only the private key can have made of a secret: PKCS#1 v1.5, block type 1."""
    numbers = key.private_numbers()
    size = (key.key_size + 7) // 8
    block = b"\x00\x01" + b"\xff" * (size - len(secret) - 3) + b"\x00" + secret
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


@asynccontextmanager
async def serving(bridge: EventBridge) -> AsyncGenerator[EventBridge]:
    """The certificate's host on loopback; `bridge.certificates` is its address."""
    application = web.Application()
    application.router.add_get("/{name}", bridge.serve_certificate)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bridge.certificates = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bridge
    finally:
        await runner.cleanup()
