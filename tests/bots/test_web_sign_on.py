"""Signing on: who gets in, for how long, and what a thief or a guesser gets."""

import asyncio
import hmac
from datetime import timedelta
from http.cookies import Morsel

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.messenger import PAGE
from bots.web.gate import COOKIE
from bots.web.session import ADDRESSES, ATTEMPTS, Sessions
from core.errors import Busy
from core.i18n import words
from core.store import Store
from tests.fakes.web import TOKEN, Clock, Visitor, references, running, settings_of, visiting


def sessions(**web: object) -> Sessions:
    """Sessions of a process that needs no database."""
    return Sessions(settings_of(web={"sign_on_token": TOKEN, **web}), b"secret", clock=Clock())


def cookie(visitor: Visitor) -> Morsel[str]:
    """The session's cookie as the browser keeps it."""
    return next(morsel for morsel in visitor.session.cookie_jar if morsel.key == COOKIE)


async def test_a_stranger_sees_the_form_and_nothing_else(stranger: Visitor) -> None:
    """No overview, no dialogue, no session before the token."""
    page = await stranger.page()
    assert 'name="token"' in page
    assert references(page) == []
    assert len(stranger.session.cookie_jar) == 0


async def test_token_in_the_address_signs_on_and_leaves_the_address(stranger: Visitor) -> None:
    """The token must not stay where screenshots, histories and referrers take it along."""
    address = stranger.site.url
    async with stranger.session.get(address, params={"token": TOKEN}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, PAGE)
    assert references(await stranger.page()) == ["overview:web:demo"]


async def test_form_signs_on(stranger: Visitor) -> None:
    """The way for people who were given the token by word of mouth."""
    address = f"{stranger.site.url}/sign-on"
    async with stranger.session.post(address, data={"token": TOKEN}, headers=stranger.headers) as answer:
        assert references(await answer.text()) == ["overview:web:demo"]


async def test_form_sent_by_a_foreign_page_is_refused(stranger: Visitor) -> None:
    """Nobody is signed on as someone else by a page they happen to visit."""
    address, headers = f"{stranger.site.url}/sign-on", {"Origin": "https://evil.example"}
    async with stranger.session.post(address, data={"token": TOKEN}, headers=headers) as answer:
        assert answer.status == 403
    assert len(stranger.session.cookie_jar) == 0


@pytest.mark.parametrize("token", ["wrong", "", "ключ", TOKEN + "x", TOKEN[:-1]])
async def test_wrong_token_is_told_so_and_gets_no_session(stranger: Visitor, token: str) -> None:
    """Told on the form itself, where it can be corrected."""
    async with stranger.session.get(stranger.site.url, params={"token": token}) as answer:
        assert answer.status == 401
        assert words("zh-CN")("web.error.wrong_token") in await answer.text()
    assert len(stranger.session.cookie_jar) == 0


async def test_guessing_is_slowed_down_even_for_the_right_token(stranger: Visitor) -> None:
    """After five wrong ones the address waits a minute."""
    for _ in range(ATTEMPTS):
        await stranger.page(token="a guess")
    async with stranger.session.get(stranger.site.url, params={"token": TOKEN}) as answer:
        assert answer.status == 429
        assert words("zh-CN")("web.error.too_many_attempts") in await answer.text()
    stranger.site.clock.advance(minutes=2)
    await stranger.sign_on()


def test_attempts_count_for_their_own_address_only() -> None:
    """One guesser locks out nobody else, and many guessers do not fill the memory."""
    made = sessions()
    for _ in range(ATTEMPTS):
        assert made.sign_on("a guess", "192.0.2.1") is None
    with pytest.raises(Busy):
        made.sign_on(TOKEN, "192.0.2.1")
    assert made.sign_on(TOKEN, "192.0.2.2") is not None
    for number in range(ADDRESSES):
        made.sign_on("a guess", f"2001:db8::{number:x}")
    assert made.sign_on(TOKEN, "192.0.2.1") is not None  # forgotten, longest unseen


@pytest.mark.parametrize(("public_url", "secure"), [("", False), ("https://xops.example.com", True)])
async def test_cookie_is_out_of_reach(sqlite_store: Store, public_url: str, secure: bool) -> None:
    """Not for scripts, not for other sites' requests, not over plain HTTP where there is HTTPS."""
    async with running(sqlite_store, server={"public_url": public_url}) as site, visiting(site) as visitor:
        async with visitor.session.get(site.url, params={"token": TOKEN}, allow_redirects=False) as answer:
            sent = answer.cookies[COOKIE]
        assert (sent["httponly"], sent["samesite"], sent["path"]) == (True, "Lax", "/")
        assert bool(sent["secure"]) == secure


async def test_redirection_cannot_be_led_elsewhere(stranger: Visitor) -> None:
    """Whatever the address carries, sign-on leads to the page."""
    query = {"token": TOKEN, "next": "//evil.example", "lang": "//evil.example\r\nX: y"}
    async with stranger.session.get(stranger.site.url, params=query, allow_redirects=False) as answer:
        assert answer.headers["Location"] == PAGE


