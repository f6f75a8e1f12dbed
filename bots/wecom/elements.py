"""The parts of WeCom's template cards that X-Ops uses, each within the smaller of the app's and the AI bot's limits.

Sources: developer.work.weixin.qq.com, paths 90236 (app) and 101032 (AI bot). Lengths are in characters, where WeCom folds
what is longer; `key`, `task_id` and the ids of options have hard limits in bytes, which ours never reach.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.cards import Button, Field, Input

Json = dict[str, Any]

TITLE, SUBTITLE, BODY = 26, 30, 112
LABEL, VALUE = 5, 26
BUTTON = 10
OPTION = 10
SELECTOR = 13
FIELDS, BUTTONS, OPTIONS, SELECTORS, MENU = 6, 6, 10, 3, 3

STYLES: Mapping[str, int] = {"primary": 1, "default": 2, "danger": 3}

WHICH = "which"
"""`question_key` of the list that says which item a button is about."""


def clip(text: str, most: int) -> str:
    """One line of at most so many characters; an ellipsis says that there is more."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def titled(title: str, subtitle: str) -> Json:
    """The head of a card. WeCom refuses a card without a title."""
    head = {"title": clip(title, TITLE) or "X-Ops"}
    return {**head, "desc": clip(subtitle, SUBTITLE)} if subtitle.strip() else head


def fields(items: Sequence[Field]) -> list[Json]:
    """Labelled values."""
    return [{"keyname": clip(item.label, LABEL) or "-", "value": clip(item.value, VALUE)} for item in items]


def button(offered: Button, label: str, key: str) -> Json:
    """A button; its label fits already."""
    return {"text": label, "style": STYLES[offered.style], "key": key}


def selector(title: str, key: str, options: Sequence[str], chosen: int = 0) -> Json:
    """A list to choose one of; options are known by their number."""
    return {
        "question_key": key,
        "title": clip(title, SELECTOR) or "-",
        "option_list": [{"id": str(number), "text": clip(text, OPTION) or "-"} for number, text in enumerate(options)],
        "selected_id": str(chosen),
    }


def choice(item: Input, key: str) -> Json:
    """An input of a form, with what is chosen already."""
    values = [value for value, _ in item.options]
    chosen = values.index(item.value) if item.value in values else 0
    return selector(item.label, key, [label for _, label in item.options], chosen)


def menu(label: str, offered: Sequence[tuple[str, str]]) -> Json:
    """The menu in the corner. A notice that has one can be edited."""
    return {
        "desc": clip(label, SELECTOR),
        "action_list": [{"text": clip(text, BUTTON), "key": key} for text, key in offered],
    }


def opening(url: str) -> Json:
    """What a press on the card itself opens."""
    return {"type": 1, "url": url}
