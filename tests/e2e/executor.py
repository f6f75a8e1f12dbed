"""One process that carries out proposals, for tests that kill it: the execution as it is, over a scheduler behind HTTP.

Run as `python -m tests.e2e.executor DATABASE WORKSHOP LEASE_SECONDS NAME…`. It reads orders from standard input, `propose NAME`
and `confirm NAME ID`, and writes what happens to standard output: `up`, `proposed NAME ID`, `refused NAME`.

Its clock runs a hundred times as fast as ours, since an order without an answer is given two minutes to show a sign.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

import aiohttp

from core.access import Access
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.errors import XOpsError
from core.execution import Execution, subject
from core.proposals import Proposals
from core.schedulers.base import Operation
from core.schedulers.fleet import Fleet
from core.store import Store
from core.store.migrate import upgrade
from core.work import Work
from tests.fakes.workshop import Board, Remote
from tests.fakes.world import CHAT, PEOPLE

BEGAN = datetime.now(UTC)
FASTER = 100


def clock() -> datetime:
    """The present, running fast."""
    return BEGAN + (datetime.now(UTC) - BEGAN) * FASTER


def say(*words: str) -> None:
    """Report, in one write that a kill cannot tear."""
    os.write(1, (" ".join(words) + "\n").encode())


class Process:
    """What the process does with its orders."""

    def __init__(self, url: str, workshop: str, lease: float, names: list[str], session: aiohttp.ClientSession) -> None:
        self.store = Store(url)
        self.remote = Remote(workshop, session, *names)
        self.access, self.proposals = Access(PEOPLE), Proposals(self.store, clock=clock)
        self.delivery = Delivery({CHAT.channel: Board(workshop, session)}, self.store)
        self.work = Work(self.store, owner=f"executor:{os.getpid()}", lease_seconds=lease)
        self.execution = Execution(
            self.proposals,
            Fleet([self.remote], timeout=3600),
            self.access,
            self.work,
            self.delivery,
            Audit(self.store, clock=clock),
            render=lambda proposal, _language, _person: Card(proposal.state),
            clock=clock,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take over what a dead one left."""
        await upgrade(self.store)
        await self.work.start()
        await self.execution.resume()
        say("up")

    def obey(self, order: str, name: str, *rest: str) -> None:
        """Begin to carry out one order; others may come while it waits."""
        task = asyncio.create_task(self._propose(name) if order == "propose" else self._confirm(name, *rest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _propose(self, name: str) -> None:
        person = self.access.named("boss")
        assert person
        made = await self.proposals.propose(person, CHAT, Operation.RERUN, self.remote.all[name])
        await self.delivery.attach(subject(made.id), CHAT, name, "en")
        say("proposed", name, made.id)

    async def _confirm(self, name: str, proposal_id: str) -> None:
        person = self.access.named("boss")
        assert person
        try:
            await self.execution.confirm(person, proposal_id)
        except XOpsError:
            say("refused", name)


async def main(url: str, workshop: str, lease: str, *names: str) -> None:
    """Serve until killed."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
        process = Process(url, workshop, float(lease), list(names), session)
        await process.start()
        while line := await asyncio.to_thread(sys.stdin.readline):
            process.obey(*line.split())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
