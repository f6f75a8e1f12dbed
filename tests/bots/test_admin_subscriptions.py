"""Subscriptions, follows and mutes on the page: what the commands do, by the same services, with the same rights."""

import html
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from core.i18n import LANGUAGES, words
from core.messages import Conversation
from tests.fakes.admin import Site, Visitor, administering

SAY = words("en")
HOSTILE = "<img src=x onerror=alert(1)>"
OPS_PRIVATE, OPS_GROUP = "web:ops", Conversation("feishu", "oc_1", "group")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """A running administration over the demonstration's night."""
    async with administering(tmp_path) as opened:
        yield opened


@pytest.fixture
async def ops(site: Site) -> AsyncGenerator[Visitor]:
    """The browser of an ops admin of the project `trade`."""
    async with site.visiting("ops") as opened:
        yield opened


def wanting(subject: str, kind: str = "owner", chat: str = OPS_PRIVATE, **more: str) -> dict[str, str]:
    """The form that subscribes, filled in."""
    return {
        f"subscribe-{name}": text for name, text in {"kind": kind, "subject": subject, "chat": chat, **more}.items()
    }


async def seen(visitor: Visitor) -> str:
    """The page as one reads it."""
    return html.unescape((await visitor.see("/subscriptions"))[1])


def ids(page: str) -> list[str]:
    """What can be ended, in reading order."""
    return re.findall(r'formaction="/admin/subscriptions/([^"/]+)/end"', page)


