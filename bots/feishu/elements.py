"""The components of Feishu's card JSON 2.0 that X-Ops uses, and how text is kept literal in each of them.

Card 2.0 refuses properties it does not know, so every property here is one of its documentation ("卡片 JSON 2.0 结构").
Text goes into `plain_text` wherever layout allows: nothing is ever interpreted there. Where markdown is needed for
colour or monospace, `escape` and `code` take its meaning away.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from core.cards import Button, Input, Tone
from core.i18n import Words, words

Element = dict[str, Any]

LABEL = 100
"""Most characters on a button or a menu's option."""

INPUT = 1000
"""Most characters an input takes."""

TEMPLATES: Mapping[Tone, str] = {
    "neutral": "default",
    "info": "blue",
    "success": "green",
    "warning": "orange",
    "danger": "red",
}
COLOURS: Mapping[Tone, str] = {**TEMPLATES, "neutral": "grey"}
CHART_COLOURS: Mapping[Tone, str] = {
    "neutral": "#8F959E",
    "info": "#3370FF",
    "success": "#34C724",
    "warning": "#FF8800",
    "danger": "#F54A45",
}
LOCALES = {"zh_cn": "zh-CN", "zh_tw": "zh-TW", "zh_hk": "zh-TW", "en_us": "en"}
_SPECIAL = re.compile(r"(?m:^[ \t]+)|[&<>*_~`\[\]()\\#!|$:+\-=\"'/]|(?<=\d)\.(?=\s)")
_TAG = re.compile(
    r"<(?=/?(?:at|a|person|font|link|raw|text_tag|number_tag|local_datetime|br|hr|img)\b)|`(?=``)", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INVISIBLE = "\u200b"


def escape(text: str) -> str:
    """Text as markdown that shows exactly this text. The documentation asks for numeric HTML entities."""
    return _SPECIAL.sub(lambda found: "".join(f"&#{ord(character)};" for character in found[0]), text)


def code(lines: Iterable[str]) -> Element:
    """Monospaced lines.

    Entities are not read inside a code block, so tags and fences are broken with an invisible character instead; no line
    may start with a fence anyway, which the caller's line numbers see to.
    """
    content = "\n".join(_TAG.sub(lambda found: found[0] + _INVISIBLE, line) for line in lines)
    return markdown(f"```plain_text\n{content}\n```")


def markdown(content: str) -> Element:
    """Markdown whose variable parts went through `escape`."""
    return {"tag": "markdown", "content": content}


def plain(text: str) -> Element:
    """Text that is never interpreted, as part of a component."""
    return {"tag": "plain_text", "content": text}


def worded(key: str, **values: object) -> Element:
    """One of our own sentences, shown to each reader in the language of their Feishu.

    Args:
        key: name in the catalogues.
        **values: fill the sentence.
    """
    return spoken(lambda say: say(key, **values))


def spoken(sentence: Callable[[Words], str]) -> Element:
    """A sentence of ours in every language; Feishu picks the reader's."""
    texts = {locale: sentence(words(language)) for locale, language in LOCALES.items()}
    return {**plain(texts["zh_cn"]), "i18n_content": texts}


def paragraph(text: Element, *, size: str = "normal", colour: str = "default") -> Element:
    """A paragraph of plain text."""
    return {"tag": "div", "text": {**text, "text_size": size, "text_color": colour}}


def panel(title: Element, elements: list[Element], *, expanded: bool) -> Element:
    """A part that folds away, but for its title."""
    return {"tag": "collapsible_panel", "expanded": expanded, "header": {"title": title}, "elements": elements}


def columns(cells: Iterable[list[Element]], *, flow: bool) -> Element:
    """Cells beside each other.

    Args:
        cells: what is in each.
        flow: as wide as needed and wrapping, for buttons; otherwise of equal width, below each other on phones.
    """
    width = {"width": "auto"} if flow else {"width": "weighted", "weight": 1}
    return {
        "tag": "column_set",
        "flex_mode": "flow" if flow else "stretch",
        "columns": [{"tag": "column", **width, "elements": cell} for cell in cells],
    }


def press(button: Button, place: str, **more: object) -> Element:
    """What a press of this button sends back; `bots.feishu.inbound` reads it.

    Args:
        button: ours.
        place: kind of chat and thread, which a callback does not tell otherwise.
        **more: makes the value unique where Feishu demands it.
    """
    return {"command": button.command, "arguments": dict(button.arguments), "place": place, **more}


def pressed(button: Button, place: str) -> Element:
    """A button."""
    behaviour = (
        {"type": "open_url", "default_url": button.url}
        if button.url
        else {"type": "callback", "value": press(button, place)}
    )
    return {"tag": "button", "text": plain(_label(button.label)), "type": button.style, "behaviors": [behaviour]}


def opened(label: Element, url: str) -> Element:
    """A button that opens an address."""
    return {"tag": "button", "text": label, "type": "default", "behaviors": [{"type": "open_url", "default_url": url}]}


def overflow(buttons: Iterable[Button], place: str) -> Element:
    """A menu of the buttons that did not fit. Options must differ, hence the number."""
    return {
        "tag": "overflow",
        "options": [
            {
                "text": plain(_label(button.label)),
                **({"multi_url": {"url": button.url}} if button.url else {}),
                "value": orjson.dumps(press(button, place, n=number)).decode(),
            }
            for number, button in enumerate(buttons)
        ],
    }


def field(item: Input, number: int) -> list[Element]:
    """An input with its label. Names must be unique in a card, hence the number."""
    name = f"{number}.{item.name}"
    label = plain(_label(item.label))
    match item.kind:
        case "date":
            initial = {"initial_date": item.value} if _DATE.fullmatch(item.value) else {}
            return [paragraph(label), {"tag": "date_picker", "name": name, "required": item.required, **initial}]
        case "select":
            labels = dict(item.options)  # one option a value, as Feishu demands
            chosen = {"initial_index": [*labels].index(item.value) + 1} if item.value in labels else {}
            options = [{"text": plain(_label(text)), "value": value} for value, text in labels.items()]
            select = {"tag": "select_static", "name": name, "required": item.required, "options": options, **chosen}
            return [paragraph(label), select]
        case "text" | "multiline":
            multiline = {"input_type": "multiline_text", "rows": 3} if item.kind == "multiline" else {}
            value = {"default_value": item.value[:INPUT]} if item.value else {}
            return [
                {
                    "tag": "input",
                    "name": name,
                    "label": label,
                    "required": item.required,
                    "max_length": INPUT,
                    "width": "fill",
                    **multiline,
                    **value,
                }
            ]


def submit(button: Button, place: str, number: int) -> Element:
    """The button that sends a form. The value is in its name too, since a form may come back without the value."""
    return {
        **pressed(button, place),
        "name": orjson.dumps(press(button, place, n=number)).decode(),
        "form_action_type": "submit",
    }


def _label(text: str) -> str:
    return text if len(text) <= LABEL else f"{text[: LABEL - 1]}…"
