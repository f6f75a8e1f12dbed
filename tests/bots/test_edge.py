"""What every webhook does with a request, whichever messenger sends it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from bots.edge import Received, Reply, Webhook, cleaned, parse
from core.errors import BadInput, BadSignature, Busy, Unreachable
from core.messages import EVENT, Actor, Click, Conversation, Event, Message
from tests import strategies

MESSAGE = Message(
    id="m1",
    conversation=Conversation("edge", "c1"),
    actor=Actor("edge", "a1"),
    text="hello\u202e\x00",
    at=datetime(2026, 11, 22, tzinfo=UTC),
)
LIMIT = 1000


class Edge:
    """A messenger whose every answer a test chooses: what is decoded, or what goes wrong."""

    def __init__(self) -> None:
        self.decoded: Received | Exception = MESSAGE
        self.journal: list[Event] = []
        self.broken: Exception | None = None

    async def decode(self, headers: Mapping[str, str], body: bytes) -> Received:
        if isinstance(self.decoded, Exception):
            raise self.decoded
        return self.decoded

    async def accept(self, event: Event) -> bool:
        if self.broken is not None:
            raise self.broken
        new = event not in self.journal
        self.journal += [event] if new else []
        return new


@asynccontextmanager
async def served(edge: Edge, *, read_seconds: float = 5.0) -> AsyncGenerator[TestClient[web.Request, web.Application]]:
    webhook = Webhook(
        "edge",
        edge.decode,
        edge.accept,
        lambda event: b'{"got":"it"}',
        body_limit=LIMIT,
        read_seconds=read_seconds,
    )
    application = web.Application()
    application.router.add_post("/hook", webhook.handle)
    async with TestClient(TestServer(application)) as client:
        yield client


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("xops_webhook_total", {"channel": "edge", "outcome": outcome}) or 0.0


async def post(edge: Edge, body: bytes = b"{}", content_type: str = "application/json") -> tuple[int, bytes]:
    async with served(edge) as client:
        answer = await client.post("/hook", data=body, headers={"Content-Type": content_type})
        return answer.status, await answer.read()


async def test_journals_first_then_acknowledges() -> None:
    edge = Edge()
    before = counted("accepted")

    assert await post(edge) == (200, b'{"got":"it"}')
    assert [event.id for event in edge.journal] == ["m1"]
    assert counted("accepted") == before + 1


async def test_a_duplicate_is_acknowledged_like_the_first() -> None:
    edge = Edge()
    before = counted("duplicate")

    assert await post(edge) == await post(edge)
    assert len(edge.journal) == 1
    assert counted("duplicate") == before + 1


async def test_answers_on_the_spot_without_journalling() -> None:
    edge = Edge()
    edge.decoded = Reply("challenge", b'{"challenge":"x"}')

    assert await post(edge) == (200, b'{"challenge":"x"}')
    assert not edge.journal


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (BadSignature("the secret was s3cret"), 401, "unauthorized"),
        (BadInput("not JSON: s3cret"), 400, "malformed"),
        (Unreachable("s3cret", system="x"), 503, "unavailable"),
        (RuntimeError("s3cret"), 500, "failed"),
    ],
)
async def test_tells_the_caller_a_status_and_nothing_else(error: Exception, status: int, outcome: str) -> None:
    edge = Edge()
    edge.decoded = error
    before = counted(outcome)

    assert await post(edge) == (status, b"")
    assert counted(outcome) == before + 1


@pytest.mark.parametrize(("error", "status"), [(Busy("full"), 503), (OSError("disk full"), 500)])
async def test_does_not_acknowledge_what_could_not_be_journalled(error: Exception, status: int) -> None:
    edge = Edge()
    edge.broken = error

    assert await post(edge) == (status, b"")


async def test_refuses_a_body_announced_as_too_large() -> None:
    edge = Edge()

    assert (await post(edge, b"x" * (LIMIT + 1)))[0] == 413
    assert not edge.journal


async def test_refuses_a_body_that_grows_too_large_without_reading_the_rest() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 500 * LIMIT:
            sent += LIMIT
            yield b"x" * LIMIT

    edge = Edge()
    async with served(edge) as client:
        answer = await client.post("/hook", data=endless(), headers={"Content-Type": "application/json"})

        assert answer.status == 413
    assert not edge.journal


async def test_does_not_wait_for_a_body_that_never_ends() -> None:
    answered = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await answered.wait()

    async with served(Edge(), read_seconds=0.05) as client:
        answer = await client.post("/hook", data=stalled(), headers={"Content-Type": "application/json"})
        answered.set()

        assert answer.status == 400


async def test_takes_a_body_of_exactly_the_limit() -> None:
    assert (await post(Edge(), b"x" * LIMIT))[0] == 200


async def test_refuses_other_content_types_and_methods() -> None:
    assert (await post(Edge(), content_type="text/plain"))[0] == 400
    async with served(Edge()) as client:
        assert (await client.get("/hook")).status == 405


async def test_cleans_the_text_of_a_message() -> None:
    edge = Edge()
    edge.decoded = replace(MESSAGE, quoted="\u200bquoted\ud800")

    await post(edge)

    assert edge.journal == [replace(MESSAGE, text="hello", quoted="quoted")]


@given(strategies.of(Click), st.text(st.characters(exclude_categories=[])))
def test_a_cleaned_click_can_be_journalled(click: Click, hostile: str) -> None:
    dirty = replace(click, command=hostile, arguments={hostile: hostile}, form={"reason": hostile})

    assert EVENT.validate_json(EVENT.dump_json(cleaned(dirty))) == cleaned(dirty)


def test_reads_json_with_lone_surrogates() -> None:
    assert parse(rb'{"text":"\ud83d"}') == {"text": "\ud83d"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a":' * 100_000, b"[" * 1_000_000])
def test_what_is_no_json_object_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_bad_input(body: bytes) -> None:
    with suppress(BadInput):
        assert isinstance(parse(body), dict)
