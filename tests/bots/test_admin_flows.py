"""Flows on the page: what the list, the form and the order do, and what is said when something is wrong."""

import html
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from core.i18n import LANGUAGES, words
from tests.fakes.admin import Site, Visitor, administering, ids, imports

SAY = words("en")
FORM = {
    "name": "nightly",
    "task_type": "kill",
    "remark": "at night",
    "enabled": "true",
    "validity.approval_minutes": "120",
    "scope.projects": "trade, prod:risk",
    "levels.0.ranges.0.measure": "instances",
    "levels.0.ranges.0.most": "5",
    "levels.0.nodes.0.approver": "ops_admin@project",
    "levels.0.nodes.0.need": "1",
    "levels.1.environments": "prod",
    "levels.1.nodes.0.approver": "group:dba",
    "levels.1.nodes.0.need": "2",
    "levels.1.nodes.0.comment_required": "true",
    "escalate_to": "admin@org",
    "break_glass": "true",
}


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


async def test_a_flow_is_what_its_form_said(site: Site, root: Visitor) -> None:
    """Every field reaches the definition, and the next form shows it again."""
    assert await root.send("/flows/new", FORM) == (200, "/admin/flows/F-1?done=saved")
    flow = await site.application.approving.approvals.flows.get("F-1")
    assert (flow.name, flow.task_type, flow.remark, flow.break_glass) == ("nightly", "kill", "at night", True)
    assert (flow.validity.approval_minutes, flow.scope.projects) == (120, ("trade", "prod:risk"))
    first, second = flow.levels
    assert (first.ranges[0].most, second.environments, second.nodes[0].need) == (5, ("prod",), 2)
    assert second.nodes[0].comment_required
    status, page = await root.see("/flows/F-1/edit")
    assert status == 200
    assert 'value="trade prod:risk"' in page or ">trade prod:risk</textarea>" in page
    assert re.search(r'name="levels\.1\.nodes\.0\.comment_required"[^>]*checked', page)


async def test_an_entry_more_or_less_keeps_what_was_entered(root: Visitor) -> None:
    """Levels, steps and ranges come and go without a save."""
    for wish, found in (
        ("add:levels", "levels.2.nodes.0.approver"),
        ("add:levels.1.nodes", "levels.1.nodes.1.approver"),
        ("add:levels.0.ranges", "levels.0.ranges.1.least"),
    ):
        status, form = await root.send("/flows/new", FORM | {"do": wish})
        assert (status, f'name="{found}"' in form, 'value="nightly"' in form) == (422, True, True)
    status, form = await root.send("/flows/new", FORM | {"do": "remove:levels.0"})
    assert (status, "levels.1.nodes" in form, 'value="prod"' in form) == (422, False, True)
    assert ids((await root.see("/flows"))[1]) == []


