"""Flows on the page, as OceanBase ODC shows task flows: a list with filters, each flow, its form, the order of a type."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, ValidationError

from bots.api.wire import FlowQuery
from bots.web.admin.desk import LISTED, Desk, Visitor, fields, turned
from bots.web.admin.forms import Problems, Values, nested, problems, reshaped
from bots.web.admin.wording import sentence_of
from core.access import Person
from core.approvals.approvers import unmanned
from core.approvals.documents import dump, load
from core.approvals.flows import FlowFilter, Flows
from core.approvals.model import Definition, Flow
from core.errors import BadInput, Stale
from core.people import People

FLOW = r"/flows/{flow:F-[0-9]{1,9}}"
ROLES = tuple(
    f"{role}@{place}" for place in ("project", "org") for role in ("viewer", "operator", "ops_admin", "admin")
)
EVERYTHING = 10_000


class Filters(FlowQuery):
    """Those of REST, and the one column more that the list shows."""

    changed_since: AwareDatetime | None = None


class FlowPages:
    """Everything under `/admin/flows`.

    Args:
        desk: admits and draws.
        flows: where they are kept.
        people: offered as approvers, with their groups.
        schedulers: names of those that are configured.
    """

    def __init__(self, desk: Desk, flows: Flows, people: People, schedulers: Sequence[str]) -> None:
        self._desk = desk
        self._flows = flows
        self._people = people
        self._schedulers = tuple(schedulers)

    def routes(self) -> Sequence[web.RouteDef]:
        """The table."""
        return (
            web.get("/flows", self.listed),
            web.post("/flows", self.delete),
            web.get("/flows/new", self.new),
            web.post("/flows/new", self.create),
            web.get("/flows/order", self.order),
            web.post("/flows/order", self.reorder),
            web.get("/flows/document", self.document),
            web.post("/flows/document", self.load),
            web.get("/flows/export", self.export),
            web.get(FLOW, self.show),
            web.get(f"{FLOW}/edit", self.edit),
            web.post(f"{FLOW}/edit", self.save),
            web.get(f"{FLOW}/copy", self.name_copy),
            web.post(f"{FLOW}/copy", self.copy),
            web.post(f"{FLOW}/{{turn:enable|disable}}", self.turn),
        )

    async def listed(self, request: web.Request) -> web.Response:
        """The list, filtered by any column."""
        visitor = await self._desk.reader(request, "flows")
        query = self._query(request)
        wanted = FlowFilter(**query.model_copy(update={"limit": LISTED}).model_dump())
        flows, total = await self._flows.listed(wanted)
        return self._desk.page(
            visitor,
            request,
            "admin/flows.html",
            flows=flows,
            total=total,
            query=query,
            filtered=query != Filters(),
            counts=[(number, number) for number in range(1, 11)],
            types=self._flows.types,
            newer=turned(request, query.offset - LISTED) if query.offset else "",
            older=turned(request, query.offset + LISTED) if query.offset + LISTED < total else "",
        )

    async def show(self, request: web.Request) -> web.Response:
        """One flow: everything that was set, who did so, and its versions."""
        visitor = await self._desk.reader(request, "flows")
        flow = await self._flows.get(request.match_info["flow"])
        versions = await self._flows.versions(flow.id)
        nobody = [self._desk.wording(visitor).approver(one) for one in unmanned(self._desk.access, flow)]
        return self._desk.page(
            visitor,
            request,
            "admin/flow.html",
            flow=flow,
            versions=versions,
            nobody=nobody,
        )

    async def new(self, request: web.Request) -> web.Response:
        """The form for a flow of the type that was chosen."""
        visitor = await self._desk.reader(request, "flows")
        kind = request.query.get("task_type", "")
        if kind not in self._flows.types:
            raise BadInput(f"there is no task type {kind}", argument="task_type")
        values = {"task_type": kind, "levels": [{"nodes": [{"approver": "ops_admin@project"}]}]}
        return self._desk.page(visitor, request, "admin/flow_edit.html", **await self._form(values))

    async def edit(self, request: web.Request) -> web.Response:
        """The form with a flow in it."""
        visitor = await self._desk.reader(request, "flows")
        flow = await self._flows.get(request.match_info["flow"])
        values = flow.definition().model_dump(mode="json") | {"version": flow.version}
        return self._desk.page(visitor, request, "admin/flow_edit.html", **await self._form(values, flow))

    async def create(self, request: web.Request) -> web.Response:
        """Create a flow from the form; or give it an entry more or less."""
        visitor = await self._desk.writer(request, "flows")
        return await self._take(request, visitor, None)

    async def save(self, request: web.Request) -> web.Response:
        """Save a flow as its next version; or give its form an entry more or less."""
        visitor = await self._desk.writer(request, "flows")
        return await self._take(request, visitor, await self._flows.get(request.match_info["flow"]))

    async def name_copy(self, request: web.Request) -> web.Response:
        """Ask what a copy shall be called."""
        visitor = await self._desk.reader(request, "flows")
        flow = await self._flows.get(request.match_info["flow"])
        return self._desk.page(visitor, request, "admin/flow_copy.html", flow=flow, name="")

    async def copy(self, request: web.Request) -> web.Response:
        """Copy a flow under another name, disabled."""
        visitor = await self._desk.writer(request, "flows")
        flow, name = await self._flows.get(request.match_info["flow"]), (await fields(request)).get("name", "")
        try:
            made = await self._flows.copy(visitor.person, flow.id, name.strip())
        except (ValidationError, BadInput) as error:
            found = _wrong(error, visitor)
            return self._desk.form(visitor, "admin/flow_copy_form.html", flow=flow, name=name, problems=found)
        return self._desk.go(f"/flows/{made.id}?done=copied")

    async def turn(self, request: web.Request) -> web.Response:
        """Enable or disable a flow."""
        visitor = await self._desk.writer(request, "flows")
        turn = request.match_info["turn"]
        flow = await self._flows.enable(visitor.person, request.match_info["flow"], enabled=turn == "enable")
        return self._desk.go(f"/flows/{flow.id}?done={turn}d")

    async def delete(self, request: web.Request) -> web.Response:
        """Delete the flows that are ticked, all or none."""
        visitor = await self._desk.writer(request, "flows")
        ticked = (await fields(request)).getall("ids", [])
        if not ticked:
            raise BadInput("no flow is ticked", argument="ids")
        await self._flows.delete(visitor.person, ticked)
        return self._desk.go("/flows?done=deleted")

    async def order(self, request: web.Request) -> web.Response:
        """The order in which the flows of a type are tried."""
        visitor = await self._desk.reader(request, "flows")
        kind = request.query.get("task_type") or next(iter(self._flows.types))
        flows = await self._flows.of_type(kind)
        return self._desk.page(
            visitor, request, "admin/flow_order.html", flows=flows, kind=kind, types=self._flows.types
        )

    async def reorder(self, request: web.Request) -> web.Response:
        """Set that order."""
        visitor = await self._desk.writer(request, "flows")
        form = await fields(request)
        kind = form.get("task_type", "")
        await self._flows.reorder(visitor.person, kind, form.getall("ids", []))
        return self._desk.go(f"/flows?task_type={kind}&done=ordered" if kind in self._flows.types else "/flows")

    async def document(self, request: web.Request) -> web.Response:
        """The form that takes a YAML document."""
        visitor = await self._desk.reader(request, "flows")
        return self._desk.page(visitor, request, "admin/document.html", text="")

    async def load(self, request: web.Request) -> web.Response:
        """Create the flows of a document, or edit those of the same name, all or none."""
        visitor = await self._desk.writer(request, "flows")
        text = (await fields(request)).get("document", "")
        try:
            await self._flows.replace(visitor.person, await asyncio.to_thread(load, text))
        except BadInput as error:
            # What a parser says of somebody's file is about their words, so it is shown beside ours.
            found = {"document": f"{sentence_of(error, visitor.words)} ({error})"}
            return self._desk.form(visitor, "admin/document_form.html", text=text, problems=found)
        return self._desk.go("/flows?done=loaded")

    async def export(self, request: web.Request) -> web.Response:
        """All flows as a YAML document."""
        await self._desk.reader(request, "flows")
        flows, _ = await self._flows.listed(FlowFilter(limit=EVERYTHING))
        text = dump(tuple(flow.definition() for flow in flows))
        headers = {"Content-Disposition": 'attachment; filename="flows.yaml"'}
        return web.Response(text=text, content_type="application/yaml", headers=headers)

    def _query(self, request: web.Request) -> Filters:
        """The filters; those of an old bookmark that make no sense filter nothing."""
        given = {name: text for name, text in request.query.items() if text and name in Filters.model_fields}
        with suppress(ValueError):
            if day := given.pop("changed_since", ""):  # a browser's field knows days without a zone
                given["changed_since"] = datetime.fromisoformat(day).replace(tzinfo=self._desk.zone).isoformat()
            return Filters.model_validate(given)
        return Filters()

    async def _take(self, request: web.Request, visitor: Visitor, flow: Flow | None) -> web.Response:
        form = await fields(request)
        wish = form.pop("do", "")
        values = nested(form.items())
        found: Problems = {}
        if wish:
            values = reshaped(values, wish)
        else:
            try:
                saved = await self._save(visitor.person, dict(values), flow)
            except (ValidationError, BadInput) as error:
                found = _wrong(error, visitor)
            except Stale:
                found = {"version": _changed(await self._flows.get(flow.id if flow else ""), visitor)}
            else:
                return self._desk.go(f"/flows/{saved.id}?done=saved")
        return self._desk.form(visitor, "admin/flow_form.html", problems=found, **await self._form(values, flow))

    async def _save(self, person: Person, values: Values, flow: Flow | None) -> Flow:
        version = values.pop("version", "")
        definition = Definition.model_validate(values)
        if flow is None:
            return await self._flows.create(person, definition)
        number = int(version) if str(version).isdecimal() else 0
        return await self._flows.edit(person, flow.id, definition, version=number)

    async def _form(self, values: Values, flow: Flow | None = None) -> dict[str, Any]:
        """What the form needs beside what is in it: everything that can be chosen."""
        listings = [listing.person for listing in await self._people.everyone() if listing.disabled_at is None]
        groups = sorted({group for person in listings for group in person.groups})
        return {
            "flow": flow,
            "values": values,
            "kind": self._flows.types.get(str(values.get("task_type"))),
            "roles": ROLES,
            "groups": [f"group:{name}" for name in groups],
            "persons": [f"user:{person.name}" for person in listings],
            "schedulers": self._schedulers,
        }


def _wrong(error: ValidationError | BadInput, visitor: Visitor) -> Problems:
    if isinstance(error, ValidationError):
        return problems(error, visitor.words)
    return {error.details.get("argument", ""): sentence_of(error, visitor.words)}


def _changed(flow: Flow, visitor: Visitor) -> str:
    return visitor.words("admin.flow.changed", name=flow.changed_by, version=flow.version)
