"""Tickets in chat: asked in one messenger, approved in another, by words and presses of the right people only."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from core.approvals.model import Node, Ticket, TicketList, TicketView
from core.cards import Button, Form, buttons
from core.commands import Asked, Commands, approving
from core.commands.sentences import wish
from core.errors import BadInput, Denied, NotFound
from core.i18n import LANGUAGES, words
from core.messages import Conversation
from core.redact import clean
from core.results import Result
from core.store import Store
from core.views import show
from tests.fakes.approvals import Bureau, flow, kill

THERE = Conversation("wecom", "w-ops")


class Chat:
    """People typing and pressing."""

    def __init__(self, bureau: Bureau) -> None:
        self.bureau = bureau
        self.commands = Commands(approving(bureau.approvals), sentence=wish)

    async def types(self, name: str, line: str) -> Result | None:
        """Somebody writes a line."""
        word, arguments = self.commands.parse(line)
        return await self.commands.run(word, Asked(self.bureau.person(name), THERE, arguments))

    async def presses(self, name: str, button: Button, **form: str) -> Result | None:
        """Somebody presses a button of a card."""
        asked = Asked(self.bureau.person(name), THERE, {**button.arguments, **form}, pressed=True)
        return await self.commands.run(button.command, asked)

    async def card(self, name: str, ticket: Ticket, command: str) -> Button:
        """A button on the card that somebody would see."""
        view = await self.bureau.approvals.view(self.bureau.person(name), ticket.id)
        shown = show(view, words("en"), ZoneInfo("UTC"), self.bureau.person(name))
        return next(button for button in buttons(shown) if button.command == command)


@pytest.fixture
async def chat(sqlite_store: Store) -> Chat:
    """A ticket can be opened with `chat.bureau.ask`."""
    return Chat(Bureau(sqlite_store))


async def test_asked_in_one_messenger_and_approved_in_another(chat: Chat) -> None:
    """A press changes the ticket and says nothing more: the card itself is edited, everywhere."""
    ticket = await chat.bureau.ask()
    assert await chat.presses("ops", await chat.card("ops", ticket, "approve")) is None
    await chat.bureau.settle()
    assert await chat.bureau.state(ticket) == "succeeded"
    assert chat.bureau.cards_of(chat.bureau.ding, "d-ops2")[0].title == "T-1 succeeded 1"


async def test_the_same_press_twice_changes_nothing_more(chat: Chat) -> None:
    """A platform delivers a click again: the answer is the state, and not an error."""
    ticket = await chat.bureau.ask()
    button = await chat.card("ops", ticket, "approve")
    await chat.presses("ops", button)
    again = await chat.presses("ops", button)
    assert isinstance(again, TicketView)
    assert again.ticket.state == "executing"


async def test_a_press_of_somebody_else_is_refused(chat: Chat) -> None:
    """Anyone in a group sees the card."""
    ticket = await chat.bureau.ask()
    button = await chat.card("ops", ticket, "approve")
    for name in ("guest", "asker", "nobody"):
        with pytest.raises(Denied):
            await chat.presses(name, button)
    assert await chat.bureau.state(ticket) == "approving"


async def test_a_form_cannot_change_what_is_decided(chat: Chat) -> None:
    """The button's own arguments win over what a form sends under their names."""
    first, second = await chat.bureau.ask(), await chat.bureau.ask(kill(payload={"target": "demo:2"}))
    button = await chat.card("ops", first, "reject")
    forged = replace(button, arguments={**button.arguments, "ticket": second.id})
    await chat.presses("ops", forged, comment="no")
    assert [await chat.bureau.state(each) for each in (first, second)] == ["approving", "approving"]


async def test_rejecting_asks_for_the_reason_first(chat: Chat) -> None:
    """By a form, and by the line to type for messengers that have none."""
    ticket = await chat.bureau.ask()
    asked = await chat.presses("ops", await chat.card("ops", ticket, "reject"))
    assert isinstance(asked, TicketView)
    card = show(asked, words("en"), ZoneInfo("UTC"), chat.bureau.person("ops"))
    (form,) = [block for block in card.blocks if isinstance(block, Form)]
    assert form.inputs[0].name == "comment"
    assert "/reject T-1" in card.as_text()
    assert await chat.presses("ops", form.submit, comment="month end") is None
    assert (await chat.bureau.tickets.get(ticket.id)).message == "month end"


