"""Calls of DingTalk's two generations of API, with one reading of what they answer.

The new one (`api.dingtalk.com`) refuses with an HTTP status and a `code`, and throttles with 403; the old one
(`oapi.dingtalk.com`) answers 200 with an `errcode`, sometimes as a string. Both are counted, since an organisation has
5000 calls a month. Sources: open.dingtalk.com, "global error codes", "how-to-process-api-throttling".
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import structlog
from aiolimiter import AsyncLimiter
from prometheus_client import Counter, Gauge

from core.errors import Refused, RemoteError, Throttled, Unauthorized, Unreachable
from core.http import Http, Response, Token
from core.settings import DingTalk

CALLS = Counter("xops_dingtalk_calls", "Calls of DingTalk's API, by what became of them", ["call", "outcome"])
QUOTA = Gauge("xops_dingtalk_quota_exhausted", "1 once DingTalk said that a monthly quota is used up", ["quota"])

PATIENCE = 70.0
"""Seconds one call waits in all because DingTalk asked it to slow down: a limit per minute ends within them."""

ATTEMPTS = 3
"""Tries of a call that may be repeated. DingTalk's gateway gives up after 3 s with 504, whatever became of the call."""

STALE = {"InvalidAuthentication", "40001", "40014", "42001", "88"}
TOO_FAST = {
    "send.too.fast",
    "send.byToken.tooFast",
    "too.many.group",
    "too.many.people",
    "qps.exceed.limit",
    "system.busy",
    "systemBusy",
    "90002",
    "90018",
    "410100",
    "-1",
}
NO_QUOTA = {"Forbidden.AccessDenied.ApiCountLimitForOrg", "90020"}
_MODERATED = ("contain.", "param.contentUnsafe", "43010")

_BANNED_SECONDS = 300.0
DENIED, UNTRUSTED = "AccessTokenPermissionDenied", "IpNotInWhiteList"
"""Ends of the codes of a call without permission, and of one from an address that the console does not list."""

_log = structlog.get_logger(__name__)


