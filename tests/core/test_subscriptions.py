"""Subscriptions: what a chat hears of, who may make one, when rights or the hour change that."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access import Person
from core.cards import Card, buttons
from core.commands import Asked, Commands, subscribing
from core.errors import Denied, NotFound
from core.i18n import words
from core.messages import Conversation
from core.results import Missing, Notice, Problem, Result
from core.schedulers.base import DataTable
from core.settings import SubscriptionSettings
from core.store import Store
from core.subscriptions.model import Kind, Severity, Subscription, SubscriptionList, Topic, hears, quiet
from core.subscriptions.service import MOST, Subscriptions
from core.subscriptions.wishes import Wishes
from core.tools.look import Look
from core.views import show
from tests.fakes.effects import GROUP, ZONE, Newsroom, failed

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
PRIVATE = Conversation("chat", "vic")
TOPIC = Topic(
    "warning",
    "demo",
    frozenset({"trade", "10001"}),
    frozenset({"陈晓雯"}),
    "demo:t1",
    frozenset({"dws_orders"}),
    frozenset({"gmv"}),
    "zabbix",
)


def wanting(kind: Kind, subject: str = "", severity: Severity = "info", hours: str = "") -> Subscription:
    """A subscription of nobody in particular."""
    return Subscription("S-1", GROUP, kind, subject, severity, hours, "", NOW)


@pytest.mark.parametrize(
    ("kind", "subject", "heard"),
    [
        ("all", "", True),
        ("project", "trade", True),
        ("project", "demo:trade", True),
        ("project", "10001", True),
        ("project", "other:trade", False),
        ("owner", "陈晓雯", True),
        ("owner", "陈", False),
        ("task", "demo:t1", True),
        ("table", "dws_orders", True),
        ("table", "dws", False),
        ("baseline", "gmv", True),
        ("tool", "zabbix", True),
        ("tool", "grafana", False),
    ],
)
def test_a_subscription_is_about_exactly_what_it_names(kind: Kind, subject: str, heard: bool) -> None:
    """No part of a name will do."""
    assert hears(wanting(kind, subject), TOPIC, NOW, ZONE) is heard


@pytest.mark.parametrize(
    ("severity", "hours", "heard"),
    [
        ("info", "", True),
        ("warning", "", True),
        ("critical", "", False),
        ("info", "08:00-10:00", False),
        ("info", "10:00-08:00", True),
    ],
)
def test_what_matters_less_is_not_told(severity: Severity, hours: str, heard: bool) -> None:
    """It is nine o'clock in Shanghai; in quiet hours only what is critical is told."""
    assert hears(wanting("all", "", severity, hours), TOPIC, NOW, ZoneInfo("Asia/Shanghai")) is heard


@given(st.times(), st.times(), st.times())
def test_quiet_hours_and_the_rest_make_a_day(start: time, end: time, at: time) -> None:
    """Turned around they are the other hours, also past midnight."""
    first, last = f"{start:%H:%M}", f"{end:%H:%M}"
    if first != last:
        assert quiet(f"{first}-{last}", at) is not quiet(f"{last}-{first}", at)


class Desk:
    """People at the commands of subscriptions."""

    def __init__(self, store: Store, *settled: SubscriptionSettings) -> None:
        self.room = Newsroom(store, [failed()], settled)
        self.room.shelf.shelved.append(DataTable("demo", "dws_orders_1", "trade"))
        self.subscriptions: Subscriptions = self.room.subscriptions
        look = Look(self.room.fleet, self.room.access, clock=self.room.timeline)
        self.wishes = Wishes(self.subscriptions, look.find, self.room.access, ("chat",))
        self.commands = Commands(subscribing(self.subscriptions, self.wishes, look))

    async def types(self, name: str, line: str, chat: Conversation = GROUP) -> Result | None:
        """What somebody is answered."""
        word, arguments = self.commands.parse(line)
        return await self.commands.run(word, Asked(self.person(name), chat, arguments))

    def person(self, name: str) -> Person:
        """Someone who is listed, or a stranger."""
        return self.room.access.named(name) or Person(name)

    async def listed(self, chat: Conversation = GROUP) -> list[str]:
        """What a chat hears of."""
        found = (await self.subscriptions.listed(self.person("root"), chat)).subscriptions
        return [f"{one.kind} {one.subject} {one.severity} {one.quiet}".strip() for one in found]


async def test_a_chat_subscribes_changes_and_ends(store: Store) -> None:
    """Names are resolved as schedulers write them; the same again changes severity and hours."""
    desk = Desk(store)
    await desk.types("ann", "/subscribe project trad")
    await desk.types("ann", "/subscribe project trade critical 22:00-08:00")
    await desk.types("ann", "/subscribe table dws_orders_1 info")
    await desk.types("ann", "/subscribe task dws_orders_1")
    assert await desk.listed() == [
        "project trade critical 22:00-08:00",
        "table dws_orders_1 info",
        "task demo:t1 warning",
    ]
    await desk.types("ann", "/unsubscribe project trade")
    assert await desk.listed() == ["table dws_orders_1 info", "task demo:t1 warning"]
    with pytest.raises(NotFound):
        await desk.types("ann", "/unsubscribe project trade")


async def test_a_group_hears_only_of_what_its_subscriber_operates(sqlite_store: Store) -> None:
    """A viewer may let themselves hear of everything, and no group of anything."""
    desk = Desk(sqlite_store)
    with pytest.raises(Denied):
        await desk.subscriptions.subscribe(desk.person("vic"), GROUP, "project", "trade", "warning", "")
    with pytest.raises(Denied):
        await desk.subscriptions.subscribe(desk.person("ann"), GROUP, "project", "risk", "warning", "")
    await desk.types("vic", "/subscribe all", PRIVATE)
    await desk.types("ann", "/subscribe all")
    assert await desk.subscriptions.hearing(TOPIC) == (PRIVATE, GROUP)
    foreign = Topic("warning", "demo", frozenset({"risk"}))
    assert await desk.subscriptions.hearing(foreign) == (PRIVATE,)


