"""What the administration lets nobody do: without a session, from another site, without the right, with hostile names."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bots.web.admin.forms import nested, problems, reshaped
from bots.web.admin.wording import sentence_of
from bots.web.gate import HEADERS, POLICY, TOKEN_HEADER
from core.approvals.model import Definition
from core.errors import BadInput
from core.i18n import LANGUAGES, words
from tests.fakes.admin import Site, administering, imports

SAY = words("en")
ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>"
PAGES = ("/flows", "/flows/new?task_type=import", "/flows/F-1", "/flows/F-1/edit", "/flows/F-1/copy", "/flows/order")
OTHERS = ("/flows/document", "/people", "/people/root", "/audit", "/audit/verify", "/audit/export", "/flows/export")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """A running administration with one flow and one ticket."""
    async with administering(tmp_path) as opened:
        await opened.make_flow()
        await opened.ask()
        yield opened


async def test_without_a_session_the_way_leads_through_the_sign_on_and_back(site: Site) -> None:
    """A card's link to a ticket is good for someone who is not signed on yet."""
    async with site.visiting("") as stranger:
        status, form = await stranger.see("/tickets/T-1")
        assert (status, "at=/admin/tickets/T-1" in unquote(form)) == (200, True)
        assert (await stranger.send("/tickets/T-1/approve"))[0] == 401


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
async def test_administration_is_for_administrators(site: Site, path: str) -> None:
    """Others are told what would be needed, and see nothing of it."""
    async with site.visiting("ops") as ops, site.visiting("root") as root:
        status, page = await ops.see(path)
        assert (status, SAY("errors.denied", needed=SAY("views.role.admin")) in page, "imports" in page) == (
            403,
            True,
            False,
        )
        assert (await root.see(path))[0] == 200


@pytest.mark.parametrize(
    "path", ["/flows", "/flows/new", "/flows/F-1/disable", "/flows/order", "/people", "/people/ops/disable"]
)
async def test_changes_are_for_administrators(site: Site, path: str) -> None:
    """By the service, whatever a page would have offered."""
    async with site.visiting("ops") as ops:
        assert (await ops.send(path, {"person": "x", "role": "admin", "ids": "F-1"}))[0] == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {TOKEN_HEADER: "0" * 64},
        {TOKEN_HEADER: ""},
    ],
)
@pytest.mark.parametrize("path", ["/flows/F-1/disable", "/tickets/T-1/approve", "/people", "/switches/assistant"])
async def test_a_change_from_elsewhere_is_refused(site: Site, path: str, changes: dict[str, str]) -> None:
    """The cookie alone proves nothing: origin and token must be ours as well."""
    async with site.visiting("root") as root:
        assert await root.send(path, {"value": "off"}, **changes) == (403, SAY("web.error.foreign"))


async def test_every_answer_carries_the_policy(site: Site) -> None:
    """Pages, refusals and downloads; and no page holds a script of its own."""
    async with site.visiting("root") as root:
        for path in (*PAGES, "/flows/F-77", "/audit/export"):
            async with root.get(path) as answer:
                assert answer.headers["Content-Security-Policy"] == POLICY
                assert {name: answer.headers[name] for name in HEADERS} == HEADERS
                assert re.findall(r"<script(?![^>]*src=)|\son[a-z]+=|javascript:", await answer.text()) == []


async def test_hostile_names_are_shown_and_not_obeyed(site: Site) -> None:
    """Of a person, a project, a ticket, its payload and a reason."""
    ticket = await site.ask(HOSTILE, payload={"file": HOSTILE})
    async with site.visiting("root") as root, site.visiting("ops") as ops:
        await root.send("/people", {"person": HOSTILE.replace(":", ""), "role": "viewer", "owners": HOSTILE})
        await ops.send(f"/tickets/{ticket.id}/reject", {"comment": HOSTILE})
        refused = await root.send("/flows/new", {"task_type": "import", "name": HOSTILE, "remark": HOSTILE})
        shown = [refused[1]]
        for path in (
            "/people",
            f"/people/{HOSTILE.replace(' ', '%20')}",
            "/tickets?list=all",
            "/tickets/T-2",
            "/audit",
            f"/people?name={HOSTILE}",
        ):
            shown.append((await root.see(path))[1])
    for page in shown:
        assert HOSTILE not in page
        assert "&lt;img" in page


NAMES = st.lists(st.sampled_from(["levels", "nodes", "0", "1", "name", "operations", "²", ""]), min_size=1, max_size=10)


@given(st.lists(st.tuples(NAMES.map(".".join), st.text(max_size=5)), max_size=8), st.text(max_size=12))
def test_any_form_is_read_or_refused(fields: list[tuple[str, str]], wish: str) -> None:
    """Made-up names end in a refusal that can be told, and never in a fault of ours."""
    assert all(said(fields, wish))


def said(fields: list[tuple[str, str]], wish: str) -> list[str]:
    """What somebody who sent these fields is told is wrong."""
    try:
        Definition.model_validate(reshaped(nested(fields), wish))
    except ValidationError as error:
        return list(problems(error, SAY).values())
    except BadInput as error:
        return [sentence_of(error, SAY)]
    return []


def test_a_form_of_a_flow_is_read_back_as_the_flow() -> None:
    """What the form shows of a definition is the definition again."""
    definition = imports(remark="by night", scope={"projects": ("trade", "prod:risk")})
    assert Definition.model_validate(nested(flattened(definition.model_dump(mode="json")))) == definition


def flattened(value: object, name: str = "") -> list[tuple[str, str]]:
    """Fields of a form with these values in them."""
    below = name and f"{name}."
    if value is None:
        return []
    if not isinstance(value, dict | list):
        return [(name, str(value))]
    if isinstance(value, list) and not any(isinstance(each, dict) for each in cast("list[object]", value)):
        return [(name, " ".join(cast("list[str]", value)))]
    entries = cast("dict[object, object] | list[object]", value)
    parts = entries.items() if isinstance(entries, dict) else enumerate(entries)
    return [pair for key, each in parts for pair in flattened(each, f"{below}{key}")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_a_template_asks_for_exists(language: str) -> None:
    """Templates are no Python, so the catalogues' own tests do not see them."""
    say = words(language)
    folder = ROOT / "bots/web/templates"
    asked = {
        key
        for file in folder.rglob("*.html")
        for key in re.findall(r'words\("([a-z0-9_.]+)"[,)]', file.read_text("utf-8"))
    }
    assert len(asked) > 100
    assert [key for key in sorted(asked) if key not in say] == []
