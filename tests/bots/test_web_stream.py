"""Server-sent events: delivery, resumption, and what ends a stream."""

import asyncio
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.web.channel import MAX_WATCHERS, WebChannel
from bots.web.gate import COOKIE, Gate
from bots.web.render import Renderer
from bots.web.session import Sessions
from bots.web.stream import Stream
from core.cards import Card, Text
from core.messages import Conversation
from core.store import Store
from tests.fakes.web import CONVERSATION, TOKEN, Clock, Site, Visitor, events, settings_of


async def test_question_progress_and_answer_arrive_in_order(site: Site, visitor: Visitor) -> None:
    """The answer takes the place of the card that said what was being looked up."""
    site.assistant.may_answer.clear()
    async with visitor.stream() as stream:
        arriving = events(stream)
        assert (await anext(arriving))["kind"] == "overview"
        await visitor.say("今天哪些失败了")
        said, progress = await anext(arriving), await anext(arriving)
        site.assistant.may_answer.set()
        answer = await anext(arriving)
    assert (said["kind"], progress["kind"]) == ("person", "card")
    assert "正在查询" in progress["html"]
    assert "失败实例 12 个" in answer["html"]
    assert (answer["reference"], answer["seq"]) == (progress["reference"], progress["seq"])
    assert said["id"] < progress["id"] < answer["id"]


async def test_reconnecting_browser_gets_what_it_missed_once(site: Site, visitor: Visitor) -> None:
    """As it is now: a card that changed twice meanwhile comes once."""
    first = await site.channel.send(CONVERSATION, Card("一"), key="1")
    async with visitor.stream() as stream:
        seen = [await anext(events(stream)) for _ in range(2)]
    await site.channel.send(CONVERSATION, Card("二"), key="2")
    for number in range(2):
        await site.channel.update(first, Card(f"一，改{number}"), key=f"u{number}")
    async with visitor.stream(last=str(seen[-1]["id"])) as stream:
        arriving = events(stream)
        missed = [await anext(arriving) for _ in range(2)]
    assert ["二" in missed[0]["html"], "一，改1" in missed[1]["html"]] == [True, True]
    assert missed[1]["reference"] == first


async def test_page_tells_the_script_where_to_go_on(site: Site, visitor: Visitor) -> None:
    """Nothing that the page already shows is sent again; what the browser last had counts more."""
    await site.channel.send(CONVERSATION, Card("旧"), key="old")
    revision = await site.channel.cards.revision(CONVERSATION.key)
    assert f'data-revision="{revision + 1}"' in await visitor.page()  # the page itself renewed the overview
    async with visitor.stream(after=revision + 1) as stream:
        await site.channel.send(CONVERSATION, Card("新"), key="new")
        assert "新" in (await anext(events(stream)))["html"]
    async with visitor.stream(after=revision + 1, last=str(revision)) as stream:
        assert (await anext(events(stream)))["kind"] == "overview"


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 30, "٣"])
async def test_nonsense_as_last_event_starts_from_the_beginning(visitor: Visitor, last: str) -> None:
    """Too much is better than too little."""
    async with visitor.stream(last=last) as stream:
        assert (await anext(events(stream)))["kind"] == "overview"


async def test_quiet_stream_is_kept_alive_and_looks_by_itself(
    sqlite_store: Store, site: Site, visitor: Visitor
) -> None:
    """Between events come comments; and what another replica stored is found without being told."""
    site.channel.poll_seconds = 0.01
    replica = WebChannel(sqlite_store, clock=site.clock)
    async with visitor.stream(after=await site.channel.cards.revision(CONVERSATION.key)) as stream:
        assert await stream.content.readline() == b":\n"
        await replica.send(CONVERSATION, Card("别处来的"), key="elsewhere")
        assert "别处来的" in (await anext(events(stream)))["html"]


async def test_stream_holds_only_ones_own_dialogue(site: Site, visitor: Visitor) -> None:
    """Somebody else's cards wake nobody and reach nobody."""
    async with visitor.stream(after=10) as stream:
        await site.channel.send(Conversation("web", "alice"), Card("给 Alice 的"), key="a")
        for number in range(12):
            await site.channel.send(CONVERSATION, Card(f"给我的 {number}"), key=f"m{number}")
        assert "给我的" in (await anext(events(stream)))["html"]


async def test_stream_may_be_kept_by_nobody(visitor: Visitor) -> None:
    """Neither stored by caches, nor held back by proxies that buffer."""
    async with visitor.stream() as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["Cache-Control"] == "no-store"
        assert stream.headers["X-Accel-Buffering"] == "no"


async def test_too_many_streams_are_refused(site: Site, visitor: Visitor) -> None:
    """One person's script cannot hold all connections."""
    with_all = [site.channel.watch(CONVERSATION) for _ in range(MAX_WATCHERS)]
    for watch in with_all:
        watch.__enter__()
    async with visitor.stream() as stream:
        assert stream.status == 429
    with_all.pop().__exit__(None, None, None)
    async with visitor.stream() as stream:
        assert stream.status == 200


async def test_stream_ends_with_the_session(site: Site, visitor: Visitor) -> None:
    """At the next change, or at the next heartbeat."""
    async with visitor.stream() as stream:
        arriving = events(stream)
        await anext(arriving)
        site.clock.advance(hours=13)
        await site.channel.send(CONVERSATION, Card("太晚了"), key="late")
        assert [event async for event in arriving] == []


async def test_stream_ends_with_the_server(site: Site, visitor: Visitor) -> None:
    """A restart does not wait for browsers that watch."""
    async with visitor.stream() as stream:
        arriving = events(stream)
        await anext(arriving)
        site.channel.stop()
        assert [event async for event in arriving] == []
    assert site.channel.watchers(CONVERSATION) == 0


async def test_whoever_reads_too_slowly_is_cut_off(sqlite_store: Store) -> None:
    """One stuck phone costs one connection for a bounded time, and no memory."""
    channel, clock = WebChannel(sqlite_store, clock=Clock()), Clock()
    sessions = Sessions(settings_of(), b"secret", clock=clock)
    gate = Gate(sessions, public_url="", language="zh-CN")
    app = web.Application()
    app.router.add_get("/stream", Stream(gate, channel, Renderer(ZoneInfo("UTC")), patience=0.05).serve)
    session = sessions.sign_on(TOKEN, "")
    assert session is not None
    async with TestServer(app) as server:
        url = server.make_url("")
        phone, to_server = await asyncio.open_connection(url.host, url.port, limit=1024)
        to_server.write(
            f"GET /stream HTTP/1.1\r\nHost: x\r\nCookie: {COOKIE}={sessions.seal(session)}\r\n\r\n".encode()
        )
        assert await phone.readline() == b"HTTP/1.1 200 OK\r\n"  # and reads no further
        sent = 0
        while channel.watchers(CONVERSATION):
            await channel.send(CONVERSATION, Card("大", (Text("字" * 50_000),)), key=str(sent))
            sent += 1
        to_server.close()
    assert sent > 1
