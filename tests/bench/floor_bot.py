"""The least an honest bot can do: check the signature, decrypt, acknowledge, answer from a task over one session."""

import asyncio
import os

import aiohttp
import orjson
from aiohttp import web

from bots.crypto import FeishuEnvelope, feishu_signature, same

KEY = os.environ["BENCH_ENCRYPT_KEY"]
API = os.environ["BENCH_PLATFORM"]
ENVELOPE = FeishuEnvelope(KEY)
SESSION = web.AppKey("session", aiohttp.ClientSession)

_tasks: set[asyncio.Task[None]] = set()


async def webhook(request: web.Request) -> web.Response:
    """One event."""
    body, headers = await request.read(), request.headers
    timestamp, nonce = headers["X-Lark-Request-Timestamp"], headers["X-Lark-Request-Nonce"]
    same(headers["X-Lark-Signature"], feishu_signature(timestamp, nonce, KEY, body))
    event = orjson.loads(ENVELOPE.open(orjson.loads(body)["encrypt"]))["event"]
    task = asyncio.create_task(answer(request.app[SESSION], event["message"]))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return web.json_response({})


async def answer(session: aiohttp.ClientSession, message: dict[str, str]) -> None:
    """One call of the API."""
    sent = {"receive_id": message["chat_id"], "msg_type": "text", "content": message["content"]}
    url = f"{API}/open-apis/im/v1/messages?receive_id_type=chat_id"
    async with session.post(url, data=orjson.dumps(sent), headers={"Authorization": "Bearer t"}) as response:
        await response.read()


async def application() -> web.Application:
    """The bot."""
    bot = web.Application()
    bot[SESSION] = aiohttp.ClientSession()
    bot.router.add_post("/", webhook)
    return bot


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=None, print=None)
