"""The messengers' own side: the API that bots call to answer, as cheap as it can be, and when each answer arrived.

A bare `asyncio.Protocol`, since the yardstick must cost much less than what it measures. It understands what HTTP clients
really send (`Content-Length`, keep-alive) and no more.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

PLACE = re.compile(rb"place(\d+)x")
"""In every chat id of the bench, and in texts that are echoed, so that an answer tells which question it answers."""

_BOT: dict[str, object] = {
    "activate_status": 2,
    "app_name": "bot",
    "open_id": "ou_bot",
    "avatar_url": "https://example.com/bot.png",
    "ip_white_list": [],
}
ANSWERS: tuple[tuple[str, dict[str, object]], ...] = (
    ("tenant_access_token", {"code": 0, "msg": "ok", "tenant_access_token": "t-bench", "expire": 7200}),
    ("/bot/v3/info", {"code": 0, "msg": "ok", "bot": _BOT}),
    ("/im/v1/messages", {"code": 0, "msg": "success", "data": {"message_id": "om_answer", "chat_id": "oc_1"}}),
    ("/oauth2/accessToken", {"accessToken": "t-bench", "expireIn": 7200}),
    ("/card/callbacks/register", {"success": True, "result": {"success": True}}),
    ("/card/instances", {"success": True, "result": {"deliverResults": [{"success": True}]}}),
    ("/cgi-bin/gettoken", {"errcode": 0, "errmsg": "ok", "access_token": "t-bench", "expires_in": 7200}),
    ("/cgi-bin/message/send", {"errcode": 0, "errmsg": "ok", "msgid": "m1", "response_code": "r1"}),
    (
        "/auth.test",
        {"ok": True, "team_id": "T1", "user_id": "W1", "bot_id": "B1", "user": "bot", "url": "", "team": ""},
    ),
    ("/chat.postMessage", {"ok": True, "channel": "C1", "ts": "1.2", "message": {"text": ""}}),
)
"""The API as far as the bots use it: part of the path, and the answer."""


class Platform:
    """All messengers' APIs in one, and a stopwatch."""

    def __init__(self) -> None:
        self._expected: dict[int, tuple[bytes, asyncio.Future[float]]] = {}
        self.port = 0

    def expect(self, place: int, proof: bytes) -> asyncio.Future[float]:
        """The moment (`time.perf_counter`) at which an answer that holds `proof` reaches a place."""
        future = asyncio.get_running_loop().create_future()
        self._expected[place] = (proof, future)
        return future

    def answer(self, path: str, body: bytes) -> bytes:
        """The JSON for one call of the API."""
        if found := PLACE.search(body) or PLACE.search(path.encode()):
            proof, future = self._expected[int(found[1])]
            if proof in body and not future.done():
                future.set_result(time.perf_counter())
        for part, answer in ANSWERS:
            if part in path:
                return json.dumps(answer).encode()
        raise LookupError(f"the bench's platform does not know {path}")


class Connection(asyncio.Protocol):
    """One connection of a bot to the platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1")
            length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            answer = self._platform.answer(head.split(" ", 2)[1], body)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(answer), answer)
            )


@asynccontextmanager
async def listening() -> AsyncGenerator[Platform]:
    """The platform on a free port of the loopback."""
    platform = Platform()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(platform), "127.0.0.1", 0)
    platform.port = server.sockets[0].getsockname()[1]
    async with server:
        yield platform
