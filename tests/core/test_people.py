"""Managing people: only by administrators, at once and everywhere, and each change stands in the trail."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from core.access import Access, Identity, Person
from core.audit import Audit, Entry, Sought
from core.errors import BadInput, Denied, NotFound
from core.messages import Actor
from core.people import Administrator, People, Register
from core.schedulers.base import Operation, Task
from core.settings import PersonSettings
from core.store import Store
from tests.fakes.wall_clock import WallClock

ORDERS = Task("prod", "1", "load_orders", "trade")
SETTINGS = (
    PersonSettings(name="root", role="admin", identities={"feishu": "ou_root"}),
    PersonSettings(name="chen", role="operator", projects=("trade",)),
)
ROOT = Administrator("root")
LI = Actor("feishu", "ou_li")


@dataclass
class Office:
    """One replica: what it knows, and what it can change."""

    store: Store
    access: Access
    people: People
    audit: Audit
    clock: WallClock

    async def entries(self, **sought: str) -> tuple[Entry, ...]:
        """What stands in the trail."""
        return await self.audit.search(Sought(**sought))  # pyright: ignore[reportArgumentType]


def opened(store: Store) -> Office:
    """A replica on a database."""
    clock = WallClock()
    access, audit = Access(SETTINGS, Register(store), clock=clock), Audit(store, clock=clock)
    return Office(store, access, People(store, access, audit, clock=clock), audit, clock)


@asynccontextmanager
async def replica(office: Office) -> AsyncGenerator[Office]:
    """Another process on the same database."""
    store = Store(office.store.url.render_as_string(hide_password=False))
    try:
        yield opened(store)
    finally:
        await store.stop()


@pytest.fixture
def office(store: Store) -> Office:
    """Two people of the settings, on each kind of database."""
    return opened(store)


@pytest.fixture
async def with_li(office: Office) -> Office:
    """The same, and an operator who was added, with a project and a messenger."""
    await office.people.add(ROOT, Person("li", "operator", owners=frozenset({"李雷"}), language="zh-TW"))
    await office.people.give(ROOT, "li", "trade")
    await office.people.link(ROOT, Identity("li", LI.channel, LI.id))
    return office


async def test_someone_who_is_added_has_their_rights_at_once(with_li: Office) -> None:
    """As listed: role, project, owner names, language, messenger, and the page."""
    li = with_li.access.person(LI)
    expected = Person("li", "operator", frozenset({"trade"}), frozenset({"李雷"}), "zh-TW")
    assert li == with_li.access.person(Actor("web", "li")) == expected
    with_li.access.may_operate(li, Operation.RERUN, ORDERS)


async def test_another_replica_knows_a_change_before_its_next_decision(with_li: Office) -> None:
    """It asks for the version; it is not told."""
    async with replica(with_li) as other:
        await other.access.refresh()
        li = other.access.person(LI)
        other.access.may_operate(li, Operation.RERUN, ORDERS)
        await with_li.people.disable(ROOT, "li")
        await other.access.refresh()
        with pytest.raises(Denied):
            other.access.may_operate(li, Operation.RERUN, ORDERS)
        assert other.access.person(LI).role == "stranger"


async def test_a_disabled_person_is_a_stranger_and_comes_back_as_they_were(with_li: Office) -> None:
    """Their entry stays, so that nobody else can take the name or the identity meanwhile."""
    before = with_li.access.person(LI)
    await with_li.people.disable(ROOT, "li")
    assert with_li.access.person(LI).role == with_li.access.person(Actor("web", "li")).role == "stranger"
    assert with_li.access.holders("operator") == (with_li.access.named("chen"), with_li.access.named("root"))
    with pytest.raises(BadInput):
        await with_li.people.add(ROOT, Person("li", "viewer"))
    with pytest.raises(BadInput):
        await with_li.people.link(ROOT, Identity("chen", LI.channel, LI.id))
    await with_li.people.enable(ROOT, "li")
    assert with_li.access.person(LI) == before


async def test_a_role_taken_away_between_card_and_click_is_gone_at_the_click(with_li: Office) -> None:
    """The card was drawn for an operations administrator."""
    await with_li.people.set_role(ROOT, "li", "ops_admin", break_glass=True)
    drawn_for = with_li.access.person(LI)
    assert drawn_for.may(Operation.KILL, ORDERS)
    assert drawn_for.break_glass
    await with_li.people.set_role(ROOT, "li", "operator", break_glass=False)
    await with_li.access.refresh()
    with pytest.raises(Denied):
        with_li.access.may_operate(drawn_for, Operation.KILL, ORDERS)
    assert not with_li.access.present(drawn_for).break_glass


async def test_a_project_can_be_given_until_a_moment_and_taken(with_li: Office) -> None:
    """On both databases an end is a moment, and giving again replaces it."""
    end = with_li.clock.now + timedelta(hours=8)
    await with_li.people.give(ROOT, "li", "prod:crm", until=end)
    assert with_li.access.ends(with_li.access.person(LI)) == {"prod:crm": end}
    with_li.clock.now = end
    assert with_li.access.person(LI).projects == {"trade"}
    await with_li.people.give(ROOT, "li", "prod:crm")
    assert with_li.access.person(LI).projects == {"trade", "prod:crm"}
    await with_li.people.take(ROOT, "li", "trade")
    assert with_li.access.person(LI).projects == {"prod:crm"}
    with pytest.raises(BadInput):
        await with_li.people.take(ROOT, "li", "trade")


async def test_groups_are_set_as_a_whole(with_li: Office) -> None:
    """The last word counts."""
    await with_li.people.put_into(ROOT, "li", frozenset({"oncall", "leads"}))
    await with_li.people.put_into(ROOT, "li", frozenset({"oncall"}))
    assert with_li.access.group("oncall") == (with_li.access.person(LI),)
    assert with_li.access.group("leads") == ()


async def test_people_of_the_settings_are_shown_and_not_changed_here(office: Office) -> None:
    """One place for each person; but the settings' people may have further messengers."""
    people = office.people
    changes: tuple[Callable[[], Awaitable[None]], ...] = (
        lambda: people.set_role(ROOT, "chen", "admin", break_glass=False),
        lambda: people.disable(ROOT, "chen"),
        lambda: people.give(ROOT, "chen", "*"),
        lambda: people.put_into(ROOT, "chen", frozenset({"leads"})),
        lambda: people.add(ROOT, Person("chen", "admin")),
    )
    for change in changes:
        with pytest.raises(BadInput):
            await change()
    assert [(entry.person.name, entry.origin) for entry in await people.everyone()] == [
        ("chen", "settings"),
        ("root", "settings"),
    ]
    await people.link(ROOT, Identity("chen", "wecom", "chen"))
    assert office.access.person(Actor("wecom", "chen")).role == "operator"
    await people.unlink(ROOT, "chen", "wecom")
    assert office.access.person(Actor("wecom", "chen")).role == "stranger"


