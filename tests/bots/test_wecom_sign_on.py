"""Opening the page inside WeCom: the browser goes to WeCom's own page and back, once, in this browser, and soon."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http.cookies import Morsel

import pytest
from aiohttp import web
from yarl import URL

from bots.messenger import PAGE, Surroundings
from bots.web.gate import ATTEMPT_COOKIE, COOKIE
from bots.wecom.messenger import wecom as wecom_app
from core.http import Http
from core.i18n import words
from core.store import Store
from tests.bots.wecom_page import AGENT, page_inside
from tests.fakes.clock import Clock
from tests.fakes.web import Site, Visitor, references, settings_of, visiting
from tests.fakes.wecom import FakeWeCom

SAY = words("zh-CN")


@dataclass
class Answer:
    """What a browser got."""

    status: int
    text: str
    location: URL


class Browser(Visitor):
    """WeCom's own, one step at a time."""

    async def get(self, address: str | URL, **query: str) -> Answer:
        """Open an address, following nothing."""
        target = URL(address).extend_query(query)
        async with self.session.get(target, allow_redirects=False, headers={"User-Agent": AGENT}) as answer:
            return Answer(answer.status, await answer.text(), URL(answer.headers.get("Location", "")))

    async def come_back(self) -> URL:
        """Where WeCom sends the browser that opened the page."""
        return (await self.get((await self.get(self.site.url)).location)).location

    def cookie(self, name: str) -> Morsel[str] | None:
        """A cookie the browser has."""
        return next((morsel for morsel in self.session.cookie_jar if morsel.key == name), None)


@pytest.fixture
async def site(wecom: FakeWeCom, sqlite_store: Store) -> AsyncGenerator[Site]:
    async with page_inside(wecom, sqlite_store) as running_site:
        yield running_site


@pytest.fixture
async def browser(site: Site) -> AsyncGenerator[Browser]:
    async with visiting(site) as someone:
        yield Browser(site, someone.session)


async def test_whoever_wecom_names_and_the_settings_list_is_signed_on(browser: Browser) -> None:
    """As the same person as in the chat, at the place a card led to, without a word of WeCom's left in the address."""
    away = await browser.get(browser.site.url, at="demo:20260301/t_1", lang="en")
    back = await browser.get(away.location)
    on = await browser.get(back.location)

    assert (away.status, back.status, on.status) == (303, 302, 303)
    assert on.location == URL(PAGE).with_query(at="demo:20260301/t_1")
    page = await browser.get(browser.site.origin + str(on.location))
    assert references(page.text) == ["overview:web:ann@web"]
    assert 'data-place="demo:20260301/t_1"' in page.text
    assert '<html lang="en">' in page.text


async def test_wecom_is_asked_for_the_account_only_and_to_come_back_to_us(wecom: FakeWeCom, browser: Browser) -> None:
    """Whatever the page's own address carries; a silent scope, an address of the settings, a state of letters and digits."""
    away = await browser.get(browser.site.url, redirect_uri="https://evil.example", at="//evil.example\r\nX: y")

    asked = away.location.query
    assert asked["scope"] == "snsapi_base"
    assert asked["redirect_uri"] == f"{browser.site.url}/sign-on/wecom"
    assert asked["state"].isalnum()
    assert (asked["appid"], asked["agentid"]) == (wecom.settings.corp_id, "1000002")
    assert away.location.fragment == "wechat_redirect"
    assert (await browser.get((await browser.get(away.location)).location)).location == URL(PAGE)


async def test_the_state_is_kept_out_of_reach_and_used_once(browser: Browser) -> None:
    back = await browser.come_back()
    kept = browser.cookie(ATTEMPT_COOKIE)
    assert kept is not None
    assert (kept["httponly"], kept["samesite"], kept["path"], kept["max-age"]) == (True, "Lax", PAGE, "300")

    assert (await browser.get(back)).status == 303
    assert browser.cookie(ATTEMPT_COOKIE) is None
    assert (await browser.get(back)).status == 400


