"""The switches on the page: whether the assistant answers, and which model it may use."""

from collections.abc import Sequence
from typing import Literal

from aiohttp import web

from bots.web.admin.desk import Desk, fields
from core.errors import BadInput
from core.switches import OFF, ON, Switches


class SwitchPages:
    """Everything under `/admin/switches`.

    Args:
        desk: admits and draws.
        switches: the service that chat uses.
    """

    def __init__(self, desk: Desk, switches: Switches) -> None:
        self._desk = desk
        self._switches = switches

    def routes(self) -> Sequence[web.RouteDef]:
        """The table."""
        return (web.get("/switches", self.show), web.post("/switches/{name:assistant|model}", self.turn))

    async def show(self, request: web.Request) -> web.Response:
        """How they stand, and who set them so."""
        visitor = await self._desk.reader(request, "switches")
        await self._switches.refresh()
        choices = {"assistant": (ON, OFF), "model": (*self._switches.models, OFF)}
        switches = (self._switches.assistant, self._switches.model)
        return self._desk.page(visitor, request, "admin/switches.html", switches=switches, choices=choices)

    async def turn(self, request: web.Request) -> web.Response:
        """Turn one."""
        visitor = await self._desk.writer(request, "switches")
        value = (await fields(request)).get("value", "")
        if request.match_info["name"] == "model":
            await self._switches.turn_model(visitor.person, value)
        else:
            await self._switches.turn_assistant(visitor.person, _on_or_off(value))
        return self._desk.go("/switches?done=switched")


def _on_or_off(value: str) -> Literal["on", "off"]:
    match value:
        case "on" | "off":
            return value
        case _:
            raise BadInput(f"the assistant is on or off, not {value}", argument="value")
