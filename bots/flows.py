"""`xops flow` and `xops ticket`: approval flows and tickets, as somebody who is listed and with their rights.

What follows from a decision (cards, carrying out) is done by the running server, within seconds.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from bots.output import As, Json, configured, print_json, print_text

if TYPE_CHECKING:
    from core.access import Person
    from core.approvals.model import Flow, Saying, Ticket
    from core.approvals.service import Approvals
    from core.results import Result

T = TypeVar("T")
Work = Callable[["Approvals", "Person"], Awaitable[T]]

flow = typer.Typer(no_args_is_help=True, help="Approval flows, for administrators.")
ticket = typer.Typer(no_args_is_help=True, help="Tickets that go through approval.")

FlowId = Annotated[str, typer.Argument(help="Id of the flow, e.g. F-3.")]
TicketId = Annotated[str, typer.Argument(help="Id of the ticket, e.g. T-12.")]
Comment = Annotated[str, typer.Option(help="Words that go with it.")]


@flow.command("list")
def list_flows(task_type: str = "", name: str = "", creator: str = "", person: As = "", as_json: Json = False) -> None:
    """Flows by task type and rank, those that match all filters."""
    from core.approvals.flows import FlowFilter

    async def work(approvals: "Approvals", _person: "Person") -> tuple["Flow", ...]:
        wanted = FlowFilter(name=name, task_type=task_type, creator=creator, limit=10_000)
        return (await approvals.flows.listed(wanted))[0]

    flows = _run(work, person)
    if as_json:
        print_json([one.model_dump(mode="json") for one in flows])
        return
    for one in flows:
        state = "enabled" if one.enabled else "disabled"
        print_text(f"{one.id:<6} {one.task_type:<18} {one.rank:>3}  {state:<9} {len(one.levels)} level(s)  {one.name}")


@flow.command("show")
def show_flow(flow_id: FlowId, person: As = "") -> None:
    """One flow as JSON: everything that was set, and who did so."""
    print_json(_run(lambda approvals, _person: approvals.flows.get(flow_id), person).model_dump(mode="json"))


@flow.command("export")
def export_flows(person: As = "") -> None:
    """All flows as a YAML document."""
    from core.approvals.documents import dump
    from core.approvals.flows import FlowFilter

    flows, _ = _run(lambda approvals, _person: approvals.flows.listed(FlowFilter(limit=10_000)), person)
    print_text(dump(tuple(one.definition() for one in flows)).rstrip())


@flow.command("import")
def import_flows(
    file: Annotated[str, typer.Argument(help="A YAML document; - for standard input.")], person: As = ""
) -> None:
    """Create the flows of a document, or edit those of the same name; all or none."""
    from core.approvals.documents import load

    text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")

    async def work(approvals: "Approvals", by: "Person") -> tuple["Flow", ...]:
        return await approvals.flows.replace(by, load(text))

    for one in _run(work, person):
        print_text(f"{one.id} {one.name} version {one.version}")


@flow.command()
def enable(flow_id: FlowId, person: As = "") -> None:
    """Let tickets begin with a flow."""
    _run(lambda approvals, by: approvals.flows.enable(by, flow_id, enabled=True), person)


@flow.command()
def disable(flow_id: FlowId, person: As = "") -> None:
    """Let no more tickets begin with a flow; those that began go on."""
    _run(lambda approvals, by: approvals.flows.enable(by, flow_id, enabled=False), person)


@flow.command()
def copy(flow_id: FlowId, name: str, person: As = "") -> None:
    """Copy a flow under another name, disabled."""
    print_text(_run(lambda approvals, by: approvals.flows.copy(by, flow_id, name), person).id)


@flow.command()
def delete(flow_ids: list[str], person: As = "") -> None:
    """Delete flows, all or none."""
    _run(lambda approvals, by: approvals.flows.delete(by, flow_ids), person)


@flow.command()
def order(task_type: str, flow_ids: list[str], person: As = "") -> None:
    """Set the order in which the flows of a task type are tried; name all of them."""
    _run(lambda approvals, by: approvals.flows.reorder(by, task_type, flow_ids), person)


@ticket.command("list")
def list_tickets(pending: bool = False, person: As = "", as_json: Json = False) -> None:
    """Tickets, the newest first; with --pending those that wait for this person."""
    from core.approvals.tickets import TicketFilter

    async def work(approvals: "Approvals", by: "Person") -> tuple["Ticket", ...]:
        return await (approvals.pending(by) if pending else approvals.listed(by, TicketFilter()))

    tickets = _run(work, person)
    if as_json:
        from bots.api.wire import entry

        print_json([entry(one).model_dump(mode="json") for one in tickets])
        return
    for one in tickets:
        print_text(f"{one.id:<6} {one.state:<18} {one.request.requester:<16} {one.request.title}")


@ticket.command("show")
def show_ticket(ticket_id: TicketId, person: As = "") -> None:
    """One ticket as its card shows it."""
    _print(lambda approvals, by: approvals.view(by, ticket_id), person)


@ticket.command()
def approve(ticket_id: TicketId, comment: Comment = "", person: As = "") -> None:
    """Approve the node that is asked now."""
    _say(ticket_id, comment, person, lambda approvals: approvals.approve)


@ticket.command()
def reject(ticket_id: TicketId, reason: str, person: As = "") -> None:
    """Reject a ticket, for good."""
    _say(ticket_id, reason, person, lambda approvals: approvals.reject)


@ticket.command()
def withdraw(ticket_id: TicketId, comment: Comment = "", person: As = "") -> None:
    """Take a ticket back, or cancel it."""
    _say(ticket_id, comment, person, lambda approvals: approvals.withdraw)


@ticket.command()
def execute(ticket_id: TicketId, person: As = "") -> None:
    """Start what was approved and waits for a hand."""
    _say(ticket_id, "", person, lambda approvals: approvals.execute_now)


@ticket.command()
def report(
    ticket_id: TicketId, outcome: Literal["succeeded", "failed"], comment: Comment = "", person: As = ""
) -> None:
    """Say how a task ended that a person carried out."""
    _say(ticket_id, comment, person, lambda approvals: lambda said: approvals.report(said, outcome))


@ticket.command("break-glass")
def break_glass(ticket_id: TicketId, incident: str, reason: str, person: As = "") -> None:
    """Carry out at once in an emergency; it is reviewed afterwards."""
    _say(ticket_id, reason, person, lambda approvals: lambda said: approvals.break_glass(said, incident))


def _say(
    ticket_id: str,
    comment: str,
    person: str,
    choose: Callable[["Approvals"], Callable[["Saying"], Awaitable["Ticket"]]],
) -> None:
    from core.approvals.model import Saying

    async def work(approvals: "Approvals", by: "Person") -> "Result":
        await choose(approvals)(Saying(by, ticket_id, "command", comment))
        return await approvals.view(by, ticket_id)

    _print(work, person)


def _print(work: Work["Result"], person: str) -> None:
    """Print a result as its card."""
    from zoneinfo import ZoneInfo

    from core import views
    from core.access import Person
    from core.i18n import words

    settings = configured("error")
    card = views.show(_run(work, person), words(settings.language), ZoneInfo(settings.zone), Person(""))
    print_text(card.as_text())


def _run(work: Work[T], person: str) -> T:
    """Do it against the database of the settings; a request that cannot be done ends in one line."""
    from core.errors import XOpsError

    try:
        return asyncio.run(_with_approvals(work, person))
    except XOpsError as error:
        print(f"xops: {error}", file=sys.stderr)  # noqa: T201  # no log, an answer
        raise typer.Exit(1) from error


async def _with_approvals(work: Work[T], name: str) -> T:
    from bots.app import running
    from core.access import Person

    settings = configured("error")
    async with running(settings, accepting=False) as application:
        chosen = name or settings.web.person
        person = application.access.named(chosen) or Person(chosen)
        application.access.may_look(person)
        return await work(application.approving.approvals, person)
