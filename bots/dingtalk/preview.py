"""DingTalk's card and message as HTML, near enough to judge one by: for `xops cards`, never for a reader's page.

It draws the values of the template and the markdown that would be sent, so what was left out is missing here too.
"""

from html import escape

import orjson

from bots.dingtalk.cards import message, variables
from bots.dingtalk.layout import SECTIONS
from bots.drawing import drawn
from core.cards import Card
from core.i18n import Words

STYLE = """
.dingtalk { font: 14px/1.5 system-ui, sans-serif; color: #171a1d; border-radius: 8px; background: #fff; padding: 10px 12px; overflow-wrap: anywhere }
.dingtalk p { margin: 0 0 6px } .dingtalk .link { color: #007fff }
.dingtalk pre { margin: 0 0 6px; padding: 6px; background: #f5f6f7; overflow-x: auto; font-size: 12px }
.dingtalk nav { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 8px }
.dingtalk button { font: inherit; padding: 3px 10px; border: 1px solid #d0d3d6; border-radius: 6px; background: #fff }
.dingtalk button.blue { color: #fff; background: #007fff; border-color: #007fff }
.dingtalk button.red { color: #fff; background: #ff5219; border-color: #ff5219 }
"""  # noqa: E501  # a rule a line


def draw_card(card: Card, say: Words, page: str) -> str:
    """The card of the template, as HTML without a script. Arguments as of `bots.dingtalk.cards.variables`."""
    values = variables(card, say, page)
    numbers = range(1, SECTIONS + 1)
    sections = (f"{drawn(values[f'text{number}'])}{_buttons(values[f'buttons{number}'])}" for number in numbers)
    return f'<article class="dingtalk">{drawn(values["header"])}{"".join(sections)}</article>'


def draw_message(card: Card, say: Words, page: str) -> str:
    """The markdown message of an app without a template, in the same way."""
    return f'<article class="dingtalk">{drawn(message(card, say, page))}</article>'


def _buttons(group: str) -> str:
    drawn = (f'<button class="{one["color"]}">{escape(one["text"])}</button>' for one in orjson.loads(group))
    return f"<nav>{found}</nav>" if (found := "".join(drawn)) else ""