async def test_a_subscription_of_the_page_is_one_of_the_chat(site: Site, ops: Visitor) -> None:
    """Made here, listed in the chat; made in the chat, listed and ended here."""
    assert await ops.send("/subscriptions/subscribe", wanting("陈晓雯", severity="critical", quiet="22:00-08:00")) == (
        200,
        "/admin/subscriptions?done=subscribe",
    )
    person = site.application.access.named("ops")
    assert person is not None
    listed = await site.application.subscriptions.listed(person, Conversation("web", "ops"))
    assert [(one.subject, one.severity, one.quiet) for one in listed.subscriptions] == [
        ("陈晓雯", "critical", "22:00-08:00")
    ]
    await site.application.subscriptions.subscribe(person, OPS_GROUP, "project", "trade", "warning", "")
    page = await seen(ops)
    assert "Feishu: group oc_1" in page
    assert "Owner 陈晓雯" in page
    for id in ids(page):
        assert await ops.send(f"/subscriptions/{id}/end") == (200, "/admin/subscriptions?done=ended")
    assert ids(await seen(ops)) == []
    assert (await ops.send("/subscriptions/S-00000/end"))[0] == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (wanting("x", "weather"), "kind"),
        (wanting("x", severity="loud"), "severity"),
        (wanting("x", quiet="8-9"), "quiet"),
        (wanting(""), "subject"),
        (wanting("trade", "all"), "subject"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(ops: Visitor, sent: dict[str, str], field: str) -> None:
    """And what was entered is still there; with “All”, a name would promise less than what is subscribed to."""
    status, form = await ops.send("/subscriptions/subscribe", sent)
    assert status == 422
    assert re.search(rf'id="wrong-subscribe-{field}">{re.escape(SAY(f"admin.refused.{field}"))}<', html.unescape(form))
    assert ids(await seen(ops)) == []


async def test_a_name_that_is_nearly_one_offers_those_it_may_be(ops: Visitor) -> None:
    """Pressing one asks again with that."""
    status, form = await ops.send("/subscriptions/subscribe", wanting("dws_trade", "task"))
    meant = re.findall(r'name="subscribe-subject" value="([^"]+)"', form)
    assert (status, len(meant) > 1, SAY("admin.hearing.meant") in form) == (422, True, True)
    pressed = [*wanting("dws_trade", "task").items(), ("subscribe-subject", meant[0])]
    assert (await ops.send("/subscriptions/subscribe", pressed))[0] == 200
    assert meant[0] in await seen(ops)


async def test_nobody_reaches_a_chat_that_is_not_theirs(site: Site, ops: Visitor) -> None:
    """Neither by its key in a form, nor by the id of a subscription; nor with less than the right to look."""
    assert (await ops.send("/subscriptions/subscribe", wanting("someone")))[0] == 200
    (id,) = ids(await seen(ops))
    async with site.visiting("asker") as asker, site.visiting("nobody") as stranger:
        assert (await asker.send("/subscriptions/subscribe", wanting("someone")))[0] == 422
        assert (await asker.send(f"/subscriptions/{id}/end"))[0] == 404
        assert "someone" not in await seen(asker)
        assert (await stranger.see("/subscriptions"))[0] == 403
        assert (await stranger.send("/subscriptions/subscribe", wanting("x")))[0] == 403
    assert ids(await seen(ops)) == [id]


async def test_a_viewer_follows_and_lets_it_be(site: Site) -> None:
    """It is listed among their promises, with the button that ends it."""
    async with site.visiting("guest") as guest:
        assert (await guest.send("/subscriptions/follow", {"follow-subject": "", "follow-chat": "web:guest"}))[0] == 422
        following = {"follow-subject": "dws_trade_order_di", "follow-chat": "web:guest"}
        assert await guest.send("/subscriptions/follow", following) == (200, "/admin/subscriptions?done=follow")
        page = await seen(guest)
        assert "dws_trade_order_di" in page
        (id,) = ids(page)
        assert (await guest.send(f"/subscriptions/{id}/end"))[0] == 200
        assert ids(await seen(guest)) == []


async def test_a_mute_is_shown_with_what_it_hides_before_it_is_made(site: Site) -> None:
    """Everyone sees it; whoever made it, or an ops admin, ends it; viewers may not, and nobody for a year."""
    sent = {"mute-subject": "dws_trade_order_di", "mute-duration": "1h", "mute-chat": "web:root"}
    async with site.visiting("root") as root, site.visiting("guest") as guest, site.visiting("ops") as ops:
        assert (await root.send("/subscriptions/preview", sent | {"mute-subject": " "}))[0] == 422
        status, form = await root.send("/subscriptions/preview", sent)
        title = SAY("watches.preview.title", name="dws_trade_order_di")
        assert (status, title in html.unescape(form), 'formaction="/admin/subscriptions/mute"' in form) == (
            200,
            True,
            True,
        )
        assert ids(await seen(root)) == []
        assert (await guest.send("/subscriptions/mute", sent | {"mute-chat": "web:guest"}))[0] == 403
        assert (await root.send("/subscriptions/mute", sent | {"mute-duration": "365d"}))[0] == 403
        assert (await root.send("/subscriptions/mute", sent | {"mute-duration": "soon"}))[0] == 422
        assert (await root.send("/subscriptions/mute", sent))[0] == 200
        for visitor, may in ((root, True), (guest, False), (ops, True)):
            page = await seen(visitor)
            assert ("dws_trade_order_di" in page, bool(ids(page))) == (True, may)
        (id,) = ids(await seen(ops))
        assert (await guest.send(f"/subscriptions/{id}/end"))[0] == 404
        assert (await ops.send(f"/subscriptions/{id}/end"))[0] == 200


@pytest.mark.parametrize("language", LANGUAGES)
async def test_hostile_names_are_shown_and_not_obeyed(site: Site, language: str) -> None:
    """In every language, as a subject and in the form that comes back."""
    async with site.visiting("ops", language) as ops:
        assert (await ops.send("/subscriptions/subscribe", wanting(HOSTILE)))[0] == 200
        for page in (
            (await ops.see("/subscriptions"))[1],
            (await ops.send("/subscriptions/subscribe", wanting(HOSTILE, quiet=HOSTILE)))[1],
        ):
            assert (HOSTILE in page, HOSTILE in html.unescape(page)) == (False, True)
