"""A ticket: what exactly is asked for, why it needs approval, who decided and who has to, until when; and what to press.

A card that asks for a reason has a form; for a messenger that has none, the line to type and a link to the page stand on it.
"""

from collections.abc import Iterator

from core.approvals.model import Ticket, TicketEvent, TicketList, TicketView, approver_role
from core.cards import Block, Button, Buttons, Card, Field, Fields, Form, Input, Item, Note, Text, Tone
from core.views import buttons
from core.views.reader import SENTENCE, Reader, plain

TONES: dict[str, Tone] = {
    "approving": "warning",
    "waiting": "info",
    "executing": "info",
    "succeeded": "success",
    "failed": "danger",
    "rejected": "danger",
    "unknown": "warning",
    "approval_expired": "warning",
    "wait_expired": "warning",
    "execution_expired": "danger",
}
PAYLOAD = 500
"""Characters of the payload that a card shows."""

LISTED = 20


def card(reader: Reader, result: TicketView) -> Card:
    """The card of a ticket."""
    ticket = result.ticket
    if result.purpose == "remind":
        return _reminder(reader, result)
    if result.purpose in {"approve", "reject"}:
        return _question(reader, result)
    blocks = (*_about(reader, result), *_history(reader, result), *buttons.row(*_buttons(reader, result)))
    return Card(_title(reader, ticket), blocks, TONES.get(ticket.state, "neutral"), _subtitle(reader, result))


def listed(reader: Reader, result: TicketList) -> Card:
    """Tickets that wait for the reader, or that they asked for."""
    shown = result.tickets[:LISTED]
    title = reader.words(f"approvals.list.{result.kind}", count=len(result.tickets))
    rows = tuple(
        Item(
            _title(reader, ticket),
            _asked(reader, ticket),
            TONES.get(ticket.state, "neutral"),
            (),
            (_details(reader, ticket),),
        )
        for ticket in shown
    )
    rest = len(result.tickets) - len(shown)
    more = (Note(reader.words("approvals.list.more", count=rest)),) if rest else ()
    empty = () if shown else (Text(reader.words(f"approvals.nothing.{result.kind}")),)
    return Card(title, (*empty, *rows, *more), "info", reader.as_of(result.now))


def _title(reader: Reader, ticket: Ticket) -> str:
    words = f"approvals.path.{ticket.path}" if ticket.path != "normal" else ""
    prefix = reader.words(words) if words else ""
    return prefix + reader.words(f"approvals.title.{ticket.state}", id=plain(ticket.id), title=_name(reader, ticket))


def _name(reader: Reader, ticket: Ticket) -> str:
    """The title, with the operation in the reader's words."""
    word, _, rest = ticket.request.title.partition(" ")
    key = f"operations.{word}.name"
    return plain(f"{reader.words(key)} {rest}" if key in reader.words else ticket.request.title)


def _subtitle(reader: Reader, result: TicketView) -> str:
    ticket = result.ticket
    if not ticket.open:
        return reader.as_of(ticket.changed_at)
    until = reader.zoned(ticket.deadline)
    return reader.words("approvals.until", until=until, left=reader.age(ticket.deadline, result.now))


def _asked(reader: Reader, ticket: Ticket) -> str:
    request = ticket.request
    place = " · ".join(plain(part) for part in (request.scheduler, request.project, request.environment) if part)
    return reader.words("approvals.asked", name=plain(request.requester), place=place or reader.words("views.unknown"))


def _about(reader: Reader, result: TicketView) -> Iterator[Block]:
    ticket, say = result.ticket, reader.words
    yield Text(say(f"approvals.next.{ticket.state}"), "strong")
    if result.freeze and ticket.path == "normal" and ticket.state in {"approving", "waiting"}:
        yield Note(say("approvals.freeze", **{name: plain(value) for name, value in result.freeze.items()}))
    yield Fields(tuple(_fields(reader, result)))
    exact = "\n".join(f"{plain(name)}: {plain(value, PAYLOAD)}" for name, value in ticket.request.payload.items())
    if exact:
        yield Text(exact if len(exact) <= PAYLOAD else exact[: PAYLOAD - 1] + "…")
    yield Note(say("approvals.digest", digest=plain(ticket.digest[:12])))
    if ticket.message:
        yield Text(say("approvals.message", message=plain(ticket.message, SENTENCE)))