@pytest.mark.parametrize(
    "wish", ["add:levels.9.nodes", "remove:levels", "add:name", "boom", "add:", "remove:levels.0.x"]
)
async def test_a_wish_for_what_is_not_there_is_refused(root: Visitor, wish: str) -> None:
    """In a sentence, whatever a made-up form asks for."""
    assert await root.send("/flows/new", FORM | {"do": wish}) == (422, SAY("admin.refused.form"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_wrong_is_said_beside_its_field(site: Site, language: str) -> None:
    """In the reader's language, and tied to the field for a screen reader; the form keeps what was entered."""
    say = words(language)
    wrong = {
        "name": "a b!",
        "levels.1.nodes.0.need": "21",
        "validity.approval_minutes": "9",
        "levels.0.ranges.0.least": "7",
    }
    async with site.visiting("root", language) as root:
        status, form = await root.send("/flows/new", FORM | wrong)
    text = html.unescape(form)
    assert status == 422
    for field, key in (
        ("name", "name"),
        ("levels.1.nodes.0.need", "need"),
        ("validity.approval_minutes", "approval_minutes"),
        ("levels.0.ranges", "ranges"),
    ):
        assert f'id="wrong-{field}">{say(f"admin.wrong.{key}")}' in text
    assert re.search(
        r'name="name"[^>]*value="a b!"[^>]*aria-invalid="true"[^>]*aria-describedby="[^"]*wrong-name', text
    )


async def test_a_name_that_is_taken_is_said_beside_the_name(site: Site, root: Visitor) -> None:
    """What the service refuses stands where it belongs as well."""
    await site.make_flow(imports("nightly"))
    status, form = await root.send("/flows/new", FORM)
    assert (status, f'id="wrong-name">{SAY("admin.refused.name")}' in form) == (422, True)
    status, form = await root.send("/flows/F-1/copy", {"name": "nightly"})
    assert (status, f'id="wrong-name">{SAY("admin.refused.name")}' in form) == (422, True)


async def test_two_editors_do_not_overwrite_each_other(site: Site, root: Visitor) -> None:
    """The second is told who was first, and keeps what they entered."""
    await root.send("/flows/new", FORM)
    edited = FORM | {"version": "1"}
    assert (await root.send("/flows/F-1/edit", edited | {"remark": "first"}))[0] == 200
    status, form = await root.send("/flows/F-1/edit", edited | {"remark": "second"})
    assert status == 422
    assert SAY("admin.flow.changed", name="root", version=2) in html.unescape(form)
    assert ">second</textarea>" in form
    assert (await site.application.approving.approvals.flows.get("F-1")).remark == "first"


async def test_the_list_is_filtered_by_every_column(site: Site, root: Visitor) -> None:
    """And a filter that makes no sense filters nothing."""
    await site.make_flow(imports("imports"))
    await site.make_flow(imports("others", enabled=False))
    await root.send("/flows/new", FORM)
    for query, found in (
        ("name=IMP", ["F-1"]),
        ("task_type=kill", ["F-3"]),
        ("levels=2", ["F-3"]),
        ("creator=roo", ["F-1", "F-2", "F-3"]),
        ("enabled=false", ["F-2"]),
        ("changed_since=2001-01-01", ["F-1", "F-2", "F-3"]),
        ("changed_since=2999-01-01", []),
        ("levels=many&name=IMP", ["F-1", "F-2", "F-3"]),
    ):
        assert ids((await root.see(f"/flows?{query}"))[1]) == found, query


async def test_a_long_list_is_turned_over(site: Site, root: Visitor) -> None:
    """With the filter kept, and what was done not told again."""
    for number in range(21):
        await site.make_flow(imports(f"flow{number}"))
    page = html.unescape((await root.see("/flows?name=flow&done=saved"))[1])
    assert len(ids(page)) == 20
    assert 'href="/admin/flows?name=flow&offset=20" rel="next"' in page
    assert len(ids((await root.see("/flows?name=flow&offset=20"))[1])) == 1


async def test_turning_copying_and_deleting(site: Site, root: Visitor) -> None:
    """Disable, enable, copy under a name, delete what is ticked."""
    await site.make_flow()
    assert await root.send("/flows/F-1/disable") == (200, "/admin/flows/F-1?done=disabled")
    assert await root.send("/flows/F-1/enable") == (200, "/admin/flows/F-1?done=enabled")
    assert await root.send("/flows/F-1/copy", {"name": "again"}) == (200, "/admin/flows/F-2?done=copied")
    assert await root.send("/flows") == (422, SAY("admin.refused.ids"))
    assert (await root.send("/flows", [("ids", "F-1"), ("ids", "F-9")]))[0] == 404
    assert await root.send("/flows", [("ids", "F-1"), ("ids", "F-2")]) == (200, "/admin/flows?done=deleted")
    page = (await root.see("/flows?done=deleted"))[1]
    assert (ids(page), SAY("admin.done.deleted") in page, SAY("admin.flow.none") in page) == ([], True, True)


async def test_a_flow_with_open_tickets_stays(site: Site, root: Visitor) -> None:
    """All or none: the other one is not deleted either."""
    await site.make_flow()
    await site.make_flow(imports("others"))
    await site.ask()
    assert (await root.send("/flows", [("ids", "F-2"), ("ids", "F-1")]))[0] == 409
    assert ids((await root.see("/flows"))[1]) == ["F-1", "F-2"]


async def test_the_order_of_a_type_is_saved_as_a_whole(site: Site, root: Visitor) -> None:
    """In the order the page sends; one flow too few is refused, since somebody added it meanwhile."""
    for name in ("one", "two"):
        await site.make_flow(imports(name))
    ordered = [("task_type", "import"), ("ids", "F-2"), ("ids", "F-1")]
    assert await root.send("/flows/order", ordered) == (200, "/admin/flows?task_type=import&done=ordered")
    page = (await root.see("/flows/order?task_type=import"))[1]
    assert re.findall(r'name="ids" value="(F-\d)"', page) == ["F-2", "F-1"]
    assert (await root.send("/flows/order", ordered[:2]))[0] == 409


async def test_flows_go_out_and_in_as_yaml(site: Site, root: Visitor) -> None:
    """What was exported loads again; what is no document says where, and keeps the text."""
    await site.make_flow()
    status, document = await root.see("/flows/export")
    assert (status, "name: imports" in document) == (200, True)
    renamed = document.replace("name: imports", "name: others")
    assert await root.send("/flows/document", {"document": renamed}) == (200, "/admin/flows?done=loaded")
    assert ids((await root.see("/flows"))[1]) == ["F-1", "F-2"]
    status, form = await root.send("/flows/document", {"document": "flows: [{name: 1}]"})
    assert (status, "flows.0" in form, "flows: [{name: 1}]" in form) == (422, True, True)


async def test_a_flow_is_shown_with_everything(site: Site, root: Visitor) -> None:
    """Basics, levels, steps, scope, versions; and approvers that nobody answers to."""
    await root.send("/flows/new", FORM | {"levels.1.nodes.0.approver": "user:nobody"})
    page = html.unescape((await root.see("/flows/F-1"))[1])
    for shown in (
        "nightly",
        "at night",
        "120 minutes",
        "trade, prod:risk",
        "0 – 5",
        "2 must approve",
        "Version 1, by root",
    ):
        assert shown in page
    assert SAY("admin.flow.unmanned", names="nobody") in page
    assert (await root.see("/flows/F-77"))[0] == 404
