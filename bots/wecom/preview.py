"""WeCom's messages and template cards as HTML, near enough to judge them by: for `xops cards`, never for a reader's page.

It draws the messages that would be sent for one card, in their order, so what was left out is missing here too.
"""

import re
from collections.abc import Iterator
from html import escape, unescape

from bots.drawing import INVISIBLE, drawn
from bots.wecom.cards import Surface, render
from bots.wecom.elements import Json
from bots.wecom.prose import PLAIN
from core.cards import Card
from core.i18n import Words

STYLE = """
.wecom { font: 14px/1.5 system-ui, sans-serif; color: #1a1a1a; border-radius: 6px; background: #fff; padding: 10px 12px; margin-bottom: 8px; overflow-wrap: anywhere }
.wecom p { margin: 0 0 6px } .wecom p.text { white-space: pre-wrap } .wecom .link { color: #2e71c9 }
.wecom h4 { margin: 0; font-size: 15px } .wecom small { display: block; color: #808080; margin-bottom: 6px }
.wecom pre { margin: 0 0 6px; padding: 6px; background: #f5f6f7; overflow-x: auto; font-size: 12px }
.wecom table { border-collapse: collapse; font-size: 12px; margin-bottom: 6px } .wecom td { border: 1px solid #dee0e3; padding: 2px 6px }
.wecom dl { display: grid; grid-template-columns: 6em 1fr; margin: 0 0 6px } .wecom dt { color: #808080 } .wecom dd { margin: 0 }
.wecom label { display: block; margin-bottom: 6px } .wecom nav { display: grid; gap: 6px; grid-template-columns: 1fr 1fr }
.wecom button { font: inherit; padding: 4px; border: 0; border-radius: 4px; background: #f2f2f2 }
.wecom button.s1 { color: #fff; background: #2e71c9 } .wecom button.s3 { color: #d83931 }
"""  # noqa: E501  # a rule a line

_LINK = re.compile(r'<a href="[^"]*">(.*?)</a>', re.DOTALL)


def draw(card: Card, surface: Surface, say: Words) -> str:
    """Every message of the card, as HTML without a script. Arguments as of `bots.wecom.cards.render`."""
    made = render(card, surface, say, task="preview", edition=1)
    texts = (_plain(text) if surface.style is PLAIN else drawn(text) for text in made.texts)
    shown = [*texts, *("".join(_card(body)) for body in made.cards)]
    return "".join(f'<article class="wecom">{message}</article>' for message in shown)


def _plain(text: str) -> str:
    """Literal text whose only markup is links; what it says of them stands between them."""
    parts = enumerate(_LINK.split(text.replace(INVISIBLE, "")))
    return f'<p class="text">{"".join(_linked(part) if at % 2 else escape(part) for at, part in parts)}</p>'


def _linked(label: str) -> str:
    return f'<span class="link">{escape(unescape(label))}</span>'


def _card(body: Json) -> Iterator[str]:
    head = body["main_title"]
    yield f"<h4>{escape(head['title'])}</h4><small>{escape(head.get('desc', ''))}</small>"
    if text := body.get("sub_title_text"):
        yield f'<p class="text">{escape(text)}</p>'
    if listed := body.get("horizontal_content_list"):
        pairs = (f"<dt>{escape(one['keyname'])}</dt><dd>{escape(one['value'])}</dd>" for one in listed)
        yield f"<dl>{''.join(pairs)}</dl>"
    for one in filter(None, (body.get("button_selection"), *body.get("select_list", ()))):
        options = "".join(f"<option>{escape(option['text'])}</option>" for option in one["option_list"])
        yield f"<label>{escape(one['title'])} <select>{options}</select></label>"
    pressed = [*body.get("button_list", ()), *filter(None, (body.get("submit_button"),))]
    pressed += body.get("action_menu", {}).get("action_list", ())
    buttons = (f'<button class="s{one.get("style", 2)}">{escape(one["text"])}</button>' for one in pressed)
    yield f"<nav>{''.join(buttons)}</nav>"
