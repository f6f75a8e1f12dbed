"""An Airflow API server on loopback that answers what a real one answered (tests/data/airflow), under Airflow's rules.

    async with FakeAirflow() as airflow:
        scheduler = AirflowScheduler(airflow.connection(), http, zone=…)

Rules, as measured on 3.3.2: log-in with name and password gives a token (201); no token is 401, a wrong one 403
`Invalid JWT token`; a GET gives at most 100 of a list, a batch list as many as asked; an unknown path is 404.
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from core.settings import SchedulerConnection

RECORDED: Final = Path(__file__).parents[1] / "data" / "airflow"
PAGE: Final = 100
Json = dict[str, Any]


def recorded(name: str) -> Json:
    """What a real Airflow answered."""
    return json.loads((RECORDED / f"{name}.json").read_text())


class FakeAirflow:
    """The server.

    Attributes:
        instances: the task instances it knows, as Airflow's JSON.
        asked: method and path of each request, in order.
        token: the only one it accepts; changing it ends all sessions.
        answers: what it answers to a GET, by path; a number is the status of a failure.
        trouble: when given, answers every request but log-ins instead.
        denied: ends of paths that this account has no right to.
    """

    def __init__(self) -> None:
        self.instances: list[Json] = recorded("instances")["task_instances"]
        self.asked: list[str] = []
        self.token = "first"
        self.trouble: Callable[[], web.Response] | None = None
        self.denied: tuple[str, ...] = ()
        self.url = ""
        run = self.instances[0]["dag_run_id"]
        transform = f"dags/trade_daily/dagRuns/{run}/taskInstances/transform"
        self.answers: dict[str, Json | int] = {
            "version": recorded("version"),
            "monitor/health": recorded("health"),
            "dags": recorded("dags"),
            "dags/trade_daily/tasks": recorded("tasks"),
            "assets": recorded("assets"),
            "assets/events": recorded("events"),
            transform: recorded("failed"),
            f"{transform}/logs/1": recorded("log"),
        }
        app = web.Application()
        app.router.add_post("/auth/token", self._log_in)
        app.router.add_get("/api/v2/dags/~/dagRuns/~/taskInstances", self._guarded(self._page))
        app.router.add_post("/api/v2/dags/~/dagRuns/~/taskInstances/list", self._guarded(self._batch))
        app.router.add_post("/api/v2/dags/{dag}/clearTaskInstances", self._guarded(self._cleared))
        app.router.add_get("/api/v2/{path:.*}", self._guarded(self._one))
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def connection(self, **settings: Any) -> SchedulerConnection:
        """Settings that reach it."""
        given = {"name": "air", "kind": "airflow", "url": self.url, "username": "op", "password": "op"}
        return SchedulerConnection.model_validate(given | settings)

    async def _log_in(self, request: web.Request) -> web.Response:
        self.asked.append("POST /auth/token")
        if await request.json() != {"username": "op", "password": "op"}:
            return web.json_response({"detail": "Invalid credentials"}, status=401)
        return web.json_response({"access_token": self.token}, status=201)

    def _guarded(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.Response:
            self.asked.append(f"{request.method} {request.path}")
            carried = request.headers.get("Authorization")
            if carried is None:
                return web.json_response({"detail": "Not authenticated"}, status=401)
            if carried != f"Bearer {self.token}":
                return web.json_response({"detail": "Invalid JWT token"}, status=403)
            if request.path.endswith(self.denied):
                return web.json_response({"detail": "Forbidden"}, status=403)
            return self.trouble() if self.trouble else await handler(request)

        return guarded

    async def _one(self, request: web.Request) -> web.Response:
        answer = self.answers.get(request.match_info["path"])
        if answer is None:
            return web.json_response({"detail": f"{request.path} was not found"}, status=404)
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.json_response(answer)

    async def _page(self, request: web.Request) -> web.Response:
        states = request.query.getall("state", [])
        found = [one for one in self.instances if not states or (one["state"] or "none") in states]
        found.sort(key=lambda one: one["run_after"], reverse=True)
        return _window(found, int(request.query["offset"]), min(int(request.query["limit"]), PAGE))

    async def _cleared(self, request: web.Request) -> web.Response:
        """Which instances would be cleared: nothing but dry runs is understood here."""
        body = await request.json()
        assert body["dry_run"] is True
        found = [one for one in self.instances if one["dag_run_id"] == body["dag_run_id"]]
        return _window([one for one in found if one["task_id"] in body["task_ids"]], 0, PAGE)

    async def _batch(self, request: web.Request) -> web.Response:
        body = await request.json()
        fields = {"dag_ids": "dag_id", "task_ids": "task_id", "dag_run_ids": "dag_run_id", "state": "state"}
        wanted = {field: body[name] for name, field in fields.items() if body.get(name)}
        found = [one for one in self.instances if all(one[field] in values for field, values in wanted.items())]
        return _window(found, body["page_offset"], body["page_limit"])


def _window(found: list[Json], offset: int, limit: int) -> web.Response:
    page = found[offset : offset + limit]
    return web.json_response({"task_instances": page, "total_entries": len(found)})
