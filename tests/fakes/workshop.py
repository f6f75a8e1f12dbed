"""A scheduler and a messenger behind HTTP, both of which can keep a caller waiting where a test wants it.

    async with Workshop() as workshop:
        workshop.hold("a", "order arrives")     # whoever orders `a` waits there
        await workshop.held("a")                # until it is so

Names of the places, for the instance `a`: `look 1`, `look 2` … as its state is asked for, `order arrives` and
`order done` around what is done, `card STATE` as a card is to be edited. What is held never goes on: it is for a process
that is killed there.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import ClientSession, web

from core.cards import Card
from core.messages import Conversation
from core.schedulers.base import Instance, Order, Receipt, Status
from tests.fakes.chat import FakeChat
from tests.fakes.pipeline import Plant

RUNS: Final = 1
"""How often a run is seen running before it is seen to have succeeded."""


class Workshop:
    """The server, in the test's own process.

    Attributes:
        url: where it listens.
        orders: how often each instance was really run again, by id.
        cards: what each instance's card said, one after the other.
    """

    def __init__(self) -> None:
        self.url = ""
        self.orders: Counter[str] = Counter()
        self.cards: dict[str, list[str]] = {}
        self._looks: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._places: dict[str, str] = {}
        self._reached: dict[str, asyncio.Event] = {}
        app = web.Application()
        app.router.add_get("/instances/{id}", self._look)
        app.router.add_post("/instances/{id}", self._order)
        app.router.add_post("/cards/{id}", self._card)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def hold(self, instance: str, place: str) -> None:
        """Keep the next caller waiting there."""
        self._places[instance] = place
        self._reached[instance] = asyncio.Event()

    async def held(self, instance: str) -> None:
        """Wait until somebody waits there."""
        await self._reached[instance].wait()

    def let_all_through(self) -> None:
        """Hold nobody any more; who is held stays so."""
        self._places.clear()

    async def _pass(self, instance: str, place: str) -> None:
        if self._places.get(instance) == place:
            self._reached[instance].set()
            await asyncio.Event().wait()  # until the connection breaks

    async def _look(self, request: web.Request) -> web.Response:
        instance = request.match_info["id"]
        self._looks[instance] += 1
        await self._pass(instance, f"look {self._looks[instance]}")
        return web.json_response(self._state(instance))

    def _state(self, instance: str) -> dict[str, Any]:
        if not self.orders[instance]:
            return {"status": Status.FAILED, "run_number": 1}
        self._running[instance] += 1
        status = Status.RUNNING if self._running[instance] <= RUNS else Status.SUCCESS
        return {"status": status, "run_number": 1 + self.orders[instance]}

    async def _order(self, request: web.Request) -> web.Response:
        instance = request.match_info["id"]
        await self._pass(instance, "order arrives")
        self.orders[instance] += 1
        await self._pass(instance, "order done")
        return web.json_response({"run_number": 1 + self.orders[instance]})

    async def _card(self, request: web.Request) -> web.Response:
        instance, said = request.match_info["id"], await request.text()
        await self._pass(instance, f"card {said}")
        self.cards.setdefault(instance, []).append(said)
        return web.Response()


class Remote(Plant):
    """The scheduler, in the process that is killed.

    Args:
        url: of the workshop.
        names: ids of the instances.
    """

    def __init__(self, url: str, session: ClientSession, *names: str) -> None:
        super().__init__(*names)
        self._url = url
        self._session = session

    async def instance(self, instance_id: str) -> Instance:
        """Ask."""
        async with self._session.get(f"{self._url}/instances/{instance_id}") as answer:
            state: Mapping[str, Any] = await answer.json()
        self.change(instance_id, status=Status(state["status"]), run_number=state["run_number"])
        return self.all[instance_id]

    async def operate(self, order: Order) -> Receipt:
        """Order."""
        async with self._session.post(f"{self._url}/instances/{order.instance}") as answer:
            return Receipt((order.instance,), (await answer.json())["run_number"])


class Board(FakeChat):
    """The messenger, in the process that is killed: a card is a word, and its reference the instance it is about."""

    def __init__(self, url: str, session: ClientSession) -> None:
        super().__init__()
        self._url = url
        self._session = session

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Nothing is sent: a person has the cards already."""
        return key

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Edit."""
        async with self._session.post(f"{self._url}/cards/{reference}", data=card.title):
            pass
