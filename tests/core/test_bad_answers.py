"""DolphinScheduler, DataWorks and Dataphin when answers are damaged or are pages of a gateway: see `contracts.bad_answers`."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from core.errors import RemoteError, Unreachable, XOpsError
from core.http import Http
from core.schedulers.base import InstanceQuery
from core.schedulers.dataphin import DataphinScheduler
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.dolphinscheduler import DolphinScheduler
from tests.contracts.bad_answers import DAMAGES, HARMLESS, Damage, damaged, questions, refused
from tests.core.dolphins import dolphin
from tests.fakes.aliyun import Fault
from tests.fakes.dataphin import NOW, TODAY, ZONE, FakeDataphin
from tests.fakes.dataworks import FakeDataWorks
from tests.fakes.dolphin import FakeDolphin

SINCE = NOW - timedelta(days=7)


class DamagedDolphin(FakeDolphin):
    """DolphinScheduler that damages what it answers."""

    damage: Damage | None = None

    async def _answer(self, request: web.Request) -> web.Response:
        whole = await super()._answer(request)
        if self.damage is None or whole.content_type != "application/json":
            return whole
        answer = json.loads(whole.text or "")
        return web.json_response(answer | {"data": damaged({"data": answer["data"]}, self.damage).get("data")})


class DamagedDataphin(FakeDataphin):
    """Dataphin that damages what it answers, but for what says that it succeeded."""

    damage: Damage | None = None

    async def answer(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        return _but_for_success(await super().answer(action, given), self.damage)


class DamagedDataWorks(FakeDataWorks):
    """DataWorks that damages what it answers, but for what says that it succeeded."""

    damage: Damage | None = None

    async def answer(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        return _but_for_success(await super().answer(action, given), self.damage)


def _but_for_success(whole: dict[str, Any], damage: Damage | None) -> dict[str, Any]:
    kept = {name: whole[name] for name in ("Success", "Code", "HttpStatusCode", "Message") if name in whole}
    rest = {name: value for name, value in whole.items() if name not in kept}
    return whole if damage is None else damaged(rest, damage) | kept


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("version", ["3.1.9", "3.4.3"])
async def test_dolphinscheduler_is_answered_or_refused_whatever_is_damaged(damage: str, version: str) -> None:
    http = Http()
    await http.start()
    async with DamagedDolphin(version) as server:
        scheduler = DolphinScheduler(server.connection(), http, zone=ZONE, clock=server.clock)
        instance = server.id("dws_trade_order_di")
        await scheduler.instance(instance)
        server.damage = DAMAGES[damage]
        found = await refused(questions(scheduler, instance, "303", InstanceQuery(day=TODAY), SINCE))
        assert damage != HARMLESS or found == {}
        server.broken.clear()  # an id that it damaged comes back to it
        await scheduler.close()
        await http.stop()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_dataphin_is_answered_or_refused_whatever_is_damaged(damage: str) -> None:
    async with DamagedDataphin() as server:
        scheduler = DataphinScheduler(server.connection(), zone=ZONE, clock=server.clock)
        one = server.of("dws_trade_order_di")
        await scheduler.instance(one["Id"])
        server.damage = DAMAGES[damage]
        found = await refused(questions(scheduler, one["Id"], one["NodeInfo"]["Id"], InstanceQuery(day=TODAY), SINCE))
        assert damage != HARMLESS or found == {}
        await scheduler.close()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_dataworks_is_answered_or_refused_whatever_is_damaged(damage: str) -> None:
    async with DamagedDataWorks() as server:
        scheduler = DataWorksScheduler(server.connection(), zone=ZONE, clock=server.clock)
        one = server.of("dws_trade_order_di")
        await scheduler.instance(str(one["Id"]))
        server.damage = DAMAGES[damage]
        asked = questions(scheduler, str(one["Id"]), str(one["TaskId"]), InstanceQuery(day=TODAY), SINCE)
        found = await refused(asked)
        assert damage != HARMLESS or found == {}
        await scheduler.close()


@pytest.mark.parametrize(("status", "kind"), [(200, XOpsError), (302, RemoteError), (502, Unreachable)])
async def test_a_page_of_a_gateway_is_no_answer_of_dolphinscheduler(status: int, kind: type[XOpsError]) -> None:
    """Also in the middle of a question, when the server was understood before."""
    async with dolphin() as pair:
        instance = pair.server.id("ods_order")
        await pair.scheduler.instance(instance)
        pair.server.trouble = lambda _: web.Response(
            text="<html>sign in</html>", content_type="text/html", status=status
        )
        with pytest.raises(kind) as told:
            await pair.scheduler.instance(instance)
        assert "sign in" not in str(told.value)


@pytest.mark.parametrize("status", [200, 502])
async def test_a_page_of_a_gateway_is_no_answer_of_dataphin(status: int) -> None:
    async with FakeDataphin() as server:
        scheduler = DataphinScheduler(server.connection(), zone=ZONE, clock=server.clock)
        server.faults = [Fault(status, "", "<html>sign in</html>")]
        with pytest.raises(Unreachable) as told:
            await scheduler.projects()
        assert "sign in" not in str(told.value)
        assert server.calls == ["ListProjects"]
        await scheduler.close()
