"""Tickets on the page: who sees which, what may be decided there, and what became of it."""

import html
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession, CookieJar
from pydantic import SecretStr

from bots.messenger import PAGE
from core.approvals.model import Ticket
from core.cards import buttons
from core.i18n import words
from core.settings import Server, Web
from core.views import show
from tests.fakes.admin import Site, Visitor, administering, ids, imports

SAY = words("en")
REASON = "the night run blocks the close of the books"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """A running administration with one flow."""
    async with administering(tmp_path) as opened:
        await opened.make_flow(imports(break_glass=True))
        yield opened


@pytest.fixture
async def ops(site: Site) -> AsyncGenerator[Visitor]:
    """The browser of someone who may decide."""
    async with site.visiting("ops") as opened:
        yield opened


def shown(ticket: Ticket, **more: str) -> dict[str, str]:
    """What a form of the ticket's page sends."""
    return {"node": str(ticket.node), "digest": ticket.digest, **more}


async def test_each_sees_what_is_theirs(site: Site, ops: Visitor) -> None:
    """What waits for them, what they asked for; everything only for administrators."""
    await site.ask()
    assert ids((await ops.see("/tickets"))[1]) == ["T-1"]
    assert ids((await ops.see("/tickets?list=mine"))[1]) == []
    async with site.visiting("asker") as asker, site.visiting("root") as root:
        assert ids((await asker.see("/tickets"))[1]) == []
        assert ids((await asker.see("/tickets?list=mine"))[1]) == ["T-1"]
        assert ids((await asker.see("/tickets?list=all"))[1]) == []
        for query, found in (
            ("", ["T-1"]),
            ("&state=failed", []),
            ("&requester=asker", ["T-1"]),
            ("&task_type=kill", []),
        ):
            assert ids((await root.see(f"/tickets?list=all{query}"))[1]) == found


async def test_a_ticket_shows_everything_it_is_about(site: Site, ops: Visitor) -> None:
    """The whole payload and digest, the steps, and what happened to it."""
    ticket = await site.ask(payload={"file": "x" * 900})
    status, page = await ops.see("/tickets/T-1")
    text = html.unescape(page)
    assert (status, ticket.digest in text, "x" * 900 in text) == (200, True, True)
    assert SAY("approvals.waits", so_far="", votes=0, need=1, names="ops, ops2, root").strip() in text
    assert SAY("admin.ticket.event.opened") in text


async def test_approving_carries_on(site: Site, ops: Visitor) -> None:
    """The same service as in chat; the history says that it was done on the page."""
    ticket = await site.ask()
    assert await ops.send("/tickets/T-1/approve", shown(ticket, comment="checked")) == (
        200,
        "/admin/tickets/T-1?done=approve",
    )
    page = html.unescape((await ops.see("/tickets/T-1"))[1])
    assert SAY("admin.ticket.states.executing") in page
    assert SAY("admin.ticket.via.page") in page
    async with site.visiting("asker") as asker:
        sent = {"outcome": "succeeded", "comment": "1,204 rows"}
        assert await asker.send("/tickets/T-1/report", sent) == (200, "/admin/tickets/T-1?done=report")
        assert "1,204 rows" in (await asker.see("/tickets/T-1"))[1]


async def test_rejecting_needs_a_reason(site: Site, ops: Visitor) -> None:
    """Without one the form comes back and says so; with one it is final."""
    ticket = await site.ask()
    status, form = await ops.send("/tickets/T-1/reject", shown(ticket))
    assert (status, SAY("admin.refused.comment") in form, 'aria-invalid="true"' in form) == (422, True, True)
    assert (await ops.send("/tickets/T-1/reject", shown(ticket, comment="wrong file")))[0] == 200
    page = (await ops.see("/tickets/T-1"))[1]
    assert "wrong file" in page
    assert "/reject" not in page


async def test_what_was_decided_meanwhile_is_shown_as_it_is(site: Site, ops: Visitor) -> None:
    """A page that is out of date decides nothing, nor does one that showed another payload."""
    ticket = await site.ask()
    late = (200, "/admin/tickets/T-1?done=late")
    assert await ops.send("/tickets/T-1/approve", shown(ticket) | {"digest": "0" * 64}) == late
    async with site.visiting("ops2") as other:
        await other.send("/tickets/T-1/reject", shown(ticket, comment="no"))
    assert await ops.send("/tickets/T-1/approve", shown(ticket)) == late
    assert SAY("admin.done.late") in (await ops.see("/tickets/T-1?done=late"))[1]