async def test_approving_asks_for_words_where_the_node_wants_them(chat: Chat) -> None:
    """And takes them from the line at once."""
    root = chat.bureau.person("root")
    node = Node(approver="ops_admin@project", comment_required=True)
    await chat.bureau.flows.create(root, flow("kills", "kill", node))
    ticket = await chat.bureau.ask()
    asked = await chat.types("ops", "/approve T-1")
    assert isinstance(asked, TicketView)
    assert asked.purpose == "approve"
    done = await chat.types("ops", "/approve t-1 checked with the owner")
    assert isinstance(done, TicketView)
    assert (done.ticket.state, done.events[-1].comment) == ("executing", "checked with the owner")
    assert await chat.bureau.state(ticket) == "executing"


async def test_typed_lines(chat: Chat) -> None:
    """What waits for me, what I asked for, one ticket, taking it back."""
    ticket = await chat.bureau.ask()
    pending, mine = await chat.types("ops", "/pending"), await chat.types("asker", "/tickets")
    assert isinstance(pending, TicketList)
    assert isinstance(mine, TicketList)
    assert [one.id for one in pending.tickets] == [one.id for one in mine.tickets] == [ticket.id]
    shown = await chat.types("guest", "/ticket T-1")
    assert isinstance(shown, TicketView)
    assert (shown.decide, shown.steward) == (False, False)
    taken = await chat.types("asker", "/withdraw T-1")
    assert isinstance(taken, TicketView)
    assert taken.ticket.state == "withdrawn"


@pytest.mark.parametrize("line", ["/approve", "/reject", "/report T-1", "/report T-1 perhaps", "/break_glass T-1"])
async def test_a_line_that_lacks_something_is_refused(chat: Chat, line: str) -> None:
    """And changes nothing."""
    ticket = await chat.bureau.ask()
    with pytest.raises(BadInput):
        await chat.types("ops", line)
    assert await chat.bureau.state(ticket) == "approving"


async def test_a_ticket_that_is_none_is_not_found(chat: Chat) -> None:
    """Whatever is typed for one."""
    for line in ("/approve T-9", "/ticket x", "/reject ../../etc no"):
        with pytest.raises(NotFound):
            await chat.types("ops", line)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "hostile", ["<at id=all></at>", "{0.__class__}", "\u202egnp.exe", "a" * 5000, "**b**"], ids=ascii
)
async def test_every_state_can_be_shown_in_every_language(chat: Chat, language: str, hostile: str) -> None:
    """With hostile names in it, which stay names."""
    ticket = await chat.bureau.ask(kill(title=hostile, payload={"target": hostile}, environment=hostile))
    view = await chat.bureau.approvals.view(chat.bureau.person("ops"), ticket.id)
    for state in ("approving", "waiting", "executing", "unknown", "succeeded", "failed", "rejected", "withdrawn",
                  "cancelled", "approval_expired", "wait_expired", "execution_expired"):  # fmt: skip
        for path in ("normal", "break_glass", "review"):
            shown = replace(view, ticket=replace(ticket, state=state, path=path))
            text = show(shown, words(language), ZoneInfo("UTC"), chat.bureau.person("ops")).as_text()
            assert clean(text) == text
            assert ticket.digest[:12] in text


async def test_the_card_says_why_who_and_until_when(chat: Chat) -> None:
    """Everything an approver has to know to decide."""
    await chat.bureau.flows.create(
        chat.bureau.person("root"), flow("KillFlow", "kill", "ops_admin@project", "group:dba")
    )
    ticket = await chat.bureau.ask()
    await chat.types("ops", "/approve T-1 looks right")
    view = await chat.bureau.approvals.view(chat.bureau.person("dba"), ticket.id)
    text = show(view, words("en"), ZoneInfo("UTC"), chat.bureau.person("dba")).as_text()
    wanted = ["T-1 needs approval", "in 1 d", "Asked by: asker", "KillFlow", "level 1", "target: demo:1", "[Approve]"]
    wanted += ["✔ 1. operations administrator of the project: ops", "looks right", "▶ 2. group dba", "waiting for: dba"]
    assert [word for word in wanted if word not in text] == []


async def test_a_sentence_votes_like_the_typed_command(chat: Chat) -> None:
    """With the rights of whoever says it, and with the reason it gives."""
    ticket = await chat.bureau.ask()
    for name in ("guest", "asker", "nobody"):
        with pytest.raises(Denied):
            await chat.types(name, f"同意 {ticket.id}")
    answer = await chat.types("ops", f"{ticket.id}驳回 影响月结")
    assert isinstance(answer, TicketView)
    assert (answer.ticket.state, answer.events[-1].comment) == ("rejected", "影响月结")


async def test_a_sentence_of_somebody_entitled_approves(chat: Chat) -> None:
    ticket = await chat.bureau.ask()
    answer = await chat.types("ops", f"approve {ticket.id}")
    assert isinstance(answer, TicketView)
    assert answer.ticket.state != "approving"
    assert isinstance(await chat.types("ops", "我有哪些待审批"), TicketList)
