"""Answers operations that wait: by the settings' rules at once, by a ticket, or by the default once the time is over."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from core.access import Access
from core.approvals.model import Request, State, Ticket
from core.approvals.service import Approvals
from core.errors import NoFlow, RemoteError
from core.events.incoming import Incoming
from core.execution import Queue
from core.extensions.facts import Surveyor
from core.extensions.points import Point, Points, Verdict
from core.extensions.policy import Facts, rule_on
from core.i18n import words
from core.schedulers.base import AnswersExtensions, ExtensionAnswer
from core.settings import Settings

TASK_TYPE = "extension_point"
AGAIN = 60.0
"""Seconds after which telling the platform is tried anew."""

log = structlog.get_logger(__name__)


class Extensions:
    """Answers for an extension.

    Args:
        points: what waits.
        scheduler: takes verdicts.
        surveyor: looks up what rules ask about.
        approvals: whom to ask.
        access: who the operator is here.
        work: the durable queue.
        settings: the rules; the zone of their hours, and the language of what the console shows.
        clock: the present, with zone.
    """

    def __init__(
        self,
        points: Points,
        scheduler: AnswersExtensions,
        surveyor: Surveyor,
        approvals: Approvals,
        access: Access,
        work: Queue,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._points = points
        self._scheduler = scheduler
        self._surveyor = surveyor
        self._approvals = approvals
        self._access = access
        self._work = work
        self._settings = settings.extensions
        self._words = words(settings.language)
        self._zone = ZoneInfo(settings.zone)
        self._clock = clock
        work.on("extension", self._tell)

    async def decide(self, event: Incoming) -> Mapping[str, object]:
        """The verdict on an operation, as the platform takes it; empty while there is none. Asked on every delivery."""
        point = await self._points.get(event.id)
        if point.state == "new":
            await self._consider(point)
            point = await self._points.get(event.id)
        if not point.verdict:
            return {}
        if not point.callback:
            await self._points.told(point, "answered")
        return {"checkResult": point.verdict, "checkMessage": point.tip}

    async def sweep(self) -> int:
        """Go on with whatever waits; returns how much. Safe to repeat, on any number of replicas."""
        waiting = await self._points.waiting()
        for point in waiting:
            if point.state == "new":
                await self._consider(point)
            elif point.state == "asked":
                await self._by_default(point, "unanswered")
            elif point.callback:
                await self._submit(point)
        return len(waiting)

    async def start(self, ticket: Ticket) -> None:
        """It was approved: a runner, see `core.approvals.attending`."""
        point = await self._points.get(ticket.request.payload["message"])
        await self._settle(point, "OK", self._words("effects.tip.approved", ticket=ticket.id), ticket.id)

    async def outcome(self, ticket: Ticket) -> tuple[State, str]:
        """Whether the platform knows that it was approved."""
        point = await self._points.get(ticket.request.payload["message"])
        if point.verdict == "FAIL":
            return "failed", point.tip
        if point.state in {"answered", "failed"}:
            return ("succeeded" if point.state == "answered" else "failed"), point.tip
        return "executing", ""

    async def dropped(self, ticket: Ticket, by: str, reason: str) -> None:
        """It was not approved."""
        point = await self._points.get(ticket.request.payload["message"])
        tip = self._words("effects.tip.rejected", ticket=ticket.id, by=by, reason=reason)
        await self._settle(point, "FAIL", tip, by)

    async def _consider(self, point: Point) -> None:
        facts = await self._surveyor.survey(point)
        ruling = rule_on(self._settings, facts, self._clock(), self._zone)
        if ruling.answer == "ask":
            await self._ask(point, facts)
            return
        verdict: Verdict = "OK" if ruling.answer == "allow" else "FAIL"
        tip = ruling.tip or self._words(f"effects.tip.{ruling.answer}")
        await self._settle(point, verdict, tip, f"rule {ruling.rule}" if ruling.rule else "default")

    async def _ask(self, point: Point, facts: Facts) -> None:
        try:
            ticket = await self._approvals.open(self._request(point, facts))
        except NoFlow as error:
            log.warning("extension.nobody_to_ask", code=point.code, error=str(error))
            ticket = None
        if ticket is None:
            await self._by_default(point, "nobody")
        else:
            await self._points.asked(point, ticket.id)

    def _request(self, point: Point, facts: Facts) -> Request:
        named = sorted(facts.projects - {point.project}) or [point.project]
        things = ", ".join(facts.things[:5]) or point.name or ", ".join(point.subjects[:5])
        known = (person.name for person in self._access.holders("viewer") if point.operator in person.owners)
        exact = {"message": point.id, "event": point.code, "operator": point.operator, "what": things}
        count = {"instances": len(point.subjects)} if point.subjects else {}
        return Request(
            task_type=TASK_TYPE,
            title=f"{point.code} {things}"[:200],
            requester=next(known, f"{self._scheduler.name}:{point.operator}"),
            scheduler=self._scheduler.name,
            project=named[0],
            facts=count,
            payload=exact,
            key=f"extension:{point.id}",
        )

    async def _by_default(self, point: Point, why: str) -> None:
        verdict: Verdict = "OK" if self._settings.unanswered == "allow" else "FAIL"
        await self._settle(point, verdict, self._words(f"effects.tip.{why}"), "default")

    async def _settle(self, point: Point, verdict: Verdict, tip: str, by: str) -> None:
        if await self._points.decide(point, verdict, tip, by) and point.callback:
            await self._submit(point)

    async def _submit(self, point: Point) -> None:
        attempt = int((self._clock() - point.created_at).total_seconds() // AGAIN)
        await self._work.submit("extension", f"extension:{point.id}:{attempt}", {"point": point.id})

    async def _tell(self, _work_id: str, payload: Mapping[str, str]) -> None:
        """Tell the platform. Telling the same verdict again changes nothing there."""
        point = await self._points.get(payload["point"])
        if point.state != "decided" or not point.callback:
            return
        answer = ExtensionAnswer(point.callback, point.id, self._settings.code, point.verdict == "OK", point.tip)
        try:
            await self._scheduler.answer_extension(answer)
        except RemoteError as error:
            if error.retryable:
                raise
            await self._points.told(point, "failed", str(error))
            log.error("extension.not_taken", point=point.id, error=str(error))
        else:
            await self._points.told(point, "answered")