def _fields(reader: Reader, result: TicketView) -> Iterator[Field]:
    ticket, say = result.ticket, reader.words
    request, match = ticket.request, ticket.match
    yield Field(say("approvals.field.requester"), plain(request.requester))
    if involved := [name for name in request.involved if name != request.requester]:
        yield Field(say("approvals.field.involved"), reader.listed(involved))
    for name in ("scheduler", "project", "environment"):
        if value := getattr(request, name):
            yield Field(say(f"approvals.field.{name}"), plain(value))
    for measure, count in request.facts.items():
        yield Field(_fact(reader, measure), str(count), "warning" if count > 1 else "neutral")
    flow = say("approvals.builtin") if match.flow.id == "F-0" else plain(match.flow.name)
    yield Field(say("approvals.field.flow"), flow)
    why = say(f"approvals.reason.{match.reason}", level=match.level, fact=_fact(reader, match.fact))
    yield Field(say("approvals.field.level"), why)
    if request.execute_at is not None:
        yield Field(say("approvals.field.execute_at"), reader.zoned(request.execute_at))


def _fact(reader: Reader, fact: str) -> str:
    key = f"approvals.field.{fact}"
    return reader.words(key) if key in reader.words else plain(fact)


def _history(reader: Reader, result: TicketView) -> Iterator[Block]:
    """Each node with who approved it; the one that is asked now with who may."""
    ticket, lines = result.ticket, list[str]()
    for place, node in enumerate(ticket.nodes):
        votes = [event for event in result.events if event.kind == "approve" and event.node == place]
        state = (
            "done"
            if place < ticket.node
            else "now"
            if ticket.state == "approving" and place == ticket.node
            else "later"
        )
        who = ", ".join(_vote(reader, vote, result) for vote in votes)
        if state == "now":
            asked = reader.listed(result.candidates) or reader.words("approvals.nobody")
            who = reader.words("approvals.waits", votes=len(votes), need=node.need, names=asked, so_far=who)
        role = approver(reader, node.approver)
        lines.append(reader.words(f"approvals.node.{state}", number=place + 1, role=role, who=who.strip() or "-"))
    yield Text("\n".join(lines))


def _vote(reader: Reader, vote: TicketEvent, result: TicketView) -> str:
    said = f" “{plain(vote.comment)}”" if vote.comment else ""
    return f"{plain(vote.actor)} {reader.moment(vote.at, result.now)}{said}"


def approver(reader: Reader, expression: str) -> str:
    """An approver expression in the reader's words."""
    kind, _, name = expression.partition(":")
    if kind in {"user", "group"} and name:
        return reader.words(f"approvals.approver.{kind}", name=plain(name))
    if expression == "auto":
        return reader.words("approvals.approver.auto")
    role, place = approver_role(expression)
    return reader.words(f"approvals.approver.{place}", role=reader.words(f"approvals.role.{role}"))


def _buttons(reader: Reader, result: TicketView) -> Iterator[Button]:
    ticket = result.ticket
    if result.decide and ticket.state == "approving":
        exact = {"ticket": ticket.id, "node": str(ticket.node), "digest": ticket.digest}
        yield Button(reader.words("approvals.button.approve"), "approve", exact, "primary")
        yield Button(reader.words("approvals.button.reject"), "reject", exact, "danger")
    yield _details(reader, ticket)
    if result.steward and ticket.state == "waiting" and ticket.request.strategy == "manual":
        yield Button(reader.words("approvals.button.execute"), "execute", {"ticket": ticket.id}, "primary")
    if result.steward and ticket.state in {"approving", "waiting"}:
        yield Button(reader.words("approvals.button.withdraw"), "withdraw", {"ticket": ticket.id})


def _details(reader: Reader, ticket: Ticket) -> Button:
    return Button(reader.words("approvals.button.details"), "ticket", {"ticket": ticket.id})


def _reminder(reader: Reader, result: TicketView) -> Card:
    ticket = result.ticket
    title = reader.words("approvals.remind", id=plain(ticket.id), title=_name(reader, ticket))
    return Card(title, (Buttons((_details(reader, ticket),)),), "warning", _subtitle(reader, result))


def _question(reader: Reader, result: TicketView) -> Card:
    """Asks for the words that go with a decision."""
    ticket, word = result.ticket, result.purpose
    exact = {"ticket": ticket.id, "node": str(ticket.node), "digest": ticket.digest}
    label = reader.words(f"approvals.button.{word}")
    submit = Button(label, word, exact, "danger" if word == "reject" else "primary")
    comment = Input("comment", reader.words("approvals.comment"), "multiline", required=True)
    typed = Note(reader.words("approvals.typed", line=f"/{word} {plain(ticket.id)}"))
    asked = Text(reader.words(f"approvals.ask.{word}"), "strong")
    page = Button(reader.words("approvals.button.page"), url=result.address)
    link = (Buttons((page,)),) if result.address else ()
    return Card(_title(reader, ticket), (asked, Form((comment,), submit), typed, *link), "info")
