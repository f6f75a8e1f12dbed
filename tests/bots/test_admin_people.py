"""People, switches and the trail on the page: the same services as `xops people`, chat and `xops audit`."""

import html
import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.i18n import words
from tests.fakes.admin import Site, Visitor, administering

SAY = words("en")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """A running administration."""
    async with administering(tmp_path) as opened:
        yield opened


@pytest.fixture
async def root(site: Site) -> AsyncGenerator[Visitor]:
    """An administrator's browser."""
    async with site.visiting("root") as opened:
        yield opened


async def test_a_person_from_their_listing_to_their_end(site: Site, root: Visitor) -> None:
    """Added, given a role, projects until a moment, groups and a messenger; then all taken away again."""
    own, saved = "/people/%E6%9D%8E%20%E9%9B%B7", (200, "/admin/people/%E6%9D%8E%20%E9%9B%B7?done=saved")
    assert await root.send("/people", {"person": "李 雷", "role": "viewer", "owners": "lilei"}) == saved
    for word, sent in (
        ("role", {"role": "operator", "break_glass": "true"}),
        ("give", {"project": "trade", "until": "2999-01-01T08:00"}),
        ("groups", {"groups": "oncall, dba"}),
        ("link", {"channel": "feishu", "identity": "ou_1"}),
    ):
        assert await root.send(f"{own}/{word}", sent) == saved, word
    person = site.application.access.named("李 雷")
    assert person is not None
    assert (person.role, person.break_glass, person.groups) == ("operator", True, {"oncall", "dba"})
    assert (person.projects, person.owners) == ({"trade"}, {"lilei"})
    page = html.unescape((await root.see(own))[1])
    assert "2999-01-01 08:00" in page
    assert "ou_1" in page
    for word, sent in (("take", {"project": "trade"}), ("unlink", {"channel": "feishu"}), ("disable", {})):
        assert await root.send(f"{own}/{word}", sent) == saved, word
    assert site.application.access.named("李 雷") is None
    assert await root.send(f"{own}/enable") == saved


@pytest.mark.parametrize(
    ("path", "sent", "field"),
    [
        ("", {"person": "a:b", "role": "viewer"}, "person"),
        ("", {"person": "root", "role": "viewer"}, "person"),
        ("", {"person": "new", "role": "stranger"}, "role"),
        ("/li/give", {"project": ""}, "project"),
        ("/li/give", {"project": "trade", "until": "2001-01-01T08:00"}, "until"),
        ("/li/give", {"project": "trade", "until": "soon"}, "until"),
        ("/li/take", {"project": "trade"}, "project"),
        ("/li/groups", {"groups": "a:b"}, "groups"),
        ("/li/link", {"channel": "ding", "identity": "d-ops2"}, "identity"),
        ("/li/link", {"channel": "web", "identity": "li"}, "identity"),
        ("/li/unlink", {"channel": "feishu"}, "channel"),
        ("/root/role", {"role": "viewer"}, "settings"),
    ],
)
async def test_what_is_wrong_is_said(root: Visitor, path: str, sent: dict[str, str], field: str) -> None:
    """Above the form and beside the field, and nothing is changed."""
    await root.send("/people", {"person": "li", "role": "operator"})
    status, form = await root.send(f"/people{path}", sent)
    assert (status, SAY(f"admin.refused.{field}") in html.unescape(form)) == (422, True)


async def test_people_are_found(root: Visitor) -> None:
    """By name, role and state; those of the settings as well, which are changed there."""
    await root.send("/people", {"person": "Li", "role": "operator"})
    await root.send("/people/Li/disable")

    async def found(query: str) -> list[str]:
        return re.findall(r'class="plain" href="/admin/people/([^"]+)"', (await root.see(f"/people?{query}"))[1])

    assert await found("name=ops") == ["ops", "ops2"]
    assert await found("role=viewer") == ["guest"]
    assert await found("state=disabled") == ["Li"]
    assert SAY("admin.person.none") in (await root.see("/people?name=nobody"))[1]
    assert SAY("admin.refused.settings") in (await root.see("/people/root"))[1]


async def test_a_code_is_shown_once_and_links_a_messenger(site: Site, root: Visitor) -> None:
    """The administrator hands it over; it is in no address, and in no later page."""
    await root.send("/people", {"person": "li", "role": "operator"})
    status, shown = await root.send("/people/li/code")
    code = re.search(r"/link ([A-Z0-9-]+)", shown)
    assert (status, code is not None) == (200, True)
    assert code is not None
    assert code[1] not in (await root.see("/people/li"))[1]
    for _ in range(4):
        await root.send("/people/li/code")
    assert await root.send("/people/li/code") == (409, SAY("errors.busy"))


async def test_switching_is_for_ops_admins(site: Site) -> None:
    """The assistant and its model; a value that is no choice is refused."""
    async with site.visiting("ops") as ops, site.visiting("asker") as asker:
        assert await ops.send("/switches/assistant", {"value": "off"}) == (200, "/admin/switches?done=switched")
        assert site.application.switches.assistant.value == "off"
        assert await ops.send("/switches/assistant", {"value": "perhaps"}) == (422, SAY("admin.refused.value"))
        assert (await ops.send("/switches/model", {"value": "none-such"}))[0] == 404
        page = (await ops.see("/switches"))[1]
        assert re.search(r'value="off" aria-pressed="true"', page)
        assert (await asker.send("/switches/assistant", {"value": "on"}))[0] == 403


async def test_the_trail_is_searched_verified_and_exported(site: Site, root: Visitor) -> None:
    """Filters as of `xops audit search`; a change in the database is noticed."""
    for name in ("li", "wang"):
        await root.send("/people", {"person": name, "role": "viewer"})
    for query, found in (("action=people", 2), ("target=wan", 1), ("actor=nobody", 0), ("since=2999-01-01T00:00", 0)):
        page = (await root.see(f"/audit?{query}"))[1]
        assert page.count("people.add</td>") == found, query
    assert (await root.see("/audit?since=yesterday"))[0] == 422
    lines = (await root.see("/audit/export"))[1].splitlines()
    assert (json.loads(lines[0])["action"], json.loads(lines[-1])["entries"]) == ("people.add", 2)
    assert SAY("admin.trail.whole", count=2) in (await root.see("/audit/verify"))[1]
    await site.application.store.write(lambda c: c.execute(text("update audit set target = 'x' where number = 1")))
    assert SAY("admin.trail.tampered") in (await root.see("/audit/verify"))[1]


async def test_a_long_trail_is_read_on(site: Site, root: Visitor) -> None:
    """Fifty entries, then those before them."""
    for number in range(51):
        await site.application.audit.record(actor="a", action="act", target=str(number), outcome="done")
    page = html.unescape((await root.see("/audit?actor=a"))[1])
    assert 'href="/admin/audit?actor=a&before=2" rel="next"' in page
    assert (await root.see("/audit?actor=a&before=2"))[1].count("act</td>") == 1
