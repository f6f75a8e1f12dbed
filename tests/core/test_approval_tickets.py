"""Tickets from the request to the end: once, in time, by who may, also when many press and processes die."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from core.approvals.model import Node, Ticket
from core.approvals.service import PER_DAY
from core.approvals.tickets import TicketFilter
from core.errors import BadInput, Denied, NoFlow, NotApprover, NotFound, Stale, XOpsError
from core.settings import ApprovalSettings, PersonSettings
from core.store import Store
from tests.fakes.approvals import HERE, PEOPLE, Bureau, flow, kill
from tests.fakes.timeline import Timeline

MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
REASON = "the warehouse is on fire and burns money"


@pytest.fixture
async def bureau(sqlite_store: Store) -> Bureau:
    """Seven people, two messengers, no flow yet."""
    return Bureau(sqlite_store)


@pytest.fixture
async def replicas(database_url: str, store: Store) -> AsyncGenerator[list[Bureau]]:
    """Three processes over one database, with one clock."""
    others = [Store(database_url) for _ in range(2)]
    now = Timeline()
    people = (*PEOPLE, *(PersonSettings(name=f"p{n}", role="ops_admin", projects=("*",)) for n in range(200)))
    yield [Bureau(each, people=people, now=now) for each in (store, *others)]
    for each in others:
        await each.stop()


async def test_without_approvals_a_confirmation_is_enough(bureau: Bureau) -> None:
    """A team of one can use the product."""
    bureau.settings = ApprovalSettings()
    bureau.restart(PEOPLE)
    assert await bureau.approvals.open(kill()) is None


async def test_what_is_risky_needs_an_ops_admin_where_nobody_made_a_flow(bureau: Bureau) -> None:
    """A built-in flow of one node; harmless operations need none, unless there are very many instances."""
    assert (await bureau.ask()).match.flow.id == "F-0"
    assert await bureau.approvals.open(kill(task_type="rerun")) is None
    assert await bureau.approvals.open(kill(task_type="rerun", facts={"instances": 20})) is not None


async def test_a_type_whose_flows_do_not_cover_the_target_is_refused(bureau: Bureau) -> None:
    """Disabled or elsewhere: never silently allowed, even where no flow would have meant no approval."""
    made = await bureau.flows.create(bureau.person("root"), flow("reruns", "rerun"))
    await bureau.flows.enable(bureau.person("root"), made.id, enabled=False)
    with pytest.raises(NoFlow):
        await bureau.approvals.open(kill(task_type="rerun"))
    with pytest.raises(NoFlow):
        await bureau.approvals.open(kill(task_type="import"))


async def test_the_whole_way_through_two_nodes(bureau: Bureau) -> None:
    """Each node its people; the cards go to their own messengers and are edited everywhere; it runs once."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", "ops_admin@project", "group:dba"))
    ticket = await bureau.ask(kill(conversation=HERE))
    assert [card.title for card in bureau.cards_of(bureau.wecom, "w-ops")] == ["T-1 approving 0 decide"]
    assert [card.title for card in bureau.cards_of(bureau.ding, "d-ops2")] == ["T-1 approving 0 decide"]
    assert bureau.cards_of(bureau.wecom, "w-dba") == []
    await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.settle()
    assert [card.title for card in bureau.cards_of(bureau.wecom, "w-dba")] == ["T-1 approving 1 decide"]
    await bureau.approvals.approve(bureau.says("dba", ticket))
    await bureau.settle()
    assert (await bureau.state(ticket), bureau.hand.started) == ("succeeded", ["T-1"])
    everyone = [(bureau.wecom, "w-ops"), (bureau.ding, "d-ops2"), (bureau.wecom, "w-dba"), (bureau.ding, "group")]
    for chat, actor in everyone:
        assert [card.title for card in bureau.cards_of(chat, actor)] == ["T-1 succeeded 2"]
    assert await bureau.audit.verify() == 5