@pytest.mark.parametrize("changed", [{"state": "0" * 32}, {"state": ""}, {"state": "ключ"}, {"code": ""}])
async def test_a_return_that_this_browser_did_not_start_is_not_even_looked_at(
    wecom: FakeWeCom, browser: Browser, changed: dict[str, str]
) -> None:
    back = await browser.come_back()

    refused = await browser.get(back.update_query(changed))

    assert (refused.status, browser.cookie(COOKIE)) == (400, None)
    assert SAY("web.error.sign_on_over") in refused.text
    assert "auth/getuserinfo" not in wecom.calls


async def test_nobody_signs_another_browser_on_with_a_link(wecom: FakeWeCom, site: Site, browser: Browser) -> None:
    """The author of the link would see what its victim writes. Nor can the victim's own departure be used for it."""
    planted = await browser.come_back()
    async with visiting(site) as someone:
        victim = Browser(site, someone.session)
        assert (await victim.get(planted)).status == 400
        await victim.come_back()
        assert (await victim.get(planted)).status == 400
        assert victim.cookie(COOKIE) is None
    assert "auth/getuserinfo" not in wecom.calls


async def test_a_session_is_no_attempt_and_an_attempt_no_session(browser: Browser) -> None:
    """Each cookie is signed for its own purpose."""
    await browser.come_back()
    kept = browser.cookie(ATTEMPT_COOKIE)
    assert kept is not None
    browser.session.cookie_jar.update_cookies({COOKIE: kept.value}, URL(browser.site.url))

    assert (await browser.get(browser.site.url)).status == 303


@pytest.mark.parametrize("late", ["browser", "wecom"])
async def test_who_comes_back_late_is_asked_to_start_again(
    clock: Clock, browser: Browser, wecom: FakeWeCom, late: str
) -> None:
    """By us, or by WeCom, whose codes live as long; and the page to try again keeps no code."""
    back = await browser.come_back()
    if late == "wecom":
        clock.now += 301
    else:
        browser.site.clock.advance(minutes=6)

    refused = await browser.get(back)

    assert refused.status == (401 if late == "wecom" else 400)
    assert f'href="{PAGE}"' in refused.text
    assert ("auth/getuserinfo" in wecom.calls) == (late == "wecom")


async def test_a_code_works_once(browser: Browser) -> None:
    """Also for the browser it was made for, in an attempt of its own."""
    first = await browser.come_back()
    await browser.get(first)
    browser.session.cookie_jar.clear()

    second = await browser.come_back()
    refused = await browser.get(second.update_query(code=first.query["code"]))

    assert (refused.status, browser.cookie(COOKIE)) == (401, None)


@pytest.mark.parametrize(("visitor", "key"), [("Bob", "web.error.not_listed"), ("zoe", "web.error.outsider")])
async def test_strangers_are_told_why_on_a_page(wecom: FakeWeCom, browser: Browser, visitor: str, key: str) -> None:
    """A colleague who is not listed, and someone whom WeCom has only an OpenId for. The token stays possible."""
    wecom.sign_on.visitor = visitor

    refused = await browser.get(await browser.come_back())

    assert (refused.status, browser.cookie(COOKIE)) == (403, None)
    assert SAY(key) in refused.text
    assert 'name="token"' in refused.text


async def test_wecom_out_of_reach_costs_no_attempt(wecom: FakeWeCom, browser: Browser) -> None:
    """The person sees a page, may try again at once, and is led to where the card pointed."""
    await browser.get(await browser.come_back())  # so that there is a token
    browser.session.cookie_jar.clear()
    for _ in range(6):
        away = await browser.get(browser.site.url, at="demo:1")
        back = await browser.get(away.location)
        wecom.trouble.answers.append(web.Response(status=502))
        refused = await browser.get(back.location)
        assert refused.status == 401
        assert f'href="{PAGE}?at=demo%3A1"' in refused.text
    assert (await browser.get(await browser.come_back())).status == 303


@pytest.mark.usefixtures("wecom")
async def test_other_browsers_get_the_form(browser: Visitor) -> None:
    assert 'name="token"' in await browser.page()
    assert (await browser.post("sign-on/wecom", {"code": "x"}))[0] == 404


async def test_without_a_public_address_there_is_no_way_back(wecom: FakeWeCom, sqlite_store: Store) -> None:
    """So people sign on with the token, instead of being sent to a dead end."""
    messenger = wecom_app(Surroundings(settings_of(wecom=wecom.settings), Http(), sqlite_store, "owner"))
    assert messenger is not None
    assert messenger.view is None
