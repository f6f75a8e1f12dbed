"""Codes that link two messengers: good once, for a while, for one person; and what becomes of every other try."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, select

from core.access import Access, Identity, Person
from core.audit import Audit, Sought
from core.errors import BadInput, Busy, Denied
from core.messages import Actor, Conversation
from core.people import Administrator, Linking, People, Register
from core.people.linking import MOST_TRIES, VALID_FOR, shown
from core.settings import PersonSettings
from core.store import Store
from core.store.tables import declared
from tests.fakes.wall_clock import WallClock

CHEN = Actor("feishu", "ou_chen", tenant="acme")
CHEN_ON_WECOM = Actor("wecom", "chen", tenant="acme_wecom")
EVE = Actor("wecom", "eve", tenant="acme_wecom")
ON_FEISHU = Conversation("feishu", "oc_chen")
ON_WECOM = Conversation("wecom", "chen")
SETTINGS = (
    PersonSettings(name="chen", role="operator", projects=("trade",), identities={"feishu": "ou_chen"}),
    PersonSettings(name="lin", role="viewer", identities={"feishu": "ou_lin", "wecom": "lin"}),
)


@dataclass
class Desk:
    """One replica, and its clock."""

    store: Store
    access: Access
    linking: Linking
    people: People
    audit: Audit
    clock: WallClock

    async def code(self, actor: Actor = CHEN) -> str:
        """A code that this person asked for in private."""
        return (await self.linking.code(self.access.person(actor), Conversation(actor.channel, "private"))).text

    async def send(self, code: str, actor: Actor = CHEN_ON_WECOM) -> str:
        """What becomes of a code that someone sends in private."""
        return (await self.linking.redeem(actor, Conversation(actor.channel, "private"), code)).outcome

    def role(self, actor: Actor) -> str:
        """What someone is now."""
        return self.access.person(actor).role

    async def outcomes(self) -> list[str]:
        """What the trail says of codes that were sent, in order."""
        return [
            entry.outcome
            for entry in reversed(await self.audit.search(Sought(action="link")))
            if entry.action == "link"
        ]


def opened(store: Store, clock: WallClock, tenants: tuple[str, ...] = ()) -> Desk:
    """A replica on a database."""
    access = Access(SETTINGS, Register(store), tenants=tenants, clock=clock)
    audit = Audit(store, clock=clock)
    linking, people = Linking(store, access, audit, clock=clock), People(store, access, audit, clock=clock)
    return Desk(store, access, linking, people, audit, clock)


@pytest.fixture
def desk(store: Store) -> Desk:
    """Chen is known on Feishu, Lin on both; on each kind of database."""
    return opened(store, WallClock())


async def test_a_code_makes_one_person_of_two_messengers(desk: Desk) -> None:
    """With the same rights on both; and the other side is where it was asked for."""
    code = await desk.linking.code(desk.access.person(CHEN), ON_FEISHU)
    assert code.expires_at == desk.clock.now + VALID_FOR
    linked = await desk.linking.redeem(CHEN_ON_WECOM, ON_WECOM, shown(code.text).lower())
    assert (linked.outcome, linked.person, linked.asked_in) == ("linked", "chen", ON_FEISHU)
    assert desk.access.person(CHEN_ON_WECOM) == desk.access.person(CHEN)
    assert desk.role(replace(CHEN_ON_WECOM, tenant="other")) == "stranger"
    assert await desk.outcomes() == ["linked"]


async def test_a_code_is_good_once(desk: Desk) -> None:
    """A replay, by whomever, finds nothing."""
    code = await desk.code()
    assert [await desk.send(code), await desk.send(code), await desk.send(code, EVE)] == ["linked", "wrong", "wrong"]
    assert desk.role(EVE) == "stranger"


async def test_of_two_who_send_a_code_at_once_one_is_linked(desk: Desk) -> None:
    """On two replicas: the database lets one take it."""
    other = opened(Store(desk.store.url.render_as_string(hide_password=False)), desk.clock)
    code = await desk.code()
    outcomes = await asyncio.gather(desk.send(code), other.send(code, EVE))
    await other.store.stop()
    assert sorted(outcomes) == ["linked", "wrong"]


async def test_a_code_is_over_when_its_time_is(desk: Desk) -> None:
    """To the moment, by the clock of the question; the trail has it."""
    code = await desk.code()
    desk.clock.now += VALID_FOR
    assert await desk.send(code) == "wrong"
    assert desk.role(CHEN_ON_WECOM) == "stranger"
    code = await desk.code()
    desk.clock.now += VALID_FOR - timedelta(microseconds=1)
    assert await desk.send(code) == "linked"


async def test_asking_again_voids_the_code_before(desk: Desk) -> None:
    """There is never more than one that works."""
    first, second = await desk.code(), await desk.code()
    assert await desk.send(first) == "wrong"
    assert await desk.send(second) == "linked"


async def test_a_guesser_is_stopped_after_a_few_tries(desk: Desk) -> None:
    """Even with the right code in hand; others are not kept out, and after a while neither is the guesser."""
    code = await desk.code()
    for number in range(MOST_TRIES):
        assert await desk.send(f"GUESS{number}", EVE) == "wrong"
    assert await desk.send(code, EVE) == "too_many"
    assert await desk.send(code) == "linked"
    desk.clock.now += VALID_FOR + timedelta(seconds=1)
    assert await desk.send("GUESS", EVE) == "wrong"
    assert await desk.outcomes() == ["wrong"] * MOST_TRIES + ["too_many", "linked", "wrong"]


async def test_trying_on_while_stopped_keeps_one_stopped(desk: Desk) -> None:
    """A machine that never pauses is never let in again."""
    for _ in range(MOST_TRIES * 2):
        await desk.send("GUESS", EVE)
        desk.clock.now += VALID_FOR / (MOST_TRIES + 1)
    assert (await desk.outcomes())[-1] == "too_many"


async def test_asking_for_codes_is_limited_as_well(desk: Desk) -> None:
    """A person, not a messenger: the limit follows them."""
    for _ in range(MOST_TRIES):
        await desk.code()
    with pytest.raises(Busy):
        await desk.code()
    await desk.code(Actor("feishu", "ou_lin"))


async def test_a_code_of_another_company_opens_nothing_and_is_void(sqlite_store: Store) -> None:
    """Whoever got hold of it is not of a company that is served."""
    desk = opened(sqlite_store, WallClock(), tenants=("acme", "acme_wecom"))
    code = await desk.code()
    stranger = Actor("wecom", "chen", tenant="evil")
    assert [await desk.send(code, stranger), await desk.send(code)] == ["foreign", "wrong"]
    assert desk.role(stranger) == desk.role(CHEN_ON_WECOM) == "stranger"


async def test_a_code_comes_back_from_another_messenger_only(desk: Desk) -> None:
    """A second account of the same messenger, or of the same messenger in another company, is not theirs."""
    for sender in (Actor("feishu", "ou_eve", tenant="acme"), Actor("feishu", "ou_chen", tenant="evil")):
        assert await desk.send(await desk.code(), sender) == "same_messenger"
    assert desk.role(Actor("feishu", "ou_eve")) == "stranger"


async def test_a_code_sent_to_a_group_is_void(desk: Desk) -> None:
    """Everyone there has read it."""
    code = await desk.code()
    group = Conversation("wecom", "room", "group")
    assert (await desk.linking.redeem(CHEN_ON_WECOM, group, code)).outcome == "public"
    assert await desk.send(code) == "wrong"


async def test_no_code_is_shown_in_a_group(desk: Desk) -> None:
    """Nor to a stranger anywhere."""
    with pytest.raises(BadInput):
        await desk.linking.code(desk.access.person(CHEN), Conversation("feishu", "oc", "group"))
    with pytest.raises(Denied):
        await desk.linking.code(desk.access.person(EVE), ON_WECOM)


async def test_nobody_becomes_two_people_and_nobody_has_two_accounts_on_one_messenger(desk: Desk) -> None:
    """Lin's WeCom stays Lin's; Chen, once linked there, cannot add another."""
    lin = Actor("wecom", "lin", tenant="acme_wecom")
    assert await desk.send(await desk.code(), lin) == "taken"
    assert desk.access.person(lin).name == "lin"
    assert await desk.send(await desk.code()) == "linked"
    assert await desk.send(await desk.code(), EVE) == "taken"
    assert desk.role(EVE) == "stranger"
    assert await desk.send(await desk.code(), Actor("web", "lin")) == "taken"


async def test_a_code_of_someone_disabled_meanwhile_opens_nothing(desk: Desk) -> None:
    """Also when another replica disabled them a moment ago."""
    await desk.people.add(Administrator("root"), Person("li", "operator"))
    code = (await desk.linking.code(Person("li", "operator"), None, by="root")).text
    other = opened(Store(desk.store.url.render_as_string(hide_password=False)), desk.clock)
    await other.people.disable(Administrator("root"), "li")
    await other.store.stop()
    assert await desk.send(code) == "wrong"


async def test_an_administrators_code_proves_the_first_messenger(desk: Desk) -> None:
    """For someone who is known nowhere yet."""
    await desk.people.add(Administrator("root"), Person("li", "operator"))
    code = (await desk.linking.code(Person("li", "operator"), by="root")).text
    linked = await desk.linking.redeem(EVE, ON_WECOM, code)
    assert (linked.outcome, linked.person, linked.asked_in) == ("linked", "li", None)
    made = await desk.audit.search(Sought(action="link.code"))
    assert [(entry.actor, entry.target) for entry in made] == [("root", "li")]


async def test_unlinking_takes_effect_at_once(desk: Desk) -> None:
    """What the settings list is not theirs to unlink."""
    await desk.send(await desk.code())
    assert await desk.linking.unlink(desk.access.person(CHEN), "wecom")
    assert desk.role(CHEN_ON_WECOM) == "stranger"
    assert not await desk.linking.unlink(desk.access.person(CHEN), "feishu")
    assert desk.role(CHEN) == "operator"


async def test_the_database_never_holds_a_code(desk: Desk) -> None:
    """Neither in a table of ours nor in the trail."""
    code = await desk.code()
    await desk.send("WRONGWRONG12")

    def everything(connection: Connection) -> str:
        return "\n".join(str(row) for table in declared().sorted_tables for row in _rows(connection, table))

    kept = await desk.store.read(everything)
    assert "chen" in kept
    for spelled in (code, shown(code), code.lower()):
        assert spelled not in kept
    assert "WRONGWRONG12" not in kept


def _rows(connection: Connection, table: Table) -> list[object]:
    return list(connection.execute(select(table)))


@given(st.text(alphabet="23456789ABCDEFGHJKMNPQRSTUVWXYZ", min_size=12, max_size=12))
def test_a_code_reads_in_groups_that_anyone_can_type(code: str) -> None:
    """Four letters at a time, and nothing is lost."""
    assert re.fullmatch(r"\w{4}-\w{4}-\w{4}", shown(code))
    assert shown(code).replace("-", "") == code


async def test_an_identity_that_an_administrator_gave_is_not_taken_over(desk: Desk) -> None:
    """Whichever way it came to be somebody's."""
    await desk.people.add(Administrator("root"), Person("li", "viewer"))
    await desk.people.link(Administrator("root"), Identity("li", "wecom", "eve"))
    assert await desk.send(await desk.code(), EVE) == "taken"
    assert desk.access.person(EVE).name == "li"
