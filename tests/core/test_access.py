"""Rights: default deny, projects, roles, and identities that are linked and never guessed."""

from datetime import UTC, datetime, timedelta

import pytest

from core.access import Access, Identity, Listing, Person, Role, Roster
from core.errors import Denied
from core.messages import Actor
from core.schedulers.base import Operation, Task
from core.settings import PersonSettings
from tests.fakes.wall_clock import WallClock

ORDERS = Task("prod", "1", "load_orders", "trade", owners=("陈晓雯", "李雷"))
PEOPLE = (
    PersonSettings(
        name="chen",
        role="operator",
        projects=("trade",),
        owners=("陈晓雯",),
        identities={"feishu": "ou_1"},
        groups=("oncall",),
    ),
    PersonSettings(name="guest", role="viewer", projects=("*",)),
    PersonSettings(name="boss", role="admin", projects=("*",), groups=("oncall", "leads")),
    PersonSettings(name="test", role="operator", projects=("staging:trade",)),
)


@pytest.fixture
def access() -> Access:
    """Four people."""
    return Access(PEOPLE)


def test_an_actor_is_a_person_only_through_a_listed_identity(access: Access) -> None:
    """Name, tenant and a like id on another channel grant nothing."""
    assert access.person(Actor("feishu", "ou_1")).name == "chen"
    for actor in (Actor("dingtalk", "ou_1"), Actor("feishu", "ou_2", name="chen"), Actor("feishu", "chen")):
        assert access.person(actor).role == "stranger"


def test_the_terminal_and_the_page_know_people_by_name(access: Access) -> None:
    """Whoever gets there holds the settings' own secrets."""
    assert access.person(Actor("terminal", "boss")).role == "admin"
    assert access.person(Actor("web", "nobody")).role == "stranger"


@pytest.mark.parametrize(
    ("name", "operation", "allowed"),
    [
        ("chen", Operation.RERUN, True),
        ("chen", Operation.SET_SUCCESS, False),
        ("guest", Operation.RERUN, False),
        ("boss", Operation.SET_SUCCESS, True),
        ("test", Operation.RERUN, False),
    ],
)
def test_role_and_project_decide_together(access: Access, name: str, operation: Operation, allowed: bool) -> None:
    """A right needs the role for the operation and the task's project; another scheduler's namesake does not count."""
    person = access.named(name)
    assert person is not None
    assert person.may(operation, ORDERS) is allowed
    if allowed:
        access.may_operate(person, operation, ORDERS)
    else:
        with pytest.raises(Denied):
            access.may_operate(person, operation, ORDERS)


def test_every_operation_needs_a_role(access: Access) -> None:
    """A new operation without an entry would be a KeyError here, not a hole."""
    stranger = access.person(Actor("feishu", "ou_9"))
    for operation in Operation:
        with pytest.raises(Denied):
            access.may_operate(stranger, operation, ORDERS)


def test_strangers_may_not_look(access: Access) -> None:
    """Logs and names are not for whoever finds the bot."""
    access.may_look(access.person(Actor("web", "guest")))
    with pytest.raises(Denied):
        access.may_look(access.person(Actor("web", "ou_1")))


def test_each_role_may_do_what_those_below_it_may() -> None:
    """The operations administrator sets success, stops and backfills; the operator reruns and freezes."""
    forbidden: dict[Role, set[Operation]] = {
        "viewer": set(Operation),
        "operator": {Operation.SET_SUCCESS, Operation.KILL, Operation.BACKFILL},
        "ops_admin": set(),
        "admin": set(),
    }
    for role, operations in forbidden.items():
        person = Person("x", role, frozenset({"trade"}))
        assert {operation for operation in Operation if not person.may(operation, ORDERS)} == operations


def test_holders_are_asked_by_role_and_by_project(access: Access) -> None:
    """Without a project, everyone with the role; with one, those whose project it is, also by `scheduler:project`."""
    assert [person.name for person in access.holders("operator")] == ["boss", "chen", "test"]
    assert [person.name for person in access.holders("operator", "staging", "trade")] == ["boss", "chen", "test"]
    assert [person.name for person in access.holders("operator", "prod", "other")] == ["boss"]
    assert access.holders("ops_admin", "prod", "trade") == (access.named("boss"),)


def test_a_group_is_those_who_are_in_it(access: Access) -> None:
    """In the order of their names; nobody is in a group that does not exist."""
    assert [person.name for person in access.group("oncall")] == ["boss", "chen"]
    assert access.group("nobody") == ()