class Api:
    """Both generations of the API for one app.

    Args:
        settings: its credentials, and the hosts.
        http: the one session.
        sleep: waits; tests pass a clock of their own.
    """

    def __init__(self, settings: DingTalk, http: Http, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._settings = settings
        self._http = http
        self._sleep = sleep
        self._token = Token(self._fetch_token)
        self._pace = AsyncLimiter(max(settings.calls_per_second / 10, 1), max(0.1, 1 / settings.calls_per_second))

    async def call(self, method: str, path: str, json: object, *, repeatable: bool) -> dict[str, Any]:
        """Call the new API.

        Args:
            method: HTTP method.
            path: below the host, e.g. `/v1.0/card/instances`.
            json: body.
            repeatable: whether a call whose outcome is unknown may be made again.

        Raises:
            RemoteError: it was not carried out, or nobody knows.
        """
        url = f"{self._settings.api}{path}"

        async def once() -> dict[str, Any]:
            token = await self._token.get()
            headers = {"x-acs-dingtalk-access-token": token}
            return await self._once(method, url, path, json, token, headers=headers, repeatable=repeatable)

        answer = await self._patiently(once)
        QUOTA.labels("calls").set(0)
        return answer

    async def name_of(self, user_id: str) -> str:
        """The name of someone of the company.

        Raises:
            RemoteError: nobody has this id, the app may not see the person, or as of `call`.
        """
        return await self._ask("/topapi/v2/user/get", {"userid": user_id}, "name")

    async def user_of(self, code: str) -> str:
        """The user id of whoever's client gave our page this code; it works once, within five minutes.

        Raises:
            RemoteError: DingTalk does not know the code, or as of `call`.
        """
        return await self._ask("/topapi/v2/user/getuserinfo", {"code": code}, "userid")

    async def _ask(self, path: str, json: object, wanted: str) -> str:
        """One text from the result of the old API."""

        async def once() -> dict[str, Any]:
            token = await self._token.get()
            params = {"access_token": token}
            return await self._once("POST", f"{self._settings.oapi}{path}", path, json, token, params=params)

        return _string((await self._patiently(once)).get("result"), wanted)

    async def post(self, url: str, json: object) -> None:
        """Post to a session webhook, which needs no token; errors as of `call`."""
        await self._once("POST", url, "sendBySession", json, "", repeatable=False)

    async def open_connection(self, topics: Mapping[str, str]) -> tuple[str, str]:
        """Endpoint and ticket of a new long connection; the ticket is good for 90 s and for one use.

        Args:
            topics: topic to type of frame.
        """
        path = "/v1.0/gateway/connections/open"
        body = {
            **self._credentials("clientId", "clientSecret"),
            "subscriptions": [{"type": kind, "topic": topic} for topic, kind in topics.items()],
            "ua": "xops",
        }
        answer = await self._once("POST", f"{self._settings.api}{path}", path, body, "")
        return _string(answer, "endpoint"), _string(answer, "ticket")

    async def check(self) -> None:
        """Prove that the credentials work; errors as of `call`."""
        await self._token.get()

    async def missing_permissions(self, robot: str) -> tuple[str, ...]:
        """Permissions that the calls we live on would need and do not have: asked for with ids of nobody and nothing.

        Args:
            robot: code of the robot.

        Raises:
            RemoteError: as of `call`, when it is not about permissions.
        """
        nothing = {"outTrackId": "xops-doctor", "cardData": {"cardParamMap": {"header": "-"}}}
        nobody = {"robotCode": robot, "userIds": ["xops-doctor"], "msgKey": "sampleText", "msgParam": '{"content":"-"}'}
        found = [
            await self._denied("PUT", "/v1.0/card/instances", nothing),
            await self._denied("POST", "/v1.0/robot/oToMessages/batchSend", nobody),
        ]
        return tuple(filter(None, found))

    async def _denied(self, method: str, path: str, body: object) -> str:
        """What DingTalk says of a missing permission; empty when it refuses for another reason, as it should."""
        try:
            await self.call(method, path, body, repeatable=True)
        except Refused as error:
            if error.code.endswith(UNTRUSTED):
                raise
            return str(error) if error.code.endswith(DENIED) else ""
        return ""

    async def _patiently(self, once: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Tried again with a new token, once, and for as long as DingTalk asks us to slow down and there is patience."""
        renewed, patience, pause = False, PATIENCE, 1.0
        while True:
            await self._pace.acquire()
            try:
                return await once()
            except Unauthorized as error:
                if renewed or error.code not in STALE:
                    raise
                renewed = True
            except Throttled as error:
                wait = max(error.retry_after, pause)
                if wait > patience:
                    raise
                patience -= wait
                pause *= 2
                await self._sleep(wait)

    async def _once(
        self,
        method: str,
        url: str,
        call: str,
        json: object,
        token: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        attempts = ATTEMPTS if repeatable else 1
        try:
            response = await self._http.request(
                method,
                url,
                system="dingtalk",
                headers=headers,
                params=params,
                json=json,
                timeout=10,
                attempts=attempts,
            )
            answer = checked(response)
        except RemoteError as error:
            CALLS.labels(call, error.text).inc()
            if isinstance(error, Unauthorized):
                self._token.reject(token)
            if error.code in NO_QUOTA:
                QUOTA.labels("calls").set(1)
                _log.error("dingtalk_quota_exhausted", call=call)
            raise
        CALLS.labels(call, "ok").inc()
        return answer

    async def _fetch_token(self) -> tuple[str, float]:
        path = "/v1.0/oauth2/accessToken"
        body = self._credentials("appKey", "appSecret")
        answer = await self._once("POST", f"{self._settings.api}{path}", path, body, "")
        return _string(answer, "accessToken"), float(answer.get("expireIn", 7200))

    def _credentials(self, id: str, secret: str) -> dict[str, str]:
        return {id: self._settings.client_id, secret: self._settings.client_secret.get_secret_value()}


def moderated(error: RemoteError) -> bool:
    """Whether content moderation refused what we said; logs and SQL trip it now and then."""
    return error.code.startswith(_MODERATED)


def checked(response: Response) -> dict[str, Any]:
    """The answer of either API, or the error it stands for.

    Raises:
        RemoteError: as of `Api.call`.
    """
    if response.status == 504:
        raise Unreachable("dingtalk gave up on a call; its outcome is unknown", system="dingtalk", code="504")
    answer = _object(response)
    if "punish" in answer:
        raise Throttled("dingtalk banned our address", system="dingtalk", retry_after=_BANNED_SECONDS, code="punish")
    code = str(answer.get("code", answer.get("errcode", "0")))
    if response.status < 300 and code in {"0", ""} and answer.get("success") is not False:
        return answer
    raise _error(response.status, code, answer)


def _error(status: int, code: str, answer: Mapping[str, Any]) -> RemoteError:
    if code in STALE or status == 401:
        return Unauthorized("dingtalk refuses the access token", system="dingtalk", code=code)
    if code.startswith("invalidClientId"):
        return Unauthorized("dingtalk refuses client_id and client_secret", system="dingtalk", code=code)
    if "QpmLimit" in code:
        return Throttled("dingtalk: too many calls this minute", system="dingtalk", retry_after=60.0, code=code)
    if code in TOO_FAST or "QpsLimit" in code or status == 429:
        return Throttled("dingtalk asks us to slow down", system="dingtalk", retry_after=1.0, code=code)
    if status >= 500:
        return Unreachable(f"dingtalk answered {status}", system="dingtalk", code=code)
    detail = answer.get("accessdenieddetail")
    scopes = cast("dict[str, Any]", detail).get("requiredScopes") if isinstance(detail, dict) else None
    said = f"missing permission {scopes}" if scopes else str(answer.get("message", answer.get("errmsg", "")))
    return Refused(f"dingtalk refused: {code} {said}", system="dingtalk", code=code)


def _object(response: Response) -> dict[str, Any]:
    try:
        answer = response.json(system="dingtalk")
    except Refused as error:
        if response.status >= 500 or response.status == 200:  # a gateway's or firewall's page in place of an answer
            raise Unreachable(str(error), system="dingtalk", code=str(response.status)) from error
        raise
    if not isinstance(answer, dict):
        raise Refused("dingtalk answered with JSON that is no object", system="dingtalk")
    return cast("dict[str, Any]", answer)


def _string(answer: object, key: str) -> str:
    value = cast("dict[str, Any]", answer).get(key) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise Refused(f"dingtalk's answer has no {key}", system="dingtalk")
    return value