async def test_a_node_that_approves_by_itself_is_passed(bureau: Bureau) -> None:
    """Also as the only one, and in the middle."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", "auto", "group:dba", "auto"))
    ticket = await bureau.ask()
    assert ticket.node == 1
    await bureau.approvals.approve(bureau.says("dba", ticket))
    await bureau.settle()
    assert await bureau.state(ticket) == "succeeded"


async def test_a_quorum_needs_different_people(bureau: Bureau) -> None:
    """Two presses of one person are one vote."""
    node = Node(approver="ops_admin@project", need=2)
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", node))
    ticket = await bureau.ask()
    await bureau.approvals.approve(bureau.says("ops", ticket))
    with pytest.raises(Stale):
        await bureau.approvals.approve(bureau.says("ops", ticket))
    assert await bureau.state(ticket) == "approving"
    await bureau.approvals.approve(bureau.says("root", ticket))
    assert await bureau.state(ticket) == "executing"


@pytest.mark.parametrize(("distinct", "allowed"), [(None, True), (True, False)])
async def test_one_person_may_decide_two_nodes_unless_the_flow_says_no(
    bureau: Bureau, distinct: bool | None, allowed: bool
) -> None:
    """By default only from level 3 on."""
    made = flow("kills", "kill", "user:ops", "user:ops", distinct_approvers=distinct, escalate_to="user:dba")
    await bureau.flows.create(bureau.person("root"), made)
    ticket = await bureau.ask()
    await bureau.approvals.approve(bureau.says("ops", ticket))
    if allowed:
        await bureau.approvals.approve(bureau.says("ops", ticket))
        return
    with pytest.raises(NotApprover):
        await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.settle()
    await bureau.approvals.approve(bureau.says("dba", ticket))


async def test_nobody_approves_what_they_asked_for(bureau: Bureau) -> None:
    """Neither who asked nor on whose behalf, whatever their role; the attempt is on record."""
    ticket = await bureau.ask(kill(requester="ops", involved=("root",)))
    for name in ("ops", "root"):
        with pytest.raises(NotApprover):
            await bureau.approvals.approve(bureau.says(name, ticket))
        with pytest.raises(NotApprover):
            await bureau.approvals.reject(bureau.says(name, ticket, "no"))
    events = await bureau.tickets.events(ticket.id)
    assert [event.actor for event in events if event.kind == "denied"] == ["ops", "ops", "root", "root"]
    assert await bureau.state(ticket) == "approving"


async def test_a_flow_may_permit_approving_oneself_at_level_one(bureau: Bureau) -> None:
    """Where an administrator says so."""
    await bureau.flows.create(bureau.person("root"), flow(self_approval=True))
    ticket = await bureau.ask(kill(requester="ops"))
    assert (await bureau.approvals.approve(bureau.says("ops", ticket))).state == "executing"


@pytest.mark.parametrize("name", ["guest", "dba", "asker", "nobody at all"])
async def test_whoever_is_no_candidate_decides_nothing(bureau: Bureau, name: str) -> None:
    """A card in a group can be pressed by anybody."""
    ticket = await bureau.ask()
    with pytest.raises(Denied):
        await bureau.approvals.approve(bureau.says(name, ticket))
    with pytest.raises(Denied):
        await bureau.approvals.withdraw(bureau.says("guest", ticket))


async def test_a_role_taken_away_between_card_and_click_counts(bureau: Bureau) -> None:
    """Rights are those of the moment of the press."""
    ticket = await bureau.ask()
    bureau.restart(tuple(one for one in PEOPLE if one.name != "ops"))
    with pytest.raises(NotApprover):
        await bureau.approvals.approve(bureau.says("ops", ticket))


async def test_a_role_given_after_the_ticket_was_opened_counts(bureau: Bureau) -> None:
    """Candidates are those of the moment, and get a card as well."""
    ticket = await bureau.ask()
    new = PersonSettings(name="new", role="ops_admin", projects=("*",), identities={"ding": "d-new"})
    bureau.restart((*PEOPLE, new))
    await bureau.settle(after=12 * HOUR)
    assert bureau.cards_of(bureau.ding, "d-new")
    assert (await bureau.approvals.approve(bureau.says("new", ticket))).state == "executing"


@pytest.mark.parametrize(
    "forged", [{"node": 1}, {"node": 0, "digest": "0" * 64}, {"digest": "x"}, {"node": -1}], ids=str
)
async def test_a_card_that_showed_something_else_decides_nothing(bureau: Bureau, forged: dict[str, object]) -> None:
    """Another node, or another payload, than the ticket's."""
    ticket = await bureau.ask()
    with pytest.raises(Stale):
        await bureau.approvals.approve(replace(bureau.says("ops", ticket), **forged))
    ok = replace(bureau.says("ops", ticket), node=ticket.node, digest=ticket.digest)
    assert (await bureau.approvals.approve(ok)).state == "executing"


