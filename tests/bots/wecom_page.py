"""The page, and a WeCom that names people to it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp.test_utils import unused_port

from bots.messenger import Surroundings
from bots.wecom.messenger import wecom as wecom_app
from core.http import Http
from core.store import Store
from tests.fakes.web import Site, running, settings_of
from tests.fakes.wecom import FakeWeCom

AGENT = "Mozilla/5.0 (iPhone) Mobile/15E148 wxwork/4.1.20 MicroMessenger/7.0.1 Language/zh"
PEOPLE = [
    {"name": "demo", "role": "viewer"},
    {"name": "Ann", "role": "operator", "identities": {"wecom": "ann", "web": "ann@web"}},
]


@asynccontextmanager
async def page_inside(wecom: FakeWeCom, store: Store) -> AsyncGenerator[Site]:
    """The page at the app's trusted domain, with Ann listed and Bob not."""
    http, port = Http(), unused_port()
    await http.start()
    wecom.sign_on.trusted = f"127.0.0.1:{port}"
    server = {"public_url": f"http://{wecom.sign_on.trusted}"}
    messenger = wecom_app(Surroundings(settings_of(server=server, wecom=wecom.settings), http, store, "owner"))
    assert messenger is not None
    assert messenger.view is not None
    async with running(store, views=[messenger.view], port=port, server=server, people=PEOPLE) as site:
        yield site
    await http.stop()
