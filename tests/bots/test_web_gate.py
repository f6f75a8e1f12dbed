"""What a change must prove, and what every answer carries."""

import re
from uuid import uuid4

import pytest
from yarl import URL

from bots.messenger import PAGE
from bots.web.assets import assets
from bots.web.gate import HEADERS, POLICY, TOKEN_HEADER, preferred
from core.i18n import words
from core.store import Store
from tests.fakes.web import Site, Visitor, running, visiting

FOREIGN = words("zh-CN")("web.error.foreign")
SIGNED_OUT = words("zh-CN")("web.error.signed_out")


def hello() -> dict[str, str]:
    """A message as the page sends it."""
    return {"id": str(uuid4()), "text": "你好"}


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "{origin}.evil.example"},
        {"Origin": "{origin}@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {TOKEN_HEADER: "0" * 64},
        {TOKEN_HEADER: ""},
        {TOKEN_HEADER: "ключ"},
    ],
)
@pytest.mark.parametrize("what", ["messages", "clicks", "overview", "sign-out"])
async def test_change_from_elsewhere_is_refused(visitor: Visitor, what: str, changes: dict[str, str]) -> None:
    """The cookie alone proves nothing: origin and token must be ours as well."""
    filled = {name: value.format(origin=visitor.site.origin) for name, value in changes.items()}
    assert await visitor.post(what, hello(), **filled) == (403, {"error": FOREIGN})
    assert visitor.site.assistant.events == []


async def test_change_without_any_word_of_its_origin_is_refused(visitor: Visitor) -> None:
    """No browser in use sends neither header with a POST; a proxy that strips both must be noticed."""
    for name in ("Origin", "Sec-Fetch-Site"):
        del visitor.headers[name]
    assert await visitor.post("messages", hello()) == (403, {"error": FOREIGN})


@pytest.mark.parametrize("missing", ["Origin", "Sec-Fetch-Site"])
async def test_either_word_of_our_origin_is_enough(visitor: Visitor, missing: str) -> None:
    """Older web views send no `Sec-Fetch-Site`, and some browsers no `Origin` to the page's own site."""
    del visitor.headers[missing]
    assert (await visitor.post("messages", hello()))[0] == 202


async def test_public_address_is_an_origin_of_ours(sqlite_store: Store) -> None:
    """Behind a proxy that rewrites `Host`, the configured address tells what people see."""
    public = {"public_url": "http://xops.example.com/ops"}
    async with running(sqlite_store, server=public) as site, visiting(site) as visitor:
        await visitor.sign_on()
        ours = await visitor.post("messages", hello(), Origin="http://xops.example.com")
        other = await visitor.post("messages", hello(), Origin="http://xops.example.com:81")
    assert (ours[0], other[0]) == (202, 403)


async def test_token_of_another_session_is_refused(site: Site, visitor: Visitor) -> None:
    """Each session has a token of its own, even for the same person."""
    async with visiting(site) as other:
        await other.sign_on()
        stolen = other.headers[TOKEN_HEADER]
    assert await visitor.post("messages", hello(), **{TOKEN_HEADER: stolen}) == (403, {"error": FOREIGN})


@pytest.mark.parametrize("what", ["messages", "clicks", "overview", "sign-out"])
async def test_change_without_session_is_401(stranger: Visitor, what: str) -> None:
    """Told in words, so that the page can say it."""
    assert await stranger.post(what, hello()) == (401, {"error": SIGNED_OUT})


@pytest.mark.parametrize("what", ["stream", "older?before=9"])
async def test_reading_without_session_is_401(stranger: Visitor, what: str) -> None:
    """The dialogue is as private as the page."""
    async with stranger.session.get(f"{stranger.site.url}/{what}") as answer:
        assert (answer.status, await answer.json()) == (401, {"error": SIGNED_OUT})


async def test_every_answer_is_protected(visitor: Visitor) -> None:
    """Page, file, redirection, refusal and nothing-here alike: no framing, no sniffing, no foreign or inline script."""
    answers = [
        visitor.session.get(visitor.site.url),
        visitor.session.get(visitor.site.origin + assets()["page.js"].url),
        visitor.session.get(visitor.site.url, params={"lang": "en"}, allow_redirects=False),
        visitor.session.post(f"{visitor.site.url}/messages"),
        visitor.session.get(f"{visitor.site.url}/nothing"),
    ]
    for request in answers:
        async with request as answer:
            assert (HEADERS | {"Content-Security-Policy": POLICY}).items() <= dict(answer.headers).items()


def test_policy_allows_nothing_inline() -> None:
    """Injected markup could not run even if it got into the page."""
    policy = dict(part.strip().split(" ", 1) for part in POLICY.split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in POLICY


async def test_page_obeys_its_own_policy(visitor: Visitor) -> None:
    """Nothing inline, nothing from another host."""
    await visitor.say("日志")
    page = await visitor.page()
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page) == []
    assert all(
        address.startswith(PAGE) for address in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)
    )


async def test_page_is_kept_by_nobody(visitor: Visitor) -> None:
    """What it shows is private and changes all the time."""
    async with visitor.session.get(visitor.site.url) as answer:
        assert answer.headers["Cache-Control"] == "no-store"


async def test_files_are_kept_for_ever_under_their_digest(stranger: Visitor) -> None:
    """Needed by the sign-on form too, so they are open to everyone."""
    for asset in assets().values():
        async with stranger.session.get(stranger.site.origin + asset.url) as answer:
            assert (answer.status, await answer.read()) == (200, asset.body)
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert "Content-Encoding" in answer.headers


@pytest.mark.parametrize(
    "path", ["0123456789abcdef/page.js", "0123456789abcdef/..%2froutes.py", "%2e%2e/%2e%2e/gate.py"]
)
async def test_other_files_do_not_exist(stranger: Visitor, path: str) -> None:
    """Neither those of another release, nor anything outside the folder."""
    async with stranger.session.get(URL(f"{stranger.site.url}/static/{path}", encoded=True)) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-CN"),
        ("*", "zh-CN"),
        ("fr,de", "zh-CN"),
        ("de, en-GB;q=0.5", "en"),
        ("zh-Hant,en", "zh-TW"),
        (",;q=", "zh-CN"),
    ],
)
def test_preferred_language(header: str, language: str) -> None:
    """The first of the browser's that we speak; else the configured one."""
    assert preferred(header, "zh-CN") == language
