"""Carries out confirmed proposals, as durable work, and follows each to its end.

`execute` checks rights and target once more, then claims the proposal (`confirmed` → `executing`) before it calls the
scheduler, so that whoever finds it `executing` later knows that a call may be out: that order is never sent again, only
looked up. `follow` asks until the run ends and edits the card. `advance` lets the entries of a batch take their turns.

Each handler may be called again after a crash at any of its lines, so each ends by showing what is so. Work that failed for
good, as after an outage of the database, is asked for anew once its proposal has been silent for a while: `resume`.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Protocol

import structlog

from core.access import Access
from core.errors import BadInput, Denied, NotFound, Refused, RemoteError, Throttled, Unauthorized
from core.execution.gate import Gate
from core.execution.register import Register
from core.execution.watching import Sighting, changed, look
from core.proposals import GOING_ON, Proposals, Record
from core.results import Proposal
from core.schedulers.base import Order, Receipt
from core.schedulers.fleet import Fleet

FIRST_LOOK = 1.0
SLOWEST_LOOK = 30.0
"""Seconds between looks at a running instance: short at first, for reruns of seconds, then a scheduler's comfort."""

GIVE_UP = timedelta(hours=24)
UNKNOWN_FOR = timedelta(minutes=2)
"""After an order without an answer: how long a sign of it may take to appear before it counts as not carried out."""

NOT_TAKEN = (Refused, Throttled, Unauthorized, BadInput)
"""Answers that say for certain that nothing was done; after any other failure the order may have been carried out."""

STOPS_AFTER = 3
"""So many entries of a batch that do not succeed, one after the other, end it: what broke them is not mended yet."""

SILENT = timedelta(minutes=5)
"""Whatever is not over and was not looked at for so long has lost its work. Longer than any call to a scheduler takes."""

BEGUN = ("executing", "following", "unknown")

log = structlog.get_logger(__name__)


class Queue(Protocol):
    """What is needed of `core.work.Work`: each id is worked on once, also when its first worker dies."""

    def on(self, kind: str, handler: Callable[[str, Mapping[str, str]], Awaitable[None]]) -> None:
        """Whom to call for a kind of work."""
        ...

    async def submit(self, kind: str, id: str, payload: Mapping[str, str], *, delay: float = 0.0) -> bool:
        """Ask for work; False when this id was asked for before."""
        ...