def test_rights_are_those_in_force_not_those_of_the_callers_copy(access: Access) -> None:
    """A card drawn when someone was an administrator gives them nothing once they are not."""
    old = Person("chen", "admin", frozenset({"*"}))
    with pytest.raises(Denied):
        access.may_operate(old, Operation.KILL, ORDERS)
    with pytest.raises(Denied):
        access.needs(Person("gone", "admin", frozenset({"*"})), "viewer")


def test_a_stranger_whose_id_reads_like_a_name_stays_a_stranger() -> None:
    """A stranger is called `channel:id`; someone listed under those very words does not lend them rights."""
    access = Access((PersonSettings(name="feishu:ou_9", role="admin", projects=("*",)),))
    stranger = access.person(Actor("feishu", "ou_9"))
    assert stranger.name == "feishu:ou_9"
    with pytest.raises(Denied):
        access.may_operate(stranger, Operation.RERUN, ORDERS)


def test_people_of_another_company_are_strangers() -> None:
    """With companies listed, an id of another one opens nothing; a channel that tells no company has only its own."""
    access = Access(PEOPLE, tenants=("acme",))
    assert access.person(Actor("feishu", "ou_1", tenant="acme")).name == "chen"
    assert access.person(Actor("feishu", "ou_1", tenant="evil")).role == "stranger"
    assert access.person(Actor("feishu", "ou_1")).name == "chen"


class Book:
    """A directory that a test writes."""

    def __init__(self, *listings: Listing, identities: tuple[Identity, ...] = ()) -> None:
        self.kept = Roster(1, listings, identities)
        self.reads = 0

    async def version(self) -> int:
        """Of what is kept."""
        return self.kept.version

    async def roster(self) -> Roster:
        """What is kept, counted."""
        self.reads += 1
        return self.kept


async def test_people_are_read_again_only_when_they_changed() -> None:
    """A decision costs one small read; a change is known with the next one."""
    book = Book(Listing(Person("ann", "operator", frozenset({"trade"}))))
    access = Access((), book)
    assert access.named("ann") is None
    for _ in range(3):
        await access.refresh()
    assert book.reads == 1
    access.may_operate(Person("ann", "operator"), Operation.RERUN, ORDERS)
    book.kept = Roster(2)
    await access.refresh()
    with pytest.raises(Denied):
        access.may_operate(Person("ann", "operator", frozenset({"trade"})), Operation.RERUN, ORDERS)


async def test_a_right_that_ends_needs_nobody_to_end_it() -> None:
    """The end is part of every question, so it holds even when nothing is read again."""
    now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    clock = WallClock(now)
    ann = Listing(Person("ann", "operator", frozenset({"trade", "crm"})), {"trade": now + timedelta(hours=1)})
    access = Access((), Book(ann), clock=clock)
    await access.refresh()
    access.may_operate(Person("ann", "operator"), Operation.RERUN, ORDERS)
    assert [person.name for person in access.holders("operator", "prod", "trade")] == ["ann"]
    clock.now += timedelta(hours=1)
    with pytest.raises(Denied):
        access.may_operate(Person("ann", "operator"), Operation.RERUN, ORDERS)
    assert access.holders("operator", "prod", "trade") == ()
    assert access.person(Actor("web", "ann")).projects == {"crm"}


async def test_the_settings_win_over_the_tables() -> None:
    """Whoever is in both is as the settings say, and so is whose an id is."""
    book = Book(
        Listing(Person("chen", "admin", frozenset({"*"}))),
        Listing(Person("eve", "viewer")),
        identities=(
            Identity("eve", "feishu", "ou_1"),
            Identity("chen", "wecom", "chen"),
            Identity("gone", "wecom", "x"),
        ),
    )
    access = Access(PEOPLE, book)
    await access.refresh()
    assert access.person(Actor("feishu", "ou_1")).role == "operator"
    assert access.person(Actor("wecom", "chen")).name == "chen"
    assert access.person(Actor("wecom", "x")).role == "stranger"
    assert access.identities(Person("chen")) == {"terminal": "chen", "web": "chen", "feishu": "ou_1", "wecom": "chen"}


async def test_an_identity_holds_in_the_company_in_which_it_was_linked() -> None:
    """Ids of two companies may be alike; one that a messenger tells without its company is its own app's."""
    book = Book(Listing(Person("ann", "viewer")), identities=(Identity("ann", "dingtalk", "0001", "corp_a"),))
    access = Access((), book)
    await access.refresh()
    assert access.person(Actor("dingtalk", "0001", tenant="corp_a")).name == "ann"
    assert access.person(Actor("dingtalk", "0001", tenant="corp_b")).role == "stranger"
    assert access.person(Actor("dingtalk", "0001")).name == "ann"
