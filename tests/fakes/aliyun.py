"""An Alibaba Cloud gateway on loopback: it checks who asks, and the request by the SDK's models; a product does the rest.

    class FakeDataWorks(AliyunGateway):
        async def answer(self, action: str, given: Json) -> Json: …

Rules, from Alibaba Cloud's description of signature version 3 and from what its SDK sends: the signature covers method, path,
query, the headers it names and the digest of the body; a parameter missing is 400 `Missing…`, one that is wrong 400
`InvalidParameter`, an unknown key 404 `InvalidAccessKeyId.NotFound`, a wrong signature 400 `SignatureDoesNotMatch`, an expired
session 400 `InvalidSecurityToken.Expired`, too many calls 429 `Throttling.User`.
"""

import asyncio
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qsl, quote

from aiohttp import web

from tests.fakes.aliyun_rules import problem, request_rules

Json = dict[str, Any]
KEY: Final = "LTAI5tFakeAccessKey"
SECRET: Final = "fake-secret-of-the-access-key"
AUTHORIZATION: Final = re.compile(r"ACS3-HMAC-SHA256 Credential=(\S+),SignedHeaders=(\S+),Signature=(\S+)")
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


class AliyunGateway:
    """The server.

    Attributes:
        calls: actions in the order they came, those refused as well.
        exchanges: what was asked and answered.
        faults: answered next, one a request, before anything is looked at.
        refusals: answered once by the action they are for.
        denied: actions this identity has no right to.
        token: the session token that is asked for; none when empty.
        slow: when given, answers wait until it is set.
    """

    PACKAGES: ClassVar[Mapping[str, str]] = {}
    """Package of the SDK whose models say what a version's operations take."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.refusals: dict[str, Fault] = {}
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
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def count(self) -> Counter[str]:
        """How often each action was called."""
        return Counter(self.calls)

    async def answer(self, action: str, given: Json) -> Json:
        """What the product answers; raises `Fault`."""
        raise NotImplementedError

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        action, version = request.headers["x-acs-action"], request.headers["x-acs-version"]
        self.calls.append(action)
        query, form = dict(request.query), dict(parse_qsl(body.decode(), keep_blank_values=True))
        status, headers = 200, {}
        try:
            if self.faults:
                raise self.faults.pop(0)
            if action in self.refusals:
                raise self.refusals.pop(action)
            self._know(request, body)
            answer = await self._answer(action, version, query | form)
        except Fault as fault:
            status, headers = fault.status, dict(fault.headers)
            answer = {"Code": fault.code, "Message": fault.words, "HostId": "dataworks"}
        answer |= {"RequestId": "0A1B2C3D-0000-0000-0000-000000000000"}
        if self.slow is not None:
            await self.slow.wait()
        shown = {name: value for name, value in request.headers.items() if name.lower() not in MASKED}
        self.exchanges.append(Exchange(action, version, request.method, shown, query, form, status, answer))
        if not answer.get("Code", "200"):
            return web.Response(text=answer["Message"], status=status, content_type="text/html")
        return web.json_response(answer, status=status, headers=headers)

    async def _answer(self, action: str, version: str, given: Json) -> Json:
        rules = request_rules(self.PACKAGES[version], action) if version in self.PACKAGES else None
        if rules is None:
            raise Fault(404, "InvalidAction.NotFound", f"{action} of {version}")
        if action in self.denied:
            raise Fault(403, "NoPermission", f"You are not authorized to do this action: {action}")
        if told := problem(rules, given):
            raise Fault(400, *told)
        return await self.answer(action, given) | self.extra

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
