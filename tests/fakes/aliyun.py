"""An Alibaba Cloud gateway on loopback: it checks who asks, and the request by the SDK's models; a product does the rest.

    class FakeDataWorks(AliyunGateway):
        async def answer(self, action: str, given: Json) -> Json: …

Rules, from Alibaba Cloud's description of signature version 3 and from what its SDK sends: the signature covers method, path,
query, the headers it names and the digest of the body; a parameter missing is 400 `Missing…`, one that is wrong 400
`InvalidParameter`, an unknown key 404 `InvalidAccessKeyId.NotFound`, a wrong signature 400 `SignatureDoesNotMatch`, an expired
session 400 `InvalidSecurityToken.Expired`, too many calls 429 `Throttling.User`. A gateway that `knows` version 2
alone finds the action and the signature (HMAC-SHA1 over the parameters) in the query, and an access key nowhere else.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qsl, quote

from aiohttp import web

from tests.fakes.aliyun_rules import Rule, problem, request_rules

Json = dict[str, Any]
KEY: Final = "LTAI5tFakeAccessKey"
SECRET: Final = "fake-secret-of-the-access-key"
AUTHORIZATION: Final = re.compile(r"ACS3-HMAC-SHA256 Credential=(\S+),SignedHeaders=(\S+),Signature=(\S+)")
OF_SIGNATURE: Final = {
    "Action",
    "Version",
    "Format",
    "Timestamp",
    "SignatureNonce",
    "SignatureMethod",
    "SignatureVersion",
    "AccessKeyId",
    "Signature",
}
"""Parameters that are about the second version of signatures alone."""
MASKED: Final = {
    "user-agent",
    "content-length",
    "authorization",
    "x-acs-signature-nonce",
    "x-acs-date",
    "x-acs-content-sha256",
    "x-acs-security-token",
    "host",
}


@dataclass(eq=False)
class Fault(Exception):
    """An answer that is an error; without a code, a page of some gateway on the way."""

    status: int
    code: str
    words: str = "no"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, without what is secret or different each time."""

    action: str
    version: str
    method: str
    headers: Json
    query: Json
    form: Json
    status: int
    answer: Json


class AliyunGateway(ABC):
    """The server.

    Attributes:
        calls: actions in the order they came, those refused as well.
        exchanges: what was asked and answered.
        faults: answered next, one a request, before anything is looked at.
        refusals: answered once by the action they are for.
        lost: actions that are carried out once, and whose answer is lost on the way.
        denied: actions this identity has no right to.
        token: the session token that is asked for; none when empty.
        slow: when given, answers wait until it is set.
        knows: the version of signatures it takes, `v3` or `v2`.

    Args:
        tls: with which it speaks HTTPS; HTTP when None.
    """

    PACKAGES: ClassVar[Mapping[str, str]] = {}
    """Package of the SDK whose models say what a version's operations take."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.knows = "v3"
        self.calls: list[str] = []
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.refusals: dict[str, Fault] = {}
        self.lost: set[str] = set()
        self.denied: set[str] = set()
        self.token = ""
        self.slow: asyncio.Event | None = None
        self.extra: Json = {}
        self.url = ""
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"{'https' if self._tls else 'http'}://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def count(self) -> Counter[str]:
        """How often each action was called."""
        return Counter(self.calls)

    @abstractmethod
    async def answer(self, action: str, given: Json) -> Json:
        """What the product answers; raises `Fault`."""

    def rules(self, action: str, version: str) -> Mapping[str, Rule] | None:
        """What an operation takes; None when there is no such operation."""
        return request_rules(self.PACKAGES[version], action) if version in self.PACKAGES else None

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        action, version = (_told(request, name) for name in ("Action", "Version"))
        self.calls.append(action)
        query, form = dict(request.query), dict(parse_qsl(body.decode(), keep_blank_values=True))
        status, headers = 200, {}
        try:
            if self.faults:
                raise self.faults.pop(0)
            if action in self.refusals:
                raise self.refusals.pop(action)
            (self._know if self.knows == "v3" else self._know_older)(request, body)
            given = {name: value for name, value in (query | form).items() if name not in OF_SIGNATURE}
            answer = await self._answer(action, version, given)
        except Fault as fault:
            status, headers = fault.status, dict(fault.headers)
            answer = {"Code": fault.code, "Message": fault.words, "HostId": "dataworks"}
        answer |= {"RequestId": "0A1B2C3D-0000-0000-0000-000000000000"}
        if self.slow is not None:
            await self.slow.wait()
        shown = {name: value for name, value in request.headers.items() if name.lower() not in MASKED}
        self.exchanges.append(Exchange(action, version, request.method, shown, query, form, status, answer))
        if self._tls:  # the SDK would keep it open beyond the server's life
            headers |= {"Connection": "close"}
        if not answer.get("Code", "200"):
            return web.Response(text=answer["Message"], status=status, content_type="text/html")
        return web.json_response(answer, status=status, headers=headers)

    async def _answer(self, action: str, version: str, given: Json) -> Json:
        rules = self.rules(action, version)
        if rules is None:
            raise Fault(404, "InvalidAction.NotFound", f"{action} of {version}")
        if action in self.denied:
            raise Fault(403, "NoPermission", f"You are not authorized to do this action: {action}")
        if told := problem(rules, given):
            raise Fault(400, *told)
        answer = await self.answer(action, given)
        if action in self.lost:
            self.lost.remove(action)
            raise Fault(504, "ServiceUnavailable.Timeout", "The request has timed out.")
        return answer | self.extra

    def _know(self, request: web.Request, body: bytes) -> None:
        told = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if told is None:
            raise Fault(400, "IncompleteSignature", "no signature of version 3")
        key, names, signature = told.groups()
        if key != KEY:
            raise Fault(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        canonical = canonical_request(request, names.split(";"), body)
        if not hmac.compare_digest(signature, sign(canonical)):
            words = f"server string to sign is:{canonical}"
            raise Fault(400, "SignatureDoesNotMatch", words)
        if request.headers.get("x-acs-security-token", "") != self.token:
            raise Fault(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")

    def _know_older(self, request: web.Request, body: bytes) -> None:
        if "AccessKeyId" not in request.query:
            raise Fault(400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.")
        given = dict(request.query) | dict(parse_qsl(body.decode(), keep_blank_values=True))
        signature = given.pop("Signature", "")
        if not hmac.compare_digest(signature, sign_older(request.method, given)):
            raise Fault(400, "SignatureDoesNotMatch", "The request signature does not conform to standards.")


def _told(request: web.Request, name: str) -> str:
    """Action or version, as either version of signatures tells it."""
    return request.headers.get(f"x-acs-{name.lower()}") or request.query.get(name, "")


def sign_older(method: str, given: Mapping[str, str]) -> str:
    """The signature of version 2."""
    pairs = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(given.items()))
    text = f"{method}&{quote('/', safe='')}&{quote(pairs, safe='~')}"
    return base64.b64encode(hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def canonical_request(request: web.Request, names: list[str], body: bytes) -> str:
    """What the signature covers, made from what came in and not from what the client says of it."""
    query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(request.query.items()))
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in sorted(names))
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join([request.method, request.path, query, headers, ";".join(names), digest])


def sign(canonical: str) -> str:
    """The signature of a canonical request."""
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