@pytest.mark.parametrize("name", ["T-2", "T-0", "T--1", "", "T-१", "9" * 40, "T-1; DROP TABLE", "P-1"])
async def test_a_ticket_that_does_not_exist_is_not_found(bureau: Bureau, name: str) -> None:
    """Whatever somebody types for an id."""
    ticket = await bureau.ask()
    with pytest.raises(NotFound):
        await bureau.approvals.approve(replace(bureau.says("ops", ticket), ticket=name))


async def test_rejecting_is_final_and_needs_a_reason(bureau: Bureau) -> None:
    """The reason reaches whoever carries out."""
    ticket = await bureau.ask()
    with pytest.raises(BadInput):
        await bureau.approvals.reject(bureau.says("ops", ticket, "  "))
    await bureau.approvals.reject(bureau.says("ops", ticket, "not before the month end"))
    with pytest.raises(Stale):
        await bureau.approvals.approve(bureau.says("ops2", ticket))
    await bureau.settle()
    assert bureau.hand.dropped_tickets == [("T-1", "ops", "not before the month end")]
    assert bureau.hand.started == []


@pytest.mark.parametrize(("name", "state"), [("asker", "withdrawn"), ("ops", "cancelled")])
async def test_it_can_be_taken_back_while_it_waits(bureau: Bureau, name: str, state: str) -> None:
    """By who asked, or by an ops admin; then nobody can approve any more."""
    ticket = await bureau.ask()
    assert (await bureau.approvals.withdraw(bureau.says(name, ticket))).state == state
    with pytest.raises(Stale):
        await bureau.approvals.approve(bureau.says("ops2", ticket))
    await bureau.settle()
    assert [by for _, by, _ in bureau.hand.dropped_tickets] == [name]


@pytest.mark.parametrize(("early", "state"), [(True, "executing"), (False, "approving")])
async def test_a_click_counts_up_to_the_deadline(bureau: Bureau, early: bool, state: str) -> None:
    """One millisecond before it does; one after, it does not, although nobody has expired the ticket yet."""
    ticket = await bureau.ask()
    bureau.now.now = ticket.deadline - MILLISECOND if early else ticket.deadline + MILLISECOND
    if early:
        await bureau.approvals.approve(bureau.says("ops", ticket))
    else:
        with pytest.raises(Stale):
            await bureau.approvals.approve(bureau.says("ops", ticket))
    assert await bureau.state(ticket) == state
    if not early:
        await bureau.settle()
        assert await bureau.state(ticket) == "approval_expired"


async def test_a_deadline_that_passed_while_the_process_was_down_holds(bureau: Bureau) -> None:
    """The first sweep of the next process ends the ticket and its cards, and a late click is refused before that too."""
    ticket = await bureau.ask()
    bureau.now.now += 2 * DAY
    bureau.restart(PEOPLE)
    with pytest.raises(Stale):
        await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.settle()
    assert await bureau.state(ticket) == "approval_expired"
    assert bureau.cards_of(bureau.wecom, "w-ops")[0].title == "T-1 approval_expired 0"
    assert bureau.hand.dropped_tickets == [("T-1", "system", "")]


async def test_each_node_has_its_time_anew(bureau: Bureau) -> None:
    """As in ODC; in all never more than thirty days."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", *(["ops_admin@project"] * 10),
                              validity={"approval_minutes": 240 * 60}))  # fmt: skip
    ticket = await bureau.ask()
    opened = bureau.now.now
    for _ in range(3):
        bureau.now.now += 9 * DAY
        ticket = await bureau.approvals.approve(bureau.says("ops", ticket))
    assert ticket.deadline == opened + 30 * DAY


async def test_candidates_are_reminded_at_half_and_at_nine_tenths(bureau: Bureau) -> None:
    """Once each, whatever is swept in between and however late."""
    await bureau.ask()
    for _ in range(25):
        await bureau.settle(after=HOUR)
    reminders = [card.title for card in bureau.cards_of(bureau.wecom, "w-ops") if card.title.startswith("remind")]
    assert reminders == ["remind T-1 approving 0"] * 2


async def test_others_are_asked_as_well_when_it_takes_too_long(bureau: Bureau) -> None:
    """Escalation adds people and takes nobody away."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", "group:dba", escalate_percent=25))
    ticket = await bureau.ask()
    with pytest.raises(NotApprover):
        await bureau.approvals.approve(bureau.says("root", ticket))
    await bureau.settle(after=6 * HOUR)
    assert bureau.cards_of(bureau.ding, "d-root")[0].title == "T-1 approving 0 decide"
    found = await bureau.approvals.view(bureau.person("asker"), ticket.id)
    assert found.candidates == ("dba", "root")


