"""Whether EventBridge sent a request: an RSA signature over address, headers and body, by a certificate from a pinned host.

Signed is the address as it was entered in EventBridge's console, five headers in a fixed order, and the body, a line feed
between each; the vendor's own sample adds one at the end, its text does not, so both are tried. The older scheme sends a
secret that only EventBridge's private key can have made, and an HMAC-SHA1 with it.

Source: help.aliyun.com, EventBridge user guide, "signature algorithm"; aliyun/alibabacloud-eventbridge-sdk, `signature`.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bots.crypto import fresh, same
from core.errors import BadSignature, Unreachable
from core.http import Http
from core.settings import EventSettings

SYSTEM = "eventbridge"
PREFIX = "x-eventbridge-signature"
WINDOW_SECONDS = 60.0
"""How old a request may be; EventBridge signs a repeated push anew."""

LARGEST_CERTIFICATE = 65_536
MOST_CERTIFICATES = 8

_SIGNED = f"{PREFIX}-timestamp", "x-eventbridge-hash-method", f"{PREFIX}-version", f"{PREFIX}-url", f"{PREFIX}-token"
_SIGNED_BEFORE = f"{PREFIX}-timestamp", f"{PREFIX}-method", f"{PREFIX}-version", f"{PREFIX}-url", f"{PREFIX}-token"


class Certificates:
    """EventBridge's public keys, each fetched once and kept until its certificate expires.

    Args:
        settings: where certificates may come from, or the one that is used instead.
        http: the one session.
        clock: the present, with zone.
    """

    def __init__(self, settings: EventSettings, http: Http, *, clock: Callable[[], datetime]) -> None:
        region = settings.eventbridge_region
        self._prefix = settings.eventbridge_certificates or f"https://{region}-eventbridge.oss-accelerate.aliyuncs.com/"
        self._pinned = settings.eventbridge_certificate.encode()
        self._http = http
        self._clock = clock
        self._known: dict[str, tuple[RSAPublicKey, datetime]] = {}
        self._fetching = asyncio.Lock()  # one at a time, however many callers name however many addresses

    async def key(self, url: str) -> RSAPublicKey:
        """The key of the certificate at an address.

        Raises:
            BadSignature: not an address of EventBridge's, or nothing there that is a certificate now.
            Unreachable: its host does not answer.
        """
        if self._pinned:
            return self._read(self._pinned)[0]
        if not url.startswith(self._prefix) or not url.isascii() or any(mark in url for mark in "?#\\ "):
            raise BadSignature("the certificate is not at EventBridge's address")
        async with self._fetching:
            if url not in self._known or self._known[url][1] <= self._clock():
                self._keep(url, await self._fetch(url))
            return self._known[url][0]

    def _keep(self, url: str, found: tuple[RSAPublicKey, datetime]) -> None:
        self._known.pop(url, None)
        while len(self._known) >= MOST_CERTIFICATES:
            self._known.pop(next(iter(self._known)))
        self._known[url] = found

    async def _fetch(self, url: str) -> tuple[RSAPublicKey, datetime]:
        answer = await self._http.request("GET", url, system=SYSTEM, timeout=3.0)
        if answer.status >= 500:
            raise Unreachable(f"{SYSTEM} answered {answer.status} for a certificate", system=SYSTEM)
        if answer.status != 200 or len(answer.body) > LARGEST_CERTIFICATE:
            raise BadSignature("there is no certificate at that address")
        return self._read(answer.body)

    def _read(self, pem: bytes) -> tuple[RSAPublicKey, datetime]:
        try:
            certificate = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise BadSignature("not a certificate") from error
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise BadSignature("not an RSA certificate")
        if not certificate.not_valid_before_utc <= self._clock() < certificate.not_valid_after_utc:
            raise BadSignature("the certificate is not valid now")
        return key, certificate.not_valid_after_utc


class EventBridgeSignature:
    """Verifies pushes to this server.

    Args:
        settings: token, and whether the older scheme will do.
        certificates: EventBridge's keys.
        public_url: this server as EventBridge's console has it: `https://xops.example.com`.
        clock: the present, with zone.
    """

    def __init__(
        self, settings: EventSettings, certificates: Certificates, public_url: str, *, clock: Callable[[], datetime]
    ) -> None:
        self._token = settings.eventbridge_token.get_secret_value()
        self._legacy = settings.eventbridge_legacy
        self._certificates = certificates
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    async def verify(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Check one request.

        Args:
            path: with the query, as it was asked for.
            headers: by any case.
            body: exactly as received.

        Raises:
            BadSignature: EventBridge did not send it, or not just now.
            Unreachable: the certificate cannot be had.
        """
        timestamp = headers.get(f"{PREFIX}-timestamp", "")
        fresh(timestamp[:-3], now=self._clock().timestamp(), window=WINDOW_SECONDS)  # milliseconds
        if self._token:
            same(headers.get(f"{PREFIX}-token", ""), self._token)
        url = self._public_url + path
        if signature := headers.get(f"{PREFIX}-v2"):
            await self._verify(_texts(url, headers, _SIGNED, body), headers, signature)
        elif self._legacy:
            await self._verify_legacy(_texts(url, headers, _SIGNED_BEFORE, body), headers)
        else:
            raise BadSignature("no signature")

    async def _verify(self, texts: Sequence[bytes], headers: Mapping[str, str], signature: str) -> None:
        if headers.get("x-eventbridge-hash-method") != "SHA256":
            raise BadSignature("an unknown hash method")
        key = await self._certificates.key(headers.get(f"{PREFIX}-url", ""))
        signed = _base64(signature)
        for text in texts:
            try:
                return key.verify(signed, text, PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                continue
        raise BadSignature("the signature does not hold")

    async def _verify_legacy(self, texts: Sequence[bytes], headers: Mapping[str, str]) -> None:
        key = await self._certificates.key(headers.get(f"{PREFIX}-url", ""))
        try:
            secret = key.recover_data_from_signature(_base64(headers.get(f"{PREFIX}-secret", "")), PKCS1v15(), None)
        except InvalidSignature as error:
            raise BadSignature("the secret is not EventBridge's") from error
        given = headers.get(PREFIX, "").encode("utf-8", "surrogateescape")
        sound = [base64.b64encode(hmac.digest(secret, text, hashlib.sha1)) for text in texts]
        if not any(hmac.compare_digest(given, one) for one in sound):
            raise BadSignature("the signature does not hold")


def _texts(url: str, headers: Mapping[str, str], names: Sequence[str], body: bytes) -> tuple[bytes, bytes]:
    """What is signed, without and with a line feed at the end."""
    lines = [url, *(f"{name}: {headers[name]}" for name in names if name in headers)]
    text = "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n" + body
    return text, text + b"\n"


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("not base64") from error
