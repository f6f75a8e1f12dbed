"""The outbound session: time-outs, retries only when asked, errors that tell nothing secret, tokens fetched once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from core.errors import Refused, Unreachable
from core.http import Http, Response, Token, throttled

Handler = Callable[[web.Request], Awaitable[web.Response]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def http() -> AsyncGenerator[Http]:
    """An open session."""
    opened = Http()
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def serve() -> AsyncGenerator[Serve]:
    """Starts a loopback server that answers everything with one handler; returns its address."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", handler)
        servers.append(TestServer(application))
        await servers[-1].start_server()
        return str(servers[-1].make_url("/"))

    yield start
    for server in servers:
        await server.close()


async def test_any_status_is_an_answer(http: Http, serve: Serve) -> None:
    """What a status means is for the caller to say."""

    async def teapot(request: web.Request) -> web.Response:
        return web.json_response({"got": await request.json(), "query": request.query["a"]}, status=418)

    answer = await http.request("POST", await serve(teapot), system="kettle", json={"x": "1"}, params={"a": "b+c"})
    assert (answer.status, answer.json(system="kettle")) == (418, {"got": {"x": "1"}, "query": "b+c"})


async def test_a_refused_connection_is_unreachable_and_shows_no_query(http: Http) -> None:
    """Tokens travel in queries; an error must not carry one into a log."""
    url = f"http://127.0.0.1:{unused_port()}/?token=very-secret"
    with pytest.raises(Unreachable) as failure:
        await http.request("GET", url, system="airflow", attempts=2)
    assert "secret" not in str(failure.value)
    assert failure.value.system == "airflow"
    assert failure.value.retryable


async def test_a_slow_peer_times_out(http: Http, serve: Serve) -> None:
    """Nothing waits for ever."""
    release = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    with pytest.raises(Unreachable, match="no answer in"):
        await http.request("GET", await serve(hang), system="slow", timeout=0.05)
    release.set()


@pytest.mark.parametrize(("attempts", "status"), [(1, 503), (3, 200)])
async def test_only_the_caller_decides_about_retries(http: Http, serve: Serve, attempts: int, status: int) -> None:
    """One attempt unless a second one is known to be harmless."""
    calls: list[str] = []

    async def flaky(request: web.Request) -> web.Response:
        calls.append(request.method)
        return web.Response(status=200 if len(calls) == 3 else 503)

    answer = await http.request("GET", await serve(flaky), system="flaky", attempts=attempts)
    assert (answer.status, len(calls)) == (status, attempts)


async def test_redirects_are_not_followed(http: Http, serve: Serve) -> None:
    """A redirect could lead to an address nobody configured."""

    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    assert (await http.request("GET", await serve(elsewhere), system="any")).status == 302


async def test_something_that_is_not_json_is_refused() -> None:
    """Usually a proxy's log-in page."""
    with pytest.raises(Refused, match="not JSON"):
        Response(200, {}, b"<html>").json(system="airflow")


@pytest.mark.parametrize(("value", "seconds"), [("3", 3.0), ("soon", 0.0), ("", 0.0)])
def test_the_wait_comes_from_the_header(value: str, seconds: float) -> None:
    """A header that is no number means "it did not say"."""
    assert throttled(Response(429, {"Retry-After": value}, b""), system="x").retry_after == seconds


async def test_a_token_is_fetched_once_for_everyone_waiting() -> None:
    """A hundred callers with an expired token must not log in a hundred times."""
    fetched: list[int] = []
    gate = asyncio.Event()

    async def fetch() -> tuple[str, float]:
        fetched.append(1)
        await gate.wait()
        return f"t{len(fetched)}", 7200

    token = Token(fetch)
    waiting = [asyncio.ensure_future(token.get()) for _ in range(100)]
    gate.set()
    assert set(await asyncio.gather(*waiting)) == {"t1"}
    token.reject("t0")  # a late refusal of an older one
    assert await token.get() == "t1"
    token.reject("t1")
    assert await token.get() == "t2"
    assert len(fetched) == 2
