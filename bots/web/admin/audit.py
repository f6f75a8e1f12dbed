"""The audit trail on the page: searched, verified, exported."""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from bots.web.admin.desk import Desk
from core.audit import Audit, Sought
from core.errors import BadInput, Tampered

SHOWN = 50


class AuditPages:
    """Everything under `/admin/audit`.

    Args:
        desk: admits and draws.
        audit: the trail.
    """

    def __init__(self, desk: Desk, audit: Audit) -> None:
        self._desk = desk
        self._audit = audit

    def routes(self) -> Sequence[web.RouteDef]:
        """The table."""
        return (
            web.get("/audit", self.search),
            web.get("/audit/verify", self.verify),
            web.get("/audit/export", self.export),
        )

    async def search(self, request: web.Request) -> web.Response:
        """Entries that match, the newest first."""
        visitor = await self._desk.reader(request, "audit")
        sought = self._sought(request)
        entries = await self._audit.search(sought, limit=SHOWN + 1)
        query = {name: text for name, text in request.query.items() if name not in {"before", "done"}}
        older = ""
        if len(entries) > SHOWN:
            older = str(request.rel_url.with_query(query | {"before": str(entries[SHOWN - 1].number)}))
        return self._desk.page(
            visitor, request, "admin/audit.html", entries=entries[:SHOWN], query=request.query, older=older
        )

    async def verify(self, request: web.Request) -> web.Response:
        """Check the chain from its first entry to its head."""
        visitor = await self._desk.reader(request, "audit")
        try:
            count, fault = await self._audit.verify(), ""
        except Tampered as error:
            count, fault = 0, str(error)
        return self._desk.page(visitor, request, "admin/verified.html", count=count, fault=fault)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Every entry as a line of JSON, and the head; sent as it is read, since a trail may be long."""
        await self._desk.reader(request, "audit")
        response = web.StreamResponse(headers={"Content-Disposition": 'attachment; filename="trail.jsonl"'})
        response.content_type = "application/jsonl"
        await response.prepare(request)
        async for line in self._audit.export():
            await response.write(line.encode() + b"\n")
        return response

    def _sought(self, request: web.Request) -> Sought:
        given = {name: request.query.get(name, "").strip() for name in ("actor", "action", "target")}
        since, until = (self._moment(request, name) for name in ("since", "until"))
        before = request.query.get("before", "")
        number = int(before) if before.isascii() and before.isdecimal() and len(before) <= 15 else 0
        return Sought(**given, since=since, until=until, before=number)

    def _moment(self, request: web.Request, name: str) -> datetime | None:
        """A moment as a browser's field has it: without a zone, so it is meant in ours."""
        text = request.query.get(name, "")
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self._desk.zone) if text else None
        except ValueError as error:
            raise BadInput(f"{text} is no moment", argument="moment") from error
