"""An OpenAI-compatible endpoint on loopback that answers by script.

It checks what the real one would refuse: a bearer token, a model, tools with JSON schemas, and that every tool message
answers a call of the message before it.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Says:
    """An answer: text, tool calls as (name, arguments), or a raw body with a status.

    Attributes:
        arguments_text: sent in place of the JSON of the arguments, to be broken.
        hangs: never answers.
    """

    text: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    arguments_text: str | None = None
    raw: str | None = None
    status: int = 200
    tokens: int = 100
    hangs: bool = False


Script = Callable[[int, Mapping[str, Any]], Says]
"""From the number of the request, from 0, and its body, to the answer."""


def says(*answers: Says) -> Script:
    """The answers in order, the last one for ever."""
    return lambda number, _body: answers[min(number, len(answers) - 1)]


@dataclass(slots=True)
class FakeOpenAI:
    """What was asked, and where."""

    script: Script
    base_url: str = ""
    requests: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, request: web.Request) -> web.Response:
        """`POST /v1/chat/completions`."""
        body = await request.json()
        if problem := _problem(request, body):
            return web.json_response({"error": {"message": problem, "type": "invalid_request_error"}}, status=400)
        answer = self.script(len(self.requests), body)
        self.requests.append(body)
        if answer.hangs:
            await self.released.wait()
        if answer.raw is not None:
            return web.Response(text=answer.raw, status=answer.status, content_type="application/json")
        return web.json_response(_completion(answer, str(body["model"]), len(self.requests)), status=answer.status)

    @property
    def told(self) -> str:
        """Everything the model was told, in all requests."""
        return json.dumps(self.requests, ensure_ascii=False)


@asynccontextmanager
async def serving(script: Script) -> AsyncGenerator[FakeOpenAI]:
    """A server on a free port of loopback."""
    fake = FakeOpenAI(script)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", fake.complete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield fake
    finally:
        fake.released.set()
        await runner.cleanup()


def _problem(request: web.Request, body: Mapping[str, Any]) -> str:
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        return "no bearer token"
    if not body.get("model"):
        return "no model"
    if any(tool["function"]["parameters"]["type"] != "object" for tool in body.get("tools", ())):
        return "parameters are not an object"
    return _unanswered(body["messages"])


def _unanswered(messages: Sequence[Mapping[str, Any]]) -> str:
    """A tool message must follow the call it answers, and every call must be answered."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "tool message without a call"
            open_calls.discard(message["tool_call_id"])
        elif open_calls:
            return "a call was not answered"
        open_calls |= {call["id"] for call in message.get("tool_calls") or ()}
    return "a call was not answered" if open_calls else ""


_IDS = itertools.count(1)


def _completion(answer: Says, model: str, number: int) -> dict[str, Any]:
    calls = [
        {
            "id": f"call_{next(_IDS)}",
            "type": "function",
            "function": {"name": name, "arguments": answer.arguments_text or json.dumps(arguments, ensure_ascii=False)},
        }
        for name, arguments in answer.calls
    ]
    message = {"role": "assistant", "content": answer.text or None, **({"tool_calls": calls} if calls else {})}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": {"prompt_tokens": answer.tokens - 1, "completion_tokens": 1, "total_tokens": answer.tokens},
    }