async def test_others_are_asked_at_once_when_nobody_else_may_decide(bureau: Bureau) -> None:
    """The only candidate is the one who asked."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", "user:ops"))
    ticket = await bureau.ask(kill(requester="ops"))
    assert (await bureau.approvals.view(bureau.person("ops"), ticket.id)).candidates == ("root",)


async def test_a_change_of_the_flow_touches_no_ticket_under_way(bureau: Bureau) -> None:
    """The ticket keeps the flow as it was; new tickets get the new one, or none."""
    root = bureau.person("root")
    made = await bureau.flows.create(root, flow("kills", "kill", "group:dba"))
    ticket = await bureau.ask()
    await bureau.flows.edit(root, made.id, flow("kills", "kill", "user:ops", enabled=False), version=1)
    with pytest.raises(NotApprover):
        await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.approvals.approve(bureau.says("dba", ticket))
    await bureau.settle()
    assert await bureau.state(ticket) == "succeeded"
    with pytest.raises(NoFlow):
        await bureau.approvals.open(kill())


async def test_the_same_request_is_the_same_ticket(bureau: Bureau) -> None:
    """A gate asks again after a crash."""
    first, again = await bureau.ask(kill(key="proposal:P-1")), await bureau.ask(kill(key="proposal:P-1"))
    assert first.id == again.id
    assert len(await bureau.tickets.events(first.id)) == 1


async def test_manual_execution_waits_for_a_hand_and_not_for_ever(bureau: Bureau) -> None:
    """By who asked or an ops admin, not by the approver as such."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", "group:dba"))
    ticket = await bureau.ask(kill(strategy="manual"))
    await bureau.approvals.approve(bureau.says("dba", ticket))
    await bureau.settle()
    assert (await bureau.state(ticket), bureau.hand.started) == ("waiting", [])
    with pytest.raises(NotApprover):
        await bureau.approvals.execute_now(bureau.says("dba", ticket))
    await bureau.approvals.execute_now(bureau.says("asker", ticket))
    with pytest.raises(Stale):
        await bureau.approvals.execute_now(bureau.says("asker", ticket))
    late = await bureau.ask(kill(strategy="manual"))
    await bureau.approvals.approve(bureau.says("dba", late))
    await bureau.settle(after=DAY)
    assert (await bureau.state(ticket), await bureau.state(late)) == ("succeeded", "wait_expired")


async def test_timed_execution_begins_by_itself_at_its_time(bureau: Bureau) -> None:
    """Not before; nobody can start it by hand; and an approval after the time is too late."""
    at = bureau.now.now + 3 * HOUR
    ticket, missed = [await bureau.ask(kill(strategy="timed", execute_at=at)) for _ in range(2)]
    await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.settle(after=2 * HOUR)
    with pytest.raises(Stale):
        await bureau.approvals.execute_now(bureau.says("asker", ticket))
    assert await bureau.state(ticket) == "waiting"
    await bureau.settle(after=HOUR)
    assert (await bureau.state(ticket), bureau.hand.started) == ("succeeded", ["T-1"])
    assert await bureau.state(missed) == "approval_expired"


@pytest.mark.parametrize("hours", [-1, 0, 25])
async def test_a_time_has_to_be_within_what_the_flow_lets_a_ticket_wait(bureau: Bureau, hours: int) -> None:
    """Said when it is asked for, and not cut silently."""
    with pytest.raises(BadInput):
        await bureau.approvals.open(kill(strategy="timed", execute_at=bureau.now.now + hours * HOUR))
    with pytest.raises(BadInput):
        await bureau.approvals.open(kill(execute_at=bureau.now.now + HOUR))


@pytest.mark.parametrize(("said", "state"), [("executing", "execution_expired"), ("unknown", "unknown")])
async def test_what_does_not_end_in_time_has_expired_and_what_nobody_knows_a_person_ends(
    bureau: Bureau, said: str, state: str
) -> None:
    """`unknown` waits for whoever finds out."""
    bureau.hand.state = "executing" if said == "executing" else "unknown"
    ticket = await bureau.ask()
    await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.settle()
    bureau.now.now += DAY
    await bureau.settle()
    assert await bureau.state(ticket) == state
    if state == "unknown":
        assert (await bureau.approvals.report(bureau.says("ops", ticket, "it did"), "succeeded")).state == "succeeded"


