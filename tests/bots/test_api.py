"""The REST interface: whose token it is, what they may do, and what a refusal says."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from typer.testing import CliRunner

from bots.cli import app
from bots.serving import serving
from tests.bots.api_client import Client, configured
from tests.fakes.approvals import flow

IMPORTS = flow("imports", "import")
TASK = {"task_type": "import", "title": "load the orders", "project": "trade", "payload": {"file": "orders.csv"}}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[tuple[str, str]]:
    """A started server: its address, and the page's sign-on token."""
    async with serving(configured(tmp_path)) as opened:
        yield opened


@pytest.fixture
async def client(server: tuple[str, str]) -> AsyncGenerator[Client]:
    """Someone who calls it."""
    async with Client(server[0]) as opened:
        yield opened


async def test_a_flow_from_its_making_to_its_end(client: Client) -> None:
    """Create, show, edit, copy, order, disable, list, delete."""
    status, made = await client.call("POST", "/flows", IMPORTS)
    assert (status, made["flow"]["id"], made["unmanned"]) == (201, "F-1", [])
    edited = IMPORTS.model_copy(update={"remark": "by night"})
    assert (await client.call("PUT", "/flows/F-1?version=1", edited))[1]["flow"]["version"] == 2
    assert (await client.call("PUT", "/flows/F-1?version=1", edited))[0] == 409
    assert (await client.call("POST", "/flows/F-1/copy", {"name": "imports2"}))[0] == 201
    status, order = await client.call("PUT", "/task-types/import/order", {"flows": ["F-2", "F-1"]})
    assert (status, [one["id"] for one in order]) == (200, ["F-2", "F-1"])
    assert (await client.call("POST", "/flows/F-1/disable"))[1]["enabled"] is False
    assert (await client.call("POST", "/flows/F-1/enable"))[1]["enabled"] is True
    listed = (await client.call("GET", "/flows?name=IMPORT&levels=1&enabled=true&task_type=import&creator=roo"))[1]
    assert ([one["name"] for one in listed["flows"]], listed["total"]) == (["imports"], 1)
    versions = (await client.call("GET", "/flows/F-1/versions"))[1]
    assert [one["version"] for one in versions] == [4, 3, 2, 1]
    assert (await client.call("DELETE", "/flows?ids=F-1,F-2"))[0] == 204
    assert (await client.call("GET", "/flows/F-1"))[0] == 404


async def test_a_subscription_and_promises_from_their_making_to_their_end(client: Client) -> None:
    """In one's own chat; a name that means several things is refused, and so is a chat of somebody else."""
    trade = {"chat": "web:ops", "about": "owner", "subject": "陈晓雯", "quiet": "22:00-08:00"}
    status, made = await client.call("POST", "/subscriptions", trade, person="ops")
    assert (status, made["severity"], made["person"]) == (201, "warning", "ops")
    (chat,) = (await client.call("GET", "/chats", person="ops"))[1]
    assert (chat["chat"], chat["subscriptions"]) == ("web:ops", [made])
    task = trade | {"about": "task", "subject": "dws_trade"}
    for wrong, status in ((task, 422), (trade | {"chat": "web:root"}, 404), (trade | {"subject": ""}, 422)):
        assert (await client.call("POST", "/subscriptions", wrong, person="ops"))[0] == status
    assert (await client.call("DELETE", f"/subscriptions/{made['id']}", person="root"))[0] == 404
    assert (await client.call("DELETE", f"/subscriptions/{made['id']}", person="ops"))[0] == 204

    wanted = {"kind": "follow", "chat": "web:guest", "target": "dws_trade_order_di"}
    status, followed = await client.call("POST", "/promises", wanted, person="guest")
    assert (status, followed["state"], followed["name"]) == (201, "open", "dws_trade_order_di")
    assert (await client.call("POST", "/promises", wanted | {"kind": "mute"}, person="guest"))[0] == 403
    muting = {"kind": "mute", "chat": "web:root", "target": "dws_trade_order_di", "duration": "2h"}
    status, muted = await client.call("POST", "/promises", muting)
    assert (status, (await client.call("GET", "/promises", person="guest"))[1]) == (201, [followed, muted])
    assert (await client.call("DELETE", f"/promises/{muted['id']}", person="guest"))[0] == 404
    assert (await client.call("DELETE", f"/promises/{followed['id']}", person="guest"))[0] == 204
    assert (await client.call("GET", "/promises", person="guest"))[1] == [muted]


async def test_flows_go_out_and_in_as_yaml(client: Client) -> None:
    """What was exported can be imported, there or elsewhere."""
    await client.call("POST", "/flows", IMPORTS)
    status, text = await client.call("GET", "/flows.yaml")
    assert (status, "name: imports" in text) == (200, True)
    status, again = await client.call(
        "PUT", "/flows.yaml", text.replace("imports", "exports").replace("import", "export")
    )
    assert (status, "exports" in again) == (200, True)
    assert (await client.call("PUT", "/flows.yaml", "flows: [*x]"))[0] == 422


