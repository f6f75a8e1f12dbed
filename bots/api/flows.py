"""Flows over REST: looking is for anyone listed, changing for administrators."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from bots.api.endpoints import Call, Endpoint, Nothing
from bots.api.wire import CopyBody, FlowPage, FlowQuery, FlowSaved, Ids, IdsQuery, TypeEntry, VersionQuery
from core.access import Access
from core.approvals.approvers import unmanned
from core.approvals.documents import Document, dump, load
from core.approvals.flows import FlowFilter, Flows, Version
from core.approvals.model import WORD, Definition, Flow

FLOW = {"flow": r"^F-[1-9][0-9]{0,8}$"}


class FlowEndpoints:
    """Everything under `/flows`.

    Args:
        flows: where they are kept.
        access: asked before anything is shown.
    """

    def __init__(self, flows: Flows, access: Access) -> None:
        self._flows = flows
        self._access = access

    def all(self) -> Sequence[Endpoint]:
        """The table."""
        new = HTTPStatus.CREATED
        return (
            Endpoint("GET", "/task-types", self.types, tuple[TypeEntry, ...]),
            Endpoint("GET", "/flows", self.listed, FlowPage, query=FlowQuery),
            Endpoint("POST", "/flows", self.create, FlowSaved, Definition, status=new),
            Endpoint("DELETE", "/flows", self.delete, None, query=IdsQuery, status=HTTPStatus.NO_CONTENT),
            Endpoint("GET", "/flows.yaml", self.export, Document, yaml=True),
            Endpoint("PUT", "/flows.yaml", self.load, Document, Document, yaml=True),
            Endpoint(
                "PUT",
                "/task-types/{task_type}/order",
                self.reorder,
                tuple[Flow, ...],
                Ids,
                patterns={"task_type": WORD},
            ),
            Endpoint("GET", "/flows/{flow}", self.show, FlowSaved, patterns=FLOW),
            Endpoint("PUT", "/flows/{flow}", self.edit, FlowSaved, Definition, VersionQuery, patterns=FLOW),
            Endpoint("GET", "/flows/{flow}/versions", self.versions, tuple[Version, ...], patterns=FLOW),
            Endpoint("POST", "/flows/{flow}/enable", self.enable, Flow, patterns=FLOW),
            Endpoint("POST", "/flows/{flow}/disable", self.disable, Flow, patterns=FLOW),
            Endpoint("POST", "/flows/{flow}/copy", self.copy, FlowSaved, CopyBody, status=new, patterns=FLOW),
        )

    async def types(self, call: Call[None, Nothing]) -> tuple[TypeEntry, ...]:
        """What flows can be for."""
        self._access.may_look(call.person)
        return tuple(
            TypeEntry(name=kind.name, operations=kind.operations, multi_level=kind.multi_level)
            for kind in self._flows.types.values()
        )

    async def listed(self, call: Call[None, FlowQuery]) -> FlowPage:
        """List flows by task type and rank, filtered by any column."""
        self._access.may_look(call.person)
        flows, total = await self._flows.listed(FlowFilter(**call.query.model_dump()))
        return FlowPage(flows=flows, total=total)

    async def create(self, call: Call[Definition, Nothing]) -> FlowSaved:
        """Create a flow, last in the order of its task type."""
        return self._saved(await self._flows.create(call.person, call.body))

    async def export(self, call: Call[None, Nothing]) -> str:
        """Export all flows as a YAML document."""
        self._access.may_look(call.person)
        flows, _ = await self._flows.listed(FlowFilter(limit=10_000))
        return dump(tuple(flow.definition() for flow in flows))

    async def load(self, call: Call[str, Nothing]) -> str:
        """Create the flows of a YAML document, or edit those of the same name, all or none."""
        self._access.needs(call.person, "admin")
        saved = await self._flows.replace(call.person, await asyncio.to_thread(load, call.body))
        return dump(tuple(flow.definition() for flow in saved))

    async def delete(self, call: Call[None, IdsQuery]) -> None:
        """Delete flows, all or none; one with open tickets can only be disabled."""
        await self._flows.delete(call.person, call.query.ids.split(","))

    async def reorder(self, call: Call[Ids, Nothing]) -> tuple[Flow, ...]:
        """Set the order in which the flows of a task type are tried; names all of them."""
        return await self._flows.reorder(call.person, call.path["task_type"], call.body.flows)

    async def show(self, call: Call[None, Nothing]) -> FlowSaved:
        """Show a flow."""
        self._access.may_look(call.person)
        return self._saved(await self._flows.get(call.path["flow"]))

    async def edit(self, call: Call[Definition, VersionQuery]) -> FlowSaved:
        """Save a flow as its next version."""
        edited = self._flows.edit(call.person, call.path["flow"], call.body, version=call.query.version)
        return self._saved(await edited)

    async def versions(self, call: Call[None, Nothing]) -> tuple[Version, ...]:
        """Show every version of a flow, the newest first."""
        self._access.may_look(call.person)
        return await self._flows.versions(call.path["flow"])

    async def enable(self, call: Call[None, Nothing]) -> Flow:
        """Let tickets begin with a flow."""
        return await self._flows.enable(call.person, call.path["flow"], enabled=True)

    async def disable(self, call: Call[None, Nothing]) -> Flow:
        """Let no more tickets begin with a flow; those that began go on."""
        return await self._flows.enable(call.person, call.path["flow"], enabled=False)

    async def copy(self, call: Call[CopyBody, Nothing]) -> FlowSaved:
        """Copy a flow under another name, disabled."""
        return self._saved(await self._flows.copy(call.person, call.path["flow"], call.body.name))

    def _saved(self, flow: Flow) -> FlowSaved:
        return FlowSaved(flow=flow, unmanned=unmanned(self._access, flow))