@pytest.mark.parametrize(
    "identity",
    [
        Identity("chen", LI.channel, LI.id),
        Identity("chen", "feishu", "ou_root"),
        Identity("li", "feishu", "ou_second"),
        Identity("li", "web", "root"),
        Identity("li", "terminal", "root"),
        Identity("li", "wecom", ""),
        Identity("li", "We Com", "li"),
        Identity("li", "wecom", "li\u202e"),
    ],
    ids=[
        "of another",
        "of the settings",
        "a second one",
        "the page",
        "the terminal",
        "empty",
        "no channel",
        "invisible",
    ],
)
async def test_an_identity_is_one_persons_and_a_person_has_one_on_a_channel(
    with_li: Office, identity: Identity
) -> None:
    """Nor can the page's and the terminal's own words be given away."""
    with pytest.raises(BadInput):
        await with_li.people.link(ROOT, identity)
    assert with_li.access.person(LI).name == "li"
    assert with_li.access.person(Actor("feishu", "ou_root")).name == "root"


async def test_an_identity_claimed_on_two_replicas_at_once_is_one_persons(with_li: Office) -> None:
    """The database decides; the other one is refused."""
    async with replica(with_li) as other:
        await other.access.refresh()
        outcomes = await asyncio.gather(
            with_li.people.link(ROOT, Identity("chen", "wecom", "both")),
            other.people.link(ROOT, Identity("li", "wecom", "both")),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [BadInput]
    await with_li.access.refresh()
    assert sum("wecom" in with_li.access.identities(Person(name)) for name in ("chen", "li")) == 1


@pytest.mark.parametrize(
    "name", ["", " li", "a:b", "a/b", "a,b", "a\nb", "x" * 81, "system", "xops", "li\u200b", "a\x00"]
)
async def test_names_that_could_be_taken_for_something_else_are_refused(office: Office, name: str) -> None:
    """For a stranger, for the system, or for another name."""
    with pytest.raises(BadInput):
        await office.people.add(ROOT, Person(name, "viewer"))


async def test_only_an_administrator_becomes_one(with_li: Office) -> None:
    """And the attempt is in the trail."""
    assert await with_li.people.administrator(with_li.access.person(Actor("web", "root"))) == ROOT
    for who in (LI, Actor("feishu", "ou_nobody")):
        with pytest.raises(Denied):
            await with_li.people.administrator(with_li.access.person(who))
    refused = await with_li.entries(action="people")
    assert [entry.actor for entry in refused if entry.outcome == "denied"] == ["feishu:ou_nobody", "li"]


async def test_every_change_and_refusal_of_one_is_in_the_trail(with_li: Office) -> None:
    """With who did it, and to whom."""
    await with_li.people.disable(ROOT, "li")
    with pytest.raises(BadInput):
        await with_li.people.unlink(ROOT, "li", "wecom")
    told = [(entry.actor, entry.action, entry.outcome) for entry in reversed(await with_li.entries(target="li"))]
    assert told == [
        ("root", "people.add", "done"),
        ("root", "people.give", "done"),
        ("root", "people.link", "done"),
        ("root", "people.disable", "done"),
        ("root", "people.unlink", "refused"),
    ]
    assert await with_li.audit.verify() == 5


async def test_whoever_does_not_exist_is_not_made_by_a_change(office: Office) -> None:
    """A slip of the keyboard gives nobody rights; the nearest names are told."""
    with pytest.raises(NotFound) as told:
        await office.people.give(ROOT, "cheng", "*")
    assert "chen" in told.value.nearest
    with pytest.raises(BadInput):
        await office.people.give(ROOT, "chen", "")
    with pytest.raises(NotFound):
        await office.people.set_role(ROOT, "nobody", "admin", break_glass=True)
    assert await office.entries() == ()


async def test_an_end_that_is_past_is_refused(with_li: Office) -> None:
    """It would be a right that never was."""
    with pytest.raises(BadInput):
        await with_li.people.give(ROOT, "li", "crm", until=with_li.clock.now)