async def test_sign_on_never_keeps_a_planted_session(visitor: Visitor) -> None:
    """A second sign-on makes a new session, so a cookie someone planted is not the one that becomes trusted."""
    before = cookie(visitor).value
    await visitor.sign_on()
    assert cookie(visitor).value != before


async def test_session_ends(visitor: Visitor) -> None:
    """After the configured hours the form is back."""
    visitor.site.clock.advance(hours=13)
    assert 'name="token"' in await visitor.page()


async def test_sign_out_takes_the_session_from_the_browser(visitor: Visitor) -> None:
    """And the form is back."""
    assert (await visitor.post("sign-out", {}))[0] == 200
    assert 'name="token"' in await visitor.page()


@pytest.mark.parametrize("configured", [TOKEN, ""])
async def test_session_outlives_the_process(store: Store, configured: str) -> None:
    """A restart, or another replica, knows the session; also where each start makes up a new token."""
    first, again = (running(store, web={"sign_on_token": configured}) for _ in range(2))
    async with first as site, visiting(site) as visitor:
        await visitor.sign_on()
        kept = cookie(visitor).value
    async with again as site, visiting(site) as visitor:
        visitor.session.cookie_jar.update_cookies({COOKIE: kept})
        assert references(await visitor.page()) == ["overview:web:demo"]


async def test_changing_the_token_signs_everybody_out(sqlite_store: Store) -> None:
    """The way to get rid of a leaked token also gets rid of whoever used it."""
    async with running(sqlite_store) as site, visiting(site) as visitor:
        await visitor.sign_on()
        kept = cookie(visitor).value
    async with running(sqlite_store, web={"sign_on_token": "another-long-token"}) as site, visiting(site) as visitor:
        visitor.session.cookie_jar.update_cookies({COOKIE: kept})
        assert 'name="token"' in await visitor.page()


async def test_replicas_starting_together_agree_on_the_secret(store: Store) -> None:
    """Whoever comes first decides, and the others use that."""
    async with running(store) as site:
        cards = site.channel.cards
        assert len(set(await asyncio.gather(*(cards.secret(bytes([number])) for number in range(8))))) == 1


def test_a_token_is_made_up_when_none_is_configured() -> None:
    """Different at each start, and too long to guess."""
    tokens = {sessions(sign_on_token="").sign_on_token for _ in range(3)}
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 32


def test_session_stands_for_the_configured_person() -> None:
    """By their identity on this channel; someone without one is a stranger, who may do nothing."""
    people = [{"name": "alice", "identities": {"web": "alice@web"}}, {"name": "bob"}]
    for name, subject in (("alice", "alice@web"), ("bob", "bob"), ("nobody", "nobody")):
        settings = settings_of(web={"sign_on_token": TOKEN, "person": name}, people=people)
        session = Sessions(settings, b"secret", clock=Clock()).sign_on(TOKEN, "")
        assert session is not None
        assert session.subject == subject


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[0-9a-f]{64}", fullmatch=True))
def test_no_made_up_cookie_opens(value: str) -> None:
    """Whatever a client sends, only what we sealed is a session; and it never raises."""
    assert sessions().open(value) is None


@given(st.data())
def test_no_altered_cookie_opens(data: st.DataObject) -> None:
    """Any one character changed, anywhere."""
    made = sessions()
    session = made.sign_on(TOKEN, "")
    assert session is not None
    sealed = made.seal(session)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed[at]))
    assert made.open(sealed) == session
    assert made.open(sealed[:at] + other + sealed[at + 1 :]) is None


def test_what_an_older_release_sealed_is_no_session_and_no_error() -> None:
    """After an upgrade people sign on again instead of seeing a failure."""
    body = b"e30="
    signature = hmac.new(hmac.digest(b"secret", TOKEN.encode(), "sha256"), b"session:" + body, "sha256").hexdigest()
    assert sessions().open(f"{body.decode()}.{signature}") is None


@pytest.mark.parametrize(
    ("query", "header", "spoken"),
    [
        ({}, "", "zh-CN"),
        ({}, "fr-FR, en;q=0.8", "en"),
        ({}, "zh-TW,zh;q=0.9,en;q=0.8", "zh-TW"),
        ({"lang": "en"}, "zh-CN", "en"),
        ({"lang": "zh-Hant-HK"}, "en", "zh-TW"),
    ],
)
async def test_language_of_a_stranger(stranger: Visitor, query: dict[str, str], header: str, spoken: str) -> None:
    """Asked for in the address, else preferred by the browser, else the configured one."""
    async with stranger.session.get(stranger.site.url, params=query, headers={"Accept-Language": header}) as answer:
        assert f'<html lang="{spoken}">' in await answer.text()


async def test_chosen_language_is_remembered(visitor: Visitor) -> None:
    """By the session; it is the language of the page, of errors, and of whatever is answered."""
    await visitor.page(lang="en")
    page = await visitor.page()
    assert '<html lang="en">' in page
    assert "demo en" in page  # the overview was made for that language
    assert (await visitor.post("messages", {}))[1] == {"error": words("en")("web.error.malformed")}
    await visitor.say("hello")
    assert visitor.site.assistant.events[0].actor.locale == "en"


def test_lifetime_is_what_is_configured() -> None:
    """The cookie's age follows the setting."""
    assert sessions(session_hours=2).lifetime == timedelta(hours=2)