async def test_a_task_without_a_runner_is_carried_out_by_a_person(bureau: Bureau) -> None:
    """ODC's imports and exports, DataWorks' extension points, your own."""
    await bureau.flows.create(bureau.person("root"), flow("imports", "import"))
    asked = kill(task_type="import")
    ticket = await bureau.approvals.submit(bureau.person("asker"), asked, via="api")
    await bureau.approvals.approve(bureau.says("ops", ticket))
    await bureau.settle()
    assert await bureau.state(ticket) == "executing"
    assert (
        await bureau.approvals.report(bureau.says("asker", ticket, "no such file"), "failed")
    ).message == "no such file"


async def test_what_is_stored_is_carried_out_only_as_it_was_approved(bureau: Bureau) -> None:
    """Someone who can write to the table cannot put another payload under an approval."""
    ticket = await bureau.ask()
    await bureau.approvals.approve(bureau.says("ops", ticket))
    swap = "UPDATE approval_ticket SET request = replace(request, 'demo:1', 'demo:2')"
    await bureau.store.write(lambda connection: connection.exec_driver_sql(swap))
    await bureau.settle()
    assert (await bureau.state(ticket), bureau.hand.started) == ("failed", [])


async def test_breaking_the_glass_is_reviewed_by_others(bureau: Bureau) -> None:
    """It runs at once, once; everyone who could have approved, and the admins, get a review that the breaker cannot close."""
    ticket = await bureau.ask()
    await bureau.approvals.break_glass(bureau.says("fire", ticket, REASON), "INC-7")
    await bureau.settle()
    assert (await bureau.state(ticket), bureau.hand.started) == ("succeeded", ["T-1"])
    review = await bureau.tickets.get("T-2")
    assert (review.path, review.request.parent, review.state) == ("review", "T-1", "approving")
    found = await bureau.approvals.view(bureau.person("fire"), "T-2")
    assert found.candidates == ("ops", "ops2", "root")
    for name in ("fire", "asker"):
        with pytest.raises(NotApprover):
            await bureau.approvals.approve(bureau.says(name, review))
    await bureau.approvals.approve(bureau.says("ops", review))
    await bureau.settle()
    assert (await bureau.state(review), bureau.hand.started) == ("succeeded", ["T-1"])


@pytest.mark.parametrize(
    ("name", "comment", "incident"),
    [("asker", REASON, "INC-7"), ("ops", REASON, "INC-7"), ("fire", "short", "INC-7"), ("fire", REASON, " ")],
)
async def test_the_glass_has_conditions(bureau: Bureau, name: str, comment: str, incident: str) -> None:
    """The permission, a reason and an incident."""
    ticket = await bureau.ask()
    with pytest.raises((Denied, BadInput)):
        await bureau.approvals.break_glass(bureau.says(name, ticket, comment), incident)
    assert await bureau.state(ticket) == "approving"


async def test_the_glass_breaks_three_times_a_day(bureau: Bureau) -> None:
    """And not at all where the flow does not allow it."""
    for _ in range(PER_DAY):
        await bureau.approvals.break_glass(bureau.says("fire", await bureau.ask(), REASON), "INC-7")
    last = await bureau.ask()
    with pytest.raises(Denied):
        await bureau.approvals.break_glass(bureau.says("fire", last, REASON), "INC-7")
    await bureau.flows.create(bureau.person("root"), flow())
    with pytest.raises(Denied):
        await bureau.approvals.break_glass(bureau.says("root", await bureau.ask(), REASON), "INC-7")


async def test_a_messenger_that_is_down_holds_nothing_up_and_is_told_later(bureau: Bureau) -> None:
    """The state machine goes on; the other messenger is served at once."""
    bureau.wecom.down = True
    ticket = await bureau.approvals.open(kill())
    assert ticket is not None
    await bureau.attendant.sweep()
    with pytest.raises(XOpsError):
        await bureau.now.pass_time(0)
    assert bureau.cards_of(bureau.ding, "d-ops2")
    bureau.wecom.down = False
    bureau.now.now += timedelta(minutes=1)
    await bureau.now.pass_time(0)
    await bureau.settle()
    assert len(bureau.cards_of(bureau.wecom, "w-ops")) == len(bureau.cards_of(bureau.ding, "d-ops2")) == 1