async def test_a_ticket_from_the_request_to_the_report(client: Client) -> None:
    """Each by whoever may."""
    await client.call("POST", "/flows", IMPORTS)
    status, opened = await client.call("POST", "/tickets", TASK, person="asker")
    assert (status, opened["candidates"]) == (201, ["ops", "ops2", "root"])
    seen = {"node": 0, "digest": opened["ticket"]["digest"]}
    assert (await client.call("POST", "/tickets/T-1/approve", seen, person="asker"))[0] == 403
    assert (await client.call("POST", "/tickets/T-1/approve", seen | {"digest": "0" * 64}, person="ops"))[0] == 409
    assert (await client.call("GET", "/tickets?pending=true", person="ops"))[1]["tickets"][0]["id"] == "T-1"
    status, approved = await client.call("POST", "/tickets/T-1/approve", seen, person="ops")
    assert (status, approved["ticket"]["state"]) == (200, "executing")
    report = {"outcome": "succeeded", "comment": "1,204 rows"}
    status, done = await client.call("POST", "/tickets/T-1/report", report, person="asker")
    assert (done["ticket"]["state"], done["ticket"]["message"]) == ("succeeded", "1,204 rows")
    kinds = [event["kind"] for event in done["events"]]
    assert kinds == ["opened", "denied", "denied", "approve", "report"]
    assert {event["via"] for event in done["events"]} == {"api"}


async def test_operations_are_proposed_and_not_opened_here(client: Client) -> None:
    """Else a ticket could be approved whose payload nobody checked against the scheduler."""
    assert (await client.call("POST", "/tickets", TASK | {"task_type": "kill"}))[0] == 422
    assert (await client.call("POST", "/tickets", TASK | {"task_type": "import"}))[1]["code"] == "no_flow"
    assert (await client.call("POST", "/tickets", TASK | {"project": "finance"}, person="asker"))[0] == 403
    assert (await client.call("POST", "/tickets", TASK, person="guest"))[0] == 403


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \u4e2d", "bearer  "])
async def test_without_a_valid_token_nothing_is_told(server: tuple[str, str], header: str) -> None:
    """401, and how to ask."""
    async with (
        ClientSession() as session,
        session.get(f"{server[0]}/api/v1/flows", headers={"Authorization": header} if header else {}) as answer,
    ):
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await answer.json(content_type="application/problem+json"))["code"] == "unauthorized"


async def test_a_session_of_the_page_is_as_good_as_a_token(server: tuple[str, str]) -> None:
    """The same person, the same rights; an altered one is nobody's."""
    address, sign_on = server
    async with ClientSession() as session:
        page = await session.get(f"{address}/mobile/ops/chat?token={sign_on}", allow_redirects=False)
        cookie = page.cookies["xops_session"].value
        for bearer, status in ((cookie, 403), (cookie[:-1] + "x", 401)):  # `demo` is not listed on this server
            answer = await session.get(f"{address}/api/v1/flows", headers={"Authorization": f"Bearer {bearer}"})
            assert answer.status == status


async def test_rights_are_those_of_the_person(client: Client) -> None:
    """Looking is for anyone listed, changing for administrators."""
    assert (await client.call("GET", "/flows", person="guest"))[0] == 200
    assert (await client.call("GET", "/task-types", person="guest"))[0] == 200
    status, problem = await client.call("POST", "/flows", IMPORTS, person="ops")
    assert (status, problem["code"], problem["status"]) == (403, "denied", 403)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("\udcff", 400),
        ("[]", 422),
        ('{"name": "a", "task_type": "import"}', 422),
        (json.dumps(IMPORTS.model_dump(mode="json") | {"enabled": "yes"}), 422),
        (json.dumps(IMPORTS.model_dump(mode="json") | {"remark": "x" * 201}), 422),
        (json.dumps(IMPORTS.model_dump(mode="json") | {"task_type": "dance"}), 422),
        ("[" * 100_000, 400),
    ],
    ids=["cut", "not UTF-8", "a list", "no levels", "not a truth value", "too long", "no such type", "too deep"],
)
async def test_what_is_wrong_is_said(server: tuple[str, str], body: str, status: int) -> None:
    """As a problem document, and never as an internal error."""
    headers = {"Authorization": "Bearer a-long-token-for-root"}
    sent = body.encode("utf-8", "surrogateescape")
    async with (
        ClientSession() as session,
        session.post(f"{server[0]}/api/v1/flows", data=sent, headers=headers) as answer,
    ):
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["status"]) == (status, status)
        assert problem["detail"]


async def test_an_unknown_parameter_is_refused(client: Client) -> None:
    """A filter that is misspelt must not list everything."""
    status, problem = await client.call("GET", "/flows?taskType=import")
    assert (status, problem["errors"]) == (422, ["taskType: Extra inputs are not permitted"])


def test_the_command_line_does_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import, list, order, disable, delete; and a refusal in one line."""
    settings = configured(tmp_path)
    people = json.dumps([person.model_dump(mode="json") for person in settings.people])
    monkeypatch.setenv("XOPS_PEOPLE", people)
    monkeypatch.setenv("XOPS_APPROVALS__ENABLED", "true")
    monkeypatch.setenv("XOPS_STORAGE__URL", f"sqlite:///{tmp_path}/cli.sqlite")
    document = tmp_path / "flows.yaml"
    document.write_text("flows: [{name: imports, task_type: import, levels: [{nodes: [{approver: 'admin@org'}]}]}]")

    def xops(line: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*line.split(), "--as", "root"])
        return done.exit_code, done.output

    assert xops(f"flow import {document}") == (0, "F-1 imports version 1\n")
    assert xops("flow copy F-1 imports2") == (0, "F-2\n")
    assert xops("flow order import F-2 F-1")[0] == 0
    assert xops("flow disable F-1")[0] == 0
    code, text = xops("flow list --json")
    assert (code, [one["id"] for one in json.loads(text)]) == (0, ["F-2", "F-1"])
    assert "name: imports2" in xops("flow export")[1]
    assert xops("flow delete F-2")[0] == 0
    assert json.loads(xops("flow show F-1")[1])["enabled"] is False
    assert xops("ticket list") == (0, "")
    assert xops("ticket approve T-1") == (1, "xops: no ticket T-1\n")
