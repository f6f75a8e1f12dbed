"""`xops cards`: the demonstration's answers side by side, as each platform shows them.

The cards are not samples: the demonstration is asked, and what it answers is drawn. A platform is one function in
`PLATFORMS`, from a card to HTML; each is drawn in a shadow root of its own, so that no platform's style touches another's.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bots.messenger import PAGE
from bots.output import configured, print_text
from core.cards import Card
from core.i18n import Words, words

if TYPE_CHECKING:
    from aiohttp import web

    from core.settings import Settings

ASKED = (
    "/overview",
    "/failed",
    "/repeated",
    "dws_trade_order_di 为什么失败了",
    "/log dws_trade_order_di",
    "/downstream dws_trade_order_di",
    "/table dws_trade_order_di",
    "重跑 dws_trade_order_di",
    "/status dws_trade",
    "/status no_such_task",
    "/help",
    "/whoami",
)

ADDRESS = f"https://xops.example.com{PAGE}"
"""Where the links on the drawn cards lead."""

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 24px; background: #eceef1 }
section { display: grid; grid-template-columns: repeat(var(--platforms), minmax(300px, 1fr)); gap: 16px; margin-bottom: 32px }
h2 { font-size: 15px } h3 { font-size: 12px; color: #5c6370; margin: 0 0 4px } section > div { overflow-x: auto }
"""


def cards(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("cards.html"),
    port: Annotated[int, typer.Option(help="Serve the page on this port instead.")] = 0,
) -> None:
    """Draw the demonstration's cards on every platform, side by side, into one HTML page."""
    asyncio.run(_cards(configured("error"), path, port))


async def _cards(settings: "Settings", path: Path, port: int) -> None:
    page = await gallery(settings)
    if port:
        async with _serving(page, port) as address:
            print_text(f"X-Ops shows its cards: {address}")
            await asyncio.Event().wait()
    await asyncio.to_thread(path.write_text, page, "utf-8")
    print_text(str(path))


async def gallery(settings: "Settings") -> str:
    """The page, in the language of the settings. Nothing else of them is used: no scheduler and no chat is touched."""
    say, zone = words(settings.language), ZoneInfo(settings.zone)
    sections = [_section(asked, card, say, zone) for asked, card in await _answers(settings)]
    style = f"<style>{STYLE}</style>"
    return (
        f'<!doctype html><html lang="{settings.language}" style="--platforms: {len(PLATFORMS)}"><meta charset="utf-8">'
        f"<title>{escape(say('web.title'))}</title>{style}<body>{''.join(sections)}</body></html>"
    )


async def _answers(settings: "Settings") -> list[tuple[str, Card]]:
    from bots.app import running
    from core.messages import Actor, Conversation, Message

    found: list[tuple[str, Card]] = []
    with tempfile.TemporaryDirectory() as folder:
        async with running(_demonstration(settings, folder), accepting=False) as application:
            for number, text in enumerate(ASKED):
                place, actor = Conversation("terminal", str(number)), Actor("terminal", "demo")
                message = Message(str(number), place, actor, text, datetime.now(UTC))
                reply = await application.engine.reply(message, lambda _step: None)
                found += [(text, card) for card in reply.cards]
    return found


def _demonstration(settings: "Settings", folder: str) -> "Settings":
    from pydantic import SecretStr

    from core.settings import PersonSettings, Settings, Storage

    plain = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    demo = PersonSettings(name="demo", role="admin", projects=("*",), owners=("陈晓雯",))
    storage = Storage(url=SecretStr(f"sqlite:///{folder}/cards.sqlite"))
    own = {"language": settings.language, "zone": settings.zone, "storage": storage, "people": (demo,)}
    return Settings.model_validate({**plain, **own})


def _section(asked: str, card: Card, say: Words, zone: ZoneInfo) -> str:
    drawn = "".join(
        f'<div><h3>{name}</h3><div><template shadowrootmode="open">{draw(card, say, zone)}</template></div></div>'
        for name, draw in PLATFORMS.items()
    )
    return f"<h2>{escape(asked)}</h2><section>{drawn}</section>"


def _as_text(card: Card, _say: Words, _zone: ZoneInfo) -> str:
    style = "pre { font: 12px/1.5 monospace; white-space: pre-wrap; overflow-wrap: anywhere; background: #fff; padding: 12px }"
    return f"<style>{style}</style><pre>{escape(card.as_text())}</pre>"


def _as_page(card: Card, say: Words, zone: ZoneInfo) -> str:
    from bots.web.assets import assets
    from bots.web.render import Renderer
    from core.web_cards import Entry

    entry = Entry("", "", 0, 0, "card", card, datetime.now(UTC))
    style = assets()["page.css"].body.decode().replace(":root", ":host")
    return f"<style>{style}</style>{Renderer(zone).entry(entry, say)}"


def _as_feishu(card: Card, _say: Words, _zone: ZoneInfo) -> str:
    from bots.feishu import preview

    return f"<style>{preview.STYLE}</style>{preview.draw(card, ADDRESS)}"


def _as_dingtalk_card(card: Card, say: Words, _zone: ZoneInfo) -> str:
    from bots.dingtalk import preview

    return f"<style>{preview.STYLE}</style>{preview.draw_card(card, say, ADDRESS)}"


def _as_dingtalk_message(card: Card, say: Words, _zone: ZoneInfo) -> str:
    from bots.dingtalk import preview

    return f"<style>{preview.STYLE}</style>{preview.draw_message(card, say, ADDRESS)}"


def _as_wecom_app(card: Card, say: Words, _zone: ZoneInfo) -> str:
    from bots.wecom import cards, preview

    return f"<style>{preview.STYLE}</style>{preview.draw(card, cards.app_surface(ADDRESS), say)}"


def _as_wecom_bot(card: Card, say: Words, _zone: ZoneInfo) -> str:
    from bots.wecom import cards, preview

    return f"<style>{preview.STYLE}</style>{preview.draw(card, cards.bot_surface(ADDRESS), say)}"


PLATFORMS: Mapping[str, Callable[[Card, Words, ZoneInfo], str]] = {
    "Text": _as_text,
    "Web": _as_page,
    "Feishu": _as_feishu,
    "DingTalk, card": _as_dingtalk_card,
    "DingTalk, message": _as_dingtalk_message,
    "WeCom, app": _as_wecom_app,
    "WeCom, AI bot": _as_wecom_bot,
}
"""One function a platform."""


@asynccontextmanager
async def _serving(page: str, port: int) -> AsyncGenerator[str]:
    from aiohttp import web

    async def show(_request: web.Request) -> "web.Response":
        return web.Response(text=page, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", show)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()