async def test_who_asked_withdraws_and_does_not_approve(site: Site) -> None:
    """Nobody approves what they asked for, on the page as little as elsewhere."""
    ticket = await site.ask()
    async with site.visiting("asker") as asker:
        assert "/approve" not in (await asker.see("/tickets/T-1"))[1]
        assert (await asker.send("/tickets/T-1/approve", shown(ticket)))[0] == 403
        assert await asker.send("/tickets/T-1/withdraw") == (200, "/admin/tickets/T-1?done=withdraw")


async def test_what_is_started_by_hand_is_started_here(site: Site, ops: Visitor) -> None:
    """Approved first, then started by who asked."""
    ticket = await site.ask(strategy="manual")
    await ops.send("/tickets/T-1/approve", shown(ticket))
    async with site.visiting("asker") as asker:
        assert await asker.send("/tickets/T-1/execute") == (200, "/admin/tickets/T-1?done=execute")


async def test_an_emergency_needs_the_permission_an_incident_and_a_reason(site: Site, ops: Visitor) -> None:
    """Offered to those with the permission only, and refused to others whatever they send."""
    await site.ask()
    assert "break_glass" not in (await ops.see("/tickets/T-1"))[1]
    assert (await ops.send("/tickets/T-1/break_glass", {"incident": "INC-7", "comment": REASON}))[0] == 403
    async with site.visiting("fire") as fire:
        assert "break_glass" in (await fire.see("/tickets/T-1"))[1]
        status, form = await fire.send("/tickets/T-1/break_glass", {"incident": "INC-7", "comment": "now"})
        assert (status, 'value="INC-7"' in form) == (422, True)
        done = await fire.send("/tickets/T-1/break_glass", {"incident": "INC-7", "comment": REASON})
        assert done == (200, "/admin/tickets/T-1?done=break_glass")


async def test_lists_are_turned_over(site: Site, ops: Visitor) -> None:
    """Twenty on a page."""
    for number in range(21):
        await site.ask(f"load {number}")
    page = html.unescape((await ops.see("/tickets"))[1])
    assert (len(ids(page)), 'href="/admin/tickets?offset=20" rel="next"' in page) == (20, True)
    assert ids((await ops.see("/tickets?offset=20"))[1]) == ["T-1"]


@pytest.mark.parametrize("path", ["/tickets/T-9", "/tickets/T-0", "/tickets/T-99999999999"])
async def test_what_is_not_there_is_not_found(ops: Visitor, path: str) -> None:
    """In the frame of the page where the address could be one of ours."""
    assert (await ops.see(path))[0] == 404


async def test_a_card_that_cannot_ask_leads_to_the_page(tmp_path: Path) -> None:
    """Its link is good for someone who is not signed on yet: they get to the ticket once they are."""
    public = Server(port=0, public_url="https://xops.example.com/")
    async with administering(tmp_path, server=public) as site:
        await site.make_flow()
        await site.ask()
        ops = site.application.access.named("ops")
        assert ops is not None
        view = replace(await site.application.approving.approvals.view(ops, "T-1"), purpose="reject")
        links = [button.url for button in buttons(show(view, SAY, ZoneInfo("UTC"), ops)) if button.url]
        assert links == ["https://xops.example.com/admin/tickets/T-1"]
    token = "a-long-token-of-ops"  # of a test
    web = Web(person="ops", sign_on_token=SecretStr(token))
    jar = CookieJar(unsafe=True)
    async with administering(tmp_path, web=web) as site, ClientSession(cookie_jar=jar) as session:
        asked = await session.get(f"{site.origin}/admin/tickets/T-1")
        answer = await session.get(asked.url.update_query(token=token))
        assert (answer.url.path, answer.status) == ("/admin/tickets/T-1", 200)
        again = await session.get(f"{site.origin}{PAGE}", params={"at": "/admin/tickets/T-1", "lang": "en"})
        assert again.url.path == "/admin/tickets/T-1"
        assert SAY("admin.ticket.do.reject") in await again.text()
