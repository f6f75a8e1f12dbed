"""The mobile page on loopback, with an assistant that answers through the channel without any scheduler behind it."""

import asyncio
import html
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from aiohttp import ClientResponse, ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer

from bots.messenger import PAGE, WebView
from bots.web.channel import WebChannel
from bots.web.gate import TOKEN_HEADER
from bots.web.routes import make_page
from core.access import Access, Person
from core.cards import Button, Buttons, Card, Chart, Field, Fields, Form, Input, Item, Log, Note, Table, Text, Tone
from core.messages import Click, Conversation, Event, Message
from core.settings import Settings
from core.store import Store

TOKEN = "correct-horse-battery"
CONVERSATION = Conversation("web", "demo")


class Clock:
    """The present, moved by tests."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass, e.g. `minutes=2`."""
        self.now += timedelta(**span)


class Assistant:
    """Accepts each event once, shows a card at once, and replaces it by the answer when it may.

    Attributes:
        events: accepted, in order.
        answers: cleared by a test that answers itself.
        refuse: raised instead of accepting, when set.
        may_answer: cleared by a test that wants to see the card before the answer.
        may_look: the same for the overview.
    """

    def __init__(self, channel: WebChannel) -> None:
        self.events: list[Event] = []
        self.answers = True
        self.refuse: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.may_look = asyncio.Event()
        self.may_look.set()
        self._channel = channel
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, event: Event) -> bool:
        """As `core.inbox.Inbox.accept`."""
        if self.refuse is not None:
            raise self.refuse
        if any(event.key == known.key for known in self.events):
            return False
        self.events.append(event)
        if self.answers:
            task = asyncio.create_task(self._answer(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def home(self, person: Person) -> Card:
        """The overview, naming whom and in which language it is for."""
        await self.may_look.wait()
        return overview(f"{person.name} {person.language}")

    async def stop(self) -> None:
        """Wait for answers under way."""
        self.may_answer.set()
        await asyncio.gather(*self._tasks)

    async def _answer(self, event: Event) -> None:
        looking = Card("正在查询", (Text("查看今天失败的实例…", "muted"),), "info")
        reference = await self._channel.send(event.conversation, looking, key=event.key)
        await self.may_answer.wait()
        await self._channel.update(reference, answer(event), key=f"{event.key}:1")


class Site:
    """A running page.

    Attributes:
        origin: what a browser on it sends as `Origin`.
    """

    def __init__(self, origin: str, channel: WebChannel, assistant: Assistant, clock: Clock, token: str) -> None:
        self.origin = origin
        self.channel = channel
        self.assistant = assistant
        self.clock = clock
        self.token = token

    @property
    def url(self) -> str:
        """Address of the page."""
        return self.origin + PAGE


class Visitor:
    """A browser, as far as HTTP goes: cookies, origin, and the session's token from the page.

    Attributes:
        headers: sent with each change, as the page's own script sends them.
    """

    def __init__(self, site: Site, session: ClientSession) -> None:
        self.site = site
        self.session = session
        self.headers = {"Origin": site.origin, "Sec-Fetch-Site": "same-origin"}

    async def sign_on(self) -> str:
        """Sign on by address, and return the page."""
        page = await self.page(token=self.site.token)
        found = re.search(r'data-token="([^"]+)"', page)
        assert found is not None, page
        self.headers[TOKEN_HEADER] = found[1]
        return page

    async def page(self, **query: str) -> str:
        """The page, redirections followed."""
        async with self.session.get(self.site.url, params=query) as answer:
            return await answer.text()

    async def post(self, what: str, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
        """Send a change; returns the status and the answer."""
        async with self.session.post(f"{self.site.url}/{what}", json=body, headers=self.headers | headers) as answer:
            return answer.status, await answer.json()

    async def say(self, text: str) -> int:
        """Send a message; returns the status."""
        return (await self.post("messages", {"id": str(uuid4()), "text": text}))[0]

    async def press(self, reference: str, button: int, form: Mapping[str, str] | None = None) -> int:
        """Press a button; returns the status."""
        body = {"id": str(uuid4()), "reference": reference, "button": button, "form": form or {}}
        return (await self.post("clicks", body))[0]

    @asynccontextmanager
    async def stream(self, after: int = 0, last: str | None = None) -> AsyncGenerator[ClientResponse]:
        """An open stream of events after a revision, or after the one a browser names as its last when it reconnects."""
        query, headers = {"after": str(after)}, {} if last is None else {"Last-Event-ID": last}
        async with self.session.get(f"{self.site.url}/stream", params=query, headers=headers) as answer:
            yield answer


class Markup(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def having(self, attribute: str) -> list[str | None]:
        """Values of an attribute, in reading order."""
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


async def events(stream: ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Events as a browser would hand them to the script, with `id`."""
    revision = 0
    async for line in stream.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            revision = int(value)
        elif name == "data":
            yield json.loads(value) | {"id": revision}


def references(page: str) -> list[str]:
    """References of the entries on a page, in reading order, the overview first."""
    return [html.unescape(found) for found in re.findall(r'data-reference="([^"]+)"', page)]


@asynccontextmanager
async def visiting(site: Site) -> AsyncGenerator[Visitor]:
    """A browser that has never been here."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:  # unsafe: hosts without a name
        yield Visitor(site, session)


def settings_of(**changes: object) -> Settings:
    """Settings with a known sign-on token."""
    return Settings.model_validate({"web": {"sign_on_token": TOKEN}, **changes})


@asynccontextmanager
async def running(
    store: Store,
    *,
    first_paint: float = 30.0,
    views: Sequence[WebView] = (),
    port: int | None = None,
    **changes: object,
) -> AsyncGenerator[Site]:
    """The page, served until the test ends, on a port of its own choice or this; settings changed as for `settings_of`."""
    settings, clock = settings_of(**changes), Clock()
    channel = WebChannel(store, clock=clock)
    assistant = Assistant(channel)
    page = await make_page(
        channel,
        settings,
        accept=assistant.accept,
        access=Access(settings.people),
        home=assistant.home,
        clock=clock,
        views=views,
        first_paint=first_paint,
    )
    app = web.Application()
    page.add_to(app)
    async with TestServer(app, port=port) as server:
        yield Site(str(server.make_url("")).rstrip("/"), channel, assistant, clock, page.sign_on_token)
        await assistant.stop()


def answer(event: Event) -> Card:
    """A card with every kind of block, about what was said or pressed."""
    match event:
        case Message() if "日志" in event.text:
            return log_card()
        case Message():
            return failed_card(event.text)
        case Click(command="log"):
            return log_card()
        case Click():
            entered = ", ".join(f"{name}={value}" for name, value in event.form.items())
            return Card(
                f"/{event.command}",
                (Text(", ".join(f"{name}={value}" for name, value in event.arguments.items())), Text(entered)),
                "success",
            )


def overview(whose: str = "demo zh-CN") -> Card:
    """A day with failures."""
    counts: tuple[tuple[str, float, Tone], ...] = (
        ("成功", 271.0, "success"),
        ("运行中", 9.0, "info"),
        ("等待上游", 31.0, "neutral"),
        ("失败", 12.0, "danger"),
    )
    return Card(
        "3 月 2 日运行概览",
        (
            Text("共 323 个实例：成功 271，未完成 40，失败 12。", "strong"),
            Text("先看连续失败的 4 个任务，它们昨天也没有跑通。"),
            _highlight("运行失败 12", "今天到现在失败的实例", "failed", "12", "3"),
            _highlight("重复失败 4", "今天失败且昨天也失败的任务", "repeated", "4", "1"),
            Chart("pie", counts, "我可操作的 323 个实例"),
            Chart("pie", (("成功", 40.0, "success"), ("失败", 3.0, "danger")), "我负责的 43 个实例"),
            Buttons((Button("我的任务", "mine"), Button("帮助", "help"))),
        ),
        "danger",
        f"截至 03-02 09:30 Asia/Shanghai · {whose}",
    )


def failed_card(subject: str) -> Card:
    """Failed instances, as a list and as a table."""
    return Card(
        "失败实例 12 个",
        (
            Text(f"你问的是：{subject}"),
            _instance("load_orders_from_mysql", "交易域 · 失败 · 第 2 次运行", "陈晓雯"),
            _instance("dws_trade_order_di", "交易域 · 失败", "林志豪"),
            Fields((Field("业务日期", "2026-03-01"), Field("截至", "09:30"), Field("可重跑", "2 个", "warning"))),
            Table(
                ("任务", "负责人", "计划时间", "状态", "下游"),
                (
                    ("ads_user_retention_1d", "王建国", "03-02 02:10", "失败", "14"),
                    ("dwd_pay_refund_hi", "陈晓雯", "03-02 03:00", "等待上游", "3"),
                ),
                12,
            ),
            Chart(
                "bar", (("交易域", 7.0, "danger"), ("会员域", 3.0, "danger"), ("流量域", 2.0, "danger")), "按项目", "个"
            ),
            Chart(
                "line",
                tuple((f"03-0{day}", value, "info") for day, value in enumerate((4.0, 6.0, 3.0, 9.0, 12.0), 1)),
                "近五天失败数",
            ),
            Note("来源：demo 调度，截至 09:30。"),
        ),
        "danger",
        "2026-03-02 09:30 · 业务日期 2026-03-01",
    )


def log_card() -> Card:
    """A log with a gap and marked lines, what to do, and a form."""
    lines = (
        (1, "2026-03-02 02:10:01 INFO  start job load_orders_from_mysql run=2"),
        (2, "2026-03-02 02:10:02 INFO  connecting to mysql://orders-replica:3306/orders"),
        (38, "2026-03-02 02:10:32 WARN  slow query: SELECT * FROM orders WHERE dt='20260301' -- <b>not bold</b>"),
        (39, "2026-03-02 02:10:41 ERROR FAILED: ODPS-0130131:[1,15] Table not found - ods_orders_delta"),
        (40, "    at com.example.loader.OrderLoader.load(OrderLoader.java:112)"),
        (41, "Process finished with exit code 1"),
    )
    return Card(
        "原因：上游表不存在",
        (
            Fields(
                (
                    Field("结论", "已确认", "danger"),
                    Field("重跑有用吗", "修复后才有用", "warning"),
                    Field("下游", "14 个等待"),
                ),
            ),
            Log(lines, frozenset({39}), "load_orders_from_mysql · 第 2 次运行"),
            Text("请先确认 ods_orders_delta 是否被改名或删除，恢复后再重跑。"),
            Buttons(
                (
                    Button("申请重跑", "propose", {"operation": "rerun", "target": "demo:1"}, "primary"),
                    Button("看上游", "upstream", {"target": "demo:1"}),
                    Button("终止", "propose", {"operation": "kill", "target": "demo:1"}, "danger"),
                    Button("调度页面", url="https://scheduler.example.com/i/1"),
                )
            ),
            Form(
                (
                    Input("reason", "原因", "multiline", required=True),
                    Input("until", "到哪天", "date"),
                    Input("level", "级别", "select", (("low", "低"), ("high", "高")), value="low"),
                ),
                Button("免打扰", "mute", {"target": "demo:1"}),
            ),
        ),
        "danger",
        "第 2 次运行 · 02:10–02:10",
    )


def _highlight(title: str, meaning: str, kind: str, count: str, mine: str) -> Item:
    return Item(
        title,
        meaning,
        "danger",
        (Field("其中我负责", mine),),
        (Button(f"查看全部 {count}", "instances", {"kind": kind}, "primary"),),
    )


def _instance(name: str, subtitle: str, owner: str) -> Item:
    return Item(
        name,
        subtitle,
        "danger",
        (Field("负责人", owner), Field("计划时间", "03-02 02:10")),
        (
            Button("诊断", "diagnose", {"target": name}, "primary"),
            Button("日志", "log", {"target": name}),
            Button("重跑", "propose", {"operation": "rerun", "target": name}),
        ),
    )