async def test_rights_that_were_taken_away_silence_the_chat(sqlite_store: Store) -> None:
    """Asked again for each card."""
    desk = Desk(sqlite_store)
    await desk.types("ann", "/subscribe project trade")
    desk.room.people = tuple(one for one in desk.room.people if one.name != "ann")
    desk.room.start()
    assert await desk.room.subscriptions.hearing(TOPIC) == ()


async def test_each_chat_is_told_once(sqlite_store: Store) -> None:
    """However many of its subscriptions are about it, those of the settings included."""
    settled = SubscriptionSettings(channel="chat", chat="ops", subject="trade")
    desk = Desk(sqlite_store, settled)
    await desk.types("ann", "/subscribe table dws_orders_1")
    topic = Topic("warning", "demo", frozenset({"trade"}), tables=frozenset({"dws_orders_1"}))
    assert await desk.subscriptions.hearing(topic) == (GROUP,)


@pytest.mark.parametrize(
    ("line", "argument"),
    [
        ("/subscribe", "kind"),
        ("/subscribe weather", "kind"),
        ("/subscribe all x loud", "severity"),
        ("/subscribe all x info 8-9", "quiet"),
        ("/subscribe owner", "subject"),
        (f"/subscribe owner {'x' * 401}", "subject"),
    ],
)
async def test_what_makes_no_sense_is_said(sqlite_store: Store, line: str, argument: str) -> None:
    """The refusal names the argument."""
    assert await Desk(sqlite_store).types("ann", line) == Problem("bad_input", {"argument": argument})


async def test_people_have_their_private_chats_and_the_groups_they_subscribed_in(sqlite_store: Store) -> None:
    """Elsewhere than in the chat itself nobody else sees what a group hears of, but administrators."""
    desk = Desk(sqlite_store, SubscriptionSettings(channel="chat", chat="dba", subject="trade"))
    await desk.types("ann", "/subscribe project trade")
    await desk.types("vic", "/subscribe all", PRIVATE)

    async def chats(name: str) -> list[str]:
        return [chat.key for chat in await desk.wishes.chats(desk.person(name))]

    assert await chats("ann") == ["chat:ann", "chat:ops"]
    assert await chats("vic") == ["chat:vic"]
    assert await chats("root") == ["chat:root", "chat:dba", "chat:ops"]
    with pytest.raises(Denied):
        await chats("who")
    with pytest.raises(NotFound):
        await desk.wishes.chat(desk.person("vic"), "chat:ops")


async def test_a_subscription_is_ended_by_its_id_from_anywhere(sqlite_store: Store) -> None:
    """Of a chat that one has; in a group by whoever subscribed, or an operator; one of the settings by nobody."""
    desk = Desk(sqlite_store, SubscriptionSettings(channel="chat", chat="ops", subject="trade"))
    made = await desk.wishes.subscribe(desk.person("ann"), GROUP, "project", "trade")
    id = made.subscriptions[0].id
    for name, wanted in (("vic", id), ("ann", ""), ("ann", "S-00000")):
        with pytest.raises(NotFound):
            await desk.wishes.end(desk.person(name), wanted)
    assert (await desk.wishes.end(desk.person("root"), id)).what == "ended"
    assert await desk.listed() == ["project trade warning"]


async def test_a_name_that_nobody_knows_is_answered_with_the_nearest(sqlite_store: Store) -> None:
    """As everywhere else."""
    assert isinstance(await Desk(sqlite_store).types("ann", "/subscribe task no_such_thing"), Missing)


async def test_what_a_name_may_mean_is_one_press_away(sqlite_store: Store) -> None:
    """The card's buttons subscribe to exactly that task, by its reference, with the severity that was asked for."""
    desk = Desk(sqlite_store)
    desk.room.shelf.all += [failed(10), failed(11)]
    found = await desk.types("ann", "/subscribe task dws_orders_ critical")
    assert found is not None
    card = show(found, words("en"), ZONE, desk.person("ann"))
    pressed = next(button for button in buttons(card) if button.command == "subscribe")
    await desk.commands.run("subscribe", Asked(desk.person("ann"), GROUP, pressed.arguments, pressed=True))
    assert await desk.listed() == ["task demo:t1 critical"]


async def test_a_chat_has_a_limit(sqlite_store: Store) -> None:
    """So that nobody fills the table."""
    desk = Desk(sqlite_store)
    for number in range(MOST):
        await desk.types("ann", f"/subscribe owner someone-{number}")
    assert await desk.types("ann", "/subscribe owner more") == Notice("too_many_subscriptions")


async def test_strangers_learn_nothing(sqlite_store: Store) -> None:
    """Neither what a chat hears of, nor how to make it hear more."""
    desk = Desk(sqlite_store)
    for line in ("/subscriptions", "/unsubscribe all"):
        with pytest.raises(Denied):
            await desk.types("who", line)
    assert isinstance(await desk.types("who", "/subscribe all"), Problem)


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW", "en"])
def test_the_card_lists_them_with_a_way_out(language: str) -> None:
    """Each of the chat's own has a button that ends it."""
    result = SubscriptionList("listed", (wanting("project", "trade", "warning", "22:00-08:00"),), NOW)
    card: Card = show(result, words(language), ZONE, Person("ann", "operator"))
    assert "unsubscribe" in repr(card)
    assert "22:00-08:00" in repr(card)
