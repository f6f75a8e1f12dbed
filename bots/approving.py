"""Approvals put together: flows, tickets, cards to people, and who carries out what was approved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bots.messenger import ADMIN
from core.access import Access
from core.approvals.attending import Attendant
from core.approvals.calling import Calling, Render
from core.approvals.flows import Flows, task_types
from core.approvals.freezes import Freezes
from core.approvals.gate import EASY, RISKY, ProposalRunner
from core.approvals.service import Approvals
from core.approvals.tickets import Tickets
from core.audit import Audit
from core.delivery import Delivery
from core.execution import Execution, Queue
from core.proposals import Proposals
from core.schedulers.base import Operation
from core.settings import Settings
from core.store import Store

CHECK_SECONDS = 0.2
"""Pause of the sweep when many things change one after the other."""


@dataclass(frozen=True, slots=True)
class Approving:
    """What the rest of the assistant needs of it."""

    approvals: Approvals
    attendant: Attendant

    def carry_out(self, execution: Execution, proposals: Proposals) -> None:
        """Let approved operations go on."""
        runner = ProposalRunner(execution, proposals)
        for operation in Operation:
            self.attendant.on(operation.value, runner)


def build_approving(
    settings: Settings,
    store: Store,
    access: Access,
    audit: Audit,
    work: Queue,
    delivery: Delivery,
    *,
    channels: Sequence[str],
    render: Render,
    clock: Callable[[], datetime],
) -> Approving:
    """Everything about approvals.

    Args:
        settings: checked settings.
        store: the database.
        access: who people are.
        audit: the trail.
        work: the durable queue.
        delivery: where cards go.
        channels: names of those on which people can be called.
        render: makes the card of a ticket.
        clock: the present, with zone.
    """
    flows = Flows(store, access, audit, task_types(settings.approvals.task_types), clock=clock)
    tickets = Tickets(store, audit, clock=clock)
    calling = Calling(delivery, access, channels, render=render, language=settings.language)
    environments = {connection.name: connection.environment for connection in settings.schedulers}
    freezes = Freezes(settings.approvals.freeze, environments, clock=clock)
    attendant = Attendant(tickets, access, work, calling, freezes, clock=clock)
    public = settings.server.public_url.rstrip("/")
    approvals = Approvals(
        flows,
        tickets,
        access,
        attendant,
        settings.approvals,
        freezes,
        risky=RISKY,
        easy=EASY,
        clock=clock,
        page=f"{public}{ADMIN}/tickets" if public else "",
    )
    return Approving(approvals, attendant)
