"""The administration on loopback, with everything real behind it, and browsers of several people as far as HTTP goes."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aiohttp import ClientResponse, ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer

from bots.app import Application, running
from bots.messenger import ADMIN
from bots.serving import administered
from bots.web.gate import COOKIE, TOKEN_HEADER, Gate
from core.approvals.model import Definition, Request, Ticket
from tests.bots.api_client import configured
from tests.fakes.approvals import flow

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


class Visitor:
    """Somebody's browser.

    Attributes:
        headers: sent with each change, as our own script sends them.
    """

    def __init__(self, origin: str, session: ClientSession, token: str) -> None:
        self.headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", TOKEN_HEADER: token}
        self._address = origin + ADMIN
        self._session = session

    def get(self, path: str) -> AbstractAsyncContextManager[ClientResponse]:
        """A page with its headers."""
        return self._session.get(self._address + path)

    async def see(self, path: str) -> tuple[int, str]:
        """Status and text of a page, redirections followed."""
        async with self.get(path) as answer:
            return answer.status, await answer.text()

    async def send(self, path: str, fields: Fields = (), **headers: str) -> tuple[int, str]:
        """Send a form; the status, and where to go next, what is wrong, or the form again."""
        sent = self.headers | headers
        async with self._session.post(self._address + path, data=fields, headers=sent) as answer:
            if answer.content_type != "application/json":
                return answer.status, await answer.text()
            told = await answer.json()
            return answer.status, told.get("go") or told["error"]


class Site:
    """A running administration.

    Attributes:
        origin: what a browser on it sends as `Origin`.
    """

    def __init__(self, origin: str, application: Application, gate: Gate) -> None:
        self.origin = origin
        self.application = application
        self._gate = gate

    def cookie(self, person: str, language: str = "en") -> str:
        """A session of somebody who is listed."""
        return self._gate.sessions.seal(self._gate.sessions.begin(person, language))

    @asynccontextmanager
    async def visiting(self, person: str, language: str = "en") -> AsyncGenerator[Visitor]:
        """A browser in which somebody is signed on; in which nobody is when the name is empty."""
        cookie = self.cookie(person, language) if person else ""
        session = self._gate.sessions.open(cookie)
        token = self._gate.sessions.token(session) if session else ""
        cookies = {COOKIE: cookie}
        async with ClientSession(cookie_jar=CookieJar(unsafe=True), cookies=cookies) as opened:
            yield Visitor(self.origin, opened, token)

    async def make_flow(self, definition: Definition | None = None) -> str:
        """Create a flow as `root`; its id."""
        root = self.application.access.named("root")
        assert root is not None
        return (await self.application.approving.approvals.flows.create(root, definition or imports())).id

    async def ask(self, title: str = "load the orders", **more: object) -> Ticket:
        """Open a ticket of `asker`."""
        asker = self.application.access.named("asker")
        assert asker is not None
        values: dict[str, object] = {"project": "trade", "payload": {"file": "orders.csv"}}
        request = Request("import", title, "asker", **(values | more))  # pyright: ignore[reportArgumentType]
        return await self.application.approving.approvals.submit(asker, request, via="api")


def imports(name: str = "imports", **more: object) -> Definition:
    """A flow that asks an ops admin of the project."""
    return flow(name, "import", **more)


def ids(page: str) -> list[str]:
    """Ids of the flows or tickets that a list links to, in reading order."""
    return re.findall(r'class="plain" href="/admin/[a-z]+/([^"]+)"', page)


@asynccontextmanager
async def administering(folder: Path, **changes: object) -> AsyncGenerator[Site]:
    """The page and the administration over an empty database in a folder; with further settings."""
    async with running(configured(folder).model_copy(update=changes), accepting=False) as application:
        page = await application.page()
        server = web.Application()
        page.add_to(server)
        server.add_subapp(ADMIN, administered(application, page.gate))
        async with TestServer(server) as served:
            yield Site(str(served.make_url("")).rstrip("/"), application, page.gate)