class Carrier:
    """Carries out.

    Args:
        proposals: where they are stored.
        register: where each step is recorded and shown.
        fleet: the schedulers.
        access: asked again at the execution.
        work: the durable queue.
        gate: asked again at the execution.
        clock: the present, with zone.
    """

    def __init__(
        self,
        proposals: Proposals,
        register: Register,
        fleet: Fleet,
        access: Access,
        work: Queue,
        gate: Gate,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._proposals = proposals
        self._register = register
        self._fleet = fleet
        self._access = access
        self._work = work
        self._gate = gate
        self._clock = clock
        work.on("execute", self._execute)
        work.on("follow", self._follow)
        work.on("advance", self._advance)

    async def submit(self, proposal_id: str, *, again: str = "") -> None:
        """Have a confirmed proposal carried out. Safe to repeat.

        Args:
            proposal_id: of the proposal.
            again: a name for another attempt, when the earlier work failed for good.
        """
        await self._work.submit("execute", f"execute:{proposal_id}{again}", {"proposal": proposal_id})

    async def resume(self) -> int:
        """Submit again whatever is not over: what a crash left between two commits, and what lost its work. Safe to repeat."""
        unfinished = await self._proposals.unfinished()
        for proposal_id in unfinished:
            await self.submit(proposal_id)
        now = self._clock()
        for proposal_id in await self._proposals.unfinished(silent_since=now - SILENT):
            await self.submit(proposal_id, again=f":{int(now.timestamp()) // 60}")
        return len(unfinished)

    async def _execute(self, work_id: str, payload: Mapping[str, str]) -> None:
        record = await self._proposals.get(payload["proposal"])
        shown = record.shown
        await self._proposals.touch(shown.id)
        if shown.batch:
            if shown.state == "confirmed" and await self._permitted(record):
                await self._register.unfold(record)
            await self._submit_turn(shown.id, work_id)
        elif shown.state == "confirmed" and await self._may_go(record):
            await self._order(record)
        elif shown.state == "executing" and await self._register.move(shown, ("executing",), "unknown"):
            log.warning("execution interrupted", proposal=shown.id)  # a process died with the call out
        await self._settle(shown.id, None)
        if (await self._proposals.get(shown.id)).shown.state in {"following", "unknown"} and not shown.batch:
            await self._look_again(shown.id, work_id, 0, "")

    async def _permitted(self, record: Record) -> bool:
        """Whether it is what was approved; ends the proposal when not."""
        try:
            await self._gate.permit(record)
        except Refused as error:
            await self._register.move(record.shown, ("confirmed",), "refused", message=str(error), refusal=error.said)
            return False
        return True

    async def _may_go(self, record: Record) -> bool:
        """Whether it is permitted, and rights and target are still as they were at the click; ends the proposal when not."""
        shown = record.shown
        if not await self._permitted(record):
            return False
        try:
            await self._access.refresh()
            person = self._access.named(shown.decider)
            if person is None:
                raise Denied(f"{shown.decider} is not listed any more", person=shown.decider, needed="operator")
            self._access.may_operate(person, shown.operation, shown.instance.task)
            facets, now = await changed(self._fleet, shown)
        except (Denied, NotFound, RemoteError) as error:  # nothing was sent
            await self._register.move(shown, ("confirmed",), "refused", message=str(error), refusal=error.said)
            return False
        if facets:
            await self._register.move(shown, ("confirmed",), "void", found=now)
        return not facets

    async def _order(self, record: Record) -> None:
        shown = record.shown
        if not await self._register.move(shown, ("confirmed",), "executing", ordered_at=self._clock()):
            return
        await self._register.show(shown.id)
        try:
            receipt = await self._call(shown)
        except NOT_TAKEN as error:
            await self._register.move(shown, ("executing",), "refused", message=str(error))
        except RemoteError as error:
            await self._register.move(shown, ("executing",), "unknown", message=str(error))
        else:
            await self._register.move(
                shown, ("executing",), "following", run_number=receipt.run_number, message=receipt.message
            )

    async def _call(self, shown: Proposal) -> Receipt:
        scheduler, instance_id = self._fleet.scheduler(shown.instance.ref)
        note = f"X-Ops {shown.id}: {shown.operation.value}, asked by {shown.requester}, confirmed by {shown.decider}"
        if shown.ticket:
            note += f", approved as {shown.ticket}"
        members = tuple(member.instance.id for member in shown.chosen)
        return await scheduler.operate(
            Order(shown.operation, instance_id, note, shown.id, shown.start, shown.end, members)
        )

    async def _follow(self, _work_id: str, payload: Mapping[str, str]) -> None:
        proposal_id, turn = payload["proposal"], int(payload["turn"])
        await self._proposals.touch(proposal_id)
        record = await self._proposals.get(proposal_id)
        if record.shown.state not in {"following", "unknown"}:
            await self._settle(proposal_id, None)
            return
        seen = await self._look(record)
        state = self._judge(record, seen)
        if state != record.shown.state:
            await self._move_on(record, state, seen)
        said = f"{state} {seen.target.status} {seen.target.run_number} {seen.members}" if seen else payload["seen"]
        if state != "following" or said != payload["seen"]:
            await self._settle(proposal_id, seen)
        if state in {"following", "unknown"}:
            await self._look_again(proposal_id, payload["began"], turn + 1, said)

    async def _look(self, record: Record) -> Sighting | None:
        """What the scheduler shows; None when it does not answer. It will be back; the card keeps its last true state."""
        try:
            return await look(self._fleet, record)
        except NotFound as error:
            gone = Sighting(record.shown.instance, record.shown.members, "failed")
            log.warning("follow: target is gone", proposal=record.shown.id, error=str(error))
            return gone
        except RemoteError as error:
            log.info("follow: scheduler did not answer", proposal=record.shown.id, error=str(error))
            return None

    def _judge(self, record: Record, seen: Sighting | None) -> str:
        """The state that follows from what was seen."""
        state, age = record.shown.state, self._clock() - (record.ordered_at or record.created_at)
        if seen is not None and seen.sign in {"succeeded", "failed"}:
            return seen.sign
        if seen is not None and seen.sign == "none" and state == "unknown" and age >= UNKNOWN_FOR:
            return "lost"
        if age >= GIVE_UP:
            return "failed"
        return "following" if seen is not None and seen.sign == "under_way" else state

    async def _move_on(self, record: Record, state: str, seen: Sighting | None) -> None:
        shown = record.shown
        if seen is not None and shown.state == "unknown" and not record.run_number:
            await self._register.move(shown, BEGUN, state, run_number=seen.target.run_number)
        else:
            await self._register.move(shown, BEGUN, state, message=seen.target.raw_status if seen else "")

    async def _look_again(self, proposal_id: str, began: str, turn: int, seen: str) -> None:
        """Ask for the next look of those that began with the work `began`; `seen` is what the last one said."""
        delay = min(FIRST_LOOK * 1.3**turn, SLOWEST_LOOK)
        payload = {"proposal": proposal_id, "began": began, "turn": str(turn), "seen": seen}
        await self._work.submit("follow", f"follow:{began}:{turn}", payload, delay=delay)

    async def _settle(self, proposal_id: str, seen: Sighting | None) -> None:
        """Show what is so; and when it is over, let go of the card, or let the next entry of the batch begin."""
        await self._register.show(proposal_id, seen)
        record = await self._proposals.get(proposal_id)
        if record.shown.state in GOING_ON:
            return
        if record.parent:
            await self._submit_turn(record.parent, proposal_id)
        await self._register.close(proposal_id)

    async def _submit_turn(self, batch: str, after: str) -> None:
        await self._work.submit("advance", f"advance:{batch}:{after}", {"batch": batch})

    async def _advance(self, _work_id: str, payload: Mapping[str, str]) -> None:
        """Let the next entry begin, unless one is under way; or end the batch."""
        batch = (await self._proposals.get(payload["batch"])).shown
        entries = await self._proposals.entries(batch.id)
        states = [entry.shown.state for entry in entries]
        if any(state in GOING_ON and state != "queued" for state in states):
            under_way = next(
                entry for entry in entries if entry.shown.state == "confirmed" or entry.shown.state in BEGUN
            )
            await self.submit(under_way.shown.id)  # a crash may have come between its turn and its work
            return
        ended = [state for state in states if state != "queued"]
        broken = len(list(takewhile(lambda state: state != "succeeded", reversed(ended))))
        if len(ended) == len(states) or broken >= STOPS_AFTER:
            await self._proposals.skip(batch.id)
            whole = all(state == "succeeded" for state in states)
            await self._register.move(batch, ("following",), "succeeded" if whole else "failed")
            await self._settle(batch.id, None)
            return
        following = entries[len(ended)].shown
        await self._register.move(following, ("queued",), "confirmed")
        await self.submit(following.id)