async def test_two_hundred_presses_at_once_are_one_transition(replicas: list[Bureau]) -> None:
    """By two hundred people, over three processes: one vote, everyone else is told that they were late."""
    ticket = await replicas[0].ask()

    async def press(number: int) -> str:
        bureau = replicas[number % len(replicas)]
        try:
            return (await bureau.approvals.approve(replace(bureau.says(f"p{number}", ticket), node=0))).state
        except Stale:
            return "late"

    answers = Counter(await asyncio.gather(*(press(number) for number in range(200))))
    assert answers == {"executing": 1, "late": 199}
    events = await replicas[0].tickets.events(ticket.id)
    assert Counter(event.kind for event in events) == {"opened": 1, "approve": 1, "denied": 199}
    assert await replicas[0].audit.verify() == 201


async def test_an_approval_and_a_rejection_at_once_are_one_decision(replicas: list[Bureau]) -> None:
    """Whichever is first holds."""
    for _ in range(10):
        ticket = await replicas[0].ask()
        one, other = replicas[1], replicas[2]
        both = await asyncio.gather(
            one.approvals.approve(one.says("ops", ticket)),
            other.approvals.reject(other.says("ops2", ticket, "no")),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Stale) for each in both) == 1
        done = [each.state for each in both if isinstance(each, Ticket)]
        assert [await one.state(ticket)] == done


async def test_the_last_two_votes_of_a_quorum_at_once_move_one_node(replicas: list[Bureau]) -> None:
    """No vote is lost, and no node is skipped."""
    root = replicas[0].person("root")
    node = Node(approver="ops_admin@project", need=2)
    await replicas[0].flows.create(root, flow("kills", "kill", node, "group:dba"))
    ticket = await replicas[0].ask()
    votes = [replicas[n % 3].approvals.approve(replicas[n % 3].says(f"p{n}", ticket)) for n in range(5)]
    answers = await asyncio.gather(*votes, return_exceptions=True)
    assert sum(isinstance(each, Ticket) for each in answers) == 2
    assert ((await replicas[1].tickets.get(ticket.id)).node, replicas[0].hand.started) == (1, [])


async def test_lists_are_for_who_is_listed(bureau: Bureau) -> None:
    """What waits for me, what I asked for; nothing for strangers."""
    ticket = await bureau.ask()
    assert [one.id for one in await bureau.approvals.pending(bureau.person("ops"))] == [ticket.id]
    assert await bureau.approvals.pending(bureau.person("asker")) == ()
    mine = TicketFilter(requester="asker")
    assert [one.id for one in await bureau.approvals.listed(bureau.person("guest"), mine)] == [ticket.id]
    with pytest.raises(Denied):
        await bureau.approvals.pending(bureau.person("nobody"))


@pytest.mark.parametrize(
    "text", ["\u202egnp.exe", "x" * 500, "{0.__class__}", "<at id=all>", "a\x00b", "\ud800"], ids=ascii
)
async def test_hostile_words_are_kept_as_words(bureau: Bureau, text: str) -> None:
    """Invisible characters are taken out, secrets are masked, and nothing is a template or a statement."""
    ticket = await bureau.ask()
    await bureau.approvals.reject(bureau.says("ops", ticket, f"no password=hunter22 {text}"))
    found = await bureau.tickets.get(ticket.id)
    assert "hunter22" not in found.message
    assert not set(found.message) & set("\u202e\x00\ud800")
    assert await bureau.audit.verify() == 2


async def test_a_comment_beyond_the_limit_is_refused(bureau: Bureau) -> None:
    """And nothing is decided."""
    ticket = await bureau.ask()
    with pytest.raises(BadInput):
        await bureau.approvals.reject(bureau.says("ops", ticket, "x" * 1025))
    assert await bureau.state(ticket) == "approving"


async def test_what_waits_for_somebody_is_read_at_once_however_much_it_is(bureau: Bureau) -> None:
    """Whoever voted on one is not asked again for it; forty tickets take as many statements as four."""
    await bureau.flows.create(bureau.person("root"), flow("kills", "kill", Node(approver="ops_admin@project", need=2)))
    tickets = [await bureau.ask(kill(key=str(number))) for number in range(40)]
    await bureau.approvals.approve(bureau.says("ops", tickets[0]))
    said: list[str] = []
    event.listen(bureau.store.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    found = await bureau.approvals.pending(bureau.person("ops"))
    assert [one.id for one in found] == [one.id for one in reversed(tickets[1:])]
    assert len([one for one in said if one.startswith("SELECT")]) == 2
