"""WeCom's rules for template cards and texts, as far as its documentation tells, and what a reader sees of them."""

import re
from typing import Any

Json = dict[str, Any]

TEXT_BYTES, MARKDOWN_BYTES = 2048, 20480

KINDS = {
    "text_notice": "emphasis_content sub_title_text horizontal_content_list jump_list card_action action_menu quote_area",
    "button_interaction": "sub_title_text horizontal_content_list button_selection button_list card_action action_menu "
    "quote_area",
    "vote_interaction": "checkbox submit_button",
    "multiple_interaction": "select_list submit_button",
}
COMMON = {"card_type", "source", "main_title", "task_id", "replace_text"}
TASK = re.compile(r"[0-9a-zA-Z_\-@]{1,128}")


class CardRefused(Exception):
    """A card WeCom would not take."""


def check(card: Json) -> None:
    """Refuse what WeCom refuses or folds away; the smaller of the limits of apps and AI bots count.

    Raises:
        CardRefused: with the reason.
    """
    kind = card.get("card_type", "")
    _demand(kind in KINDS, f"card_type {kind!r}")
    _demand(card.keys() <= {*COMMON, *KINDS[kind].split()}, f"unknown property: {card.keys()}")
    title = card.get("main_title", {})
    _demand(title.keys() <= {"title", "desc"} and bool(title.get("title")), "no title")
    _long(title["title"], 26, "title")
    _long(title.get("desc", ""), 30, "title's desc")
    _long(card.get("sub_title_text", ""), 112, "sub_title_text")
    for entry in _several(card, "horizontal_content_list", 6):
        _demand(entry.keys() == {"keyname", "value"} and bool(entry["keyname"]), "horizontal content")
        _long(entry["keyname"], 5, "keyname")
        _long(entry["value"], 26, "value")
    _pressable(card, kind)
    _demand(isinstance(card.get("task_id"), str) and bool(TASK.fullmatch(card["task_id"])), "task_id")


def answers_clicks(card: Json) -> bool:
    """Whether a press leads to a callback; only such cards can be edited."""
    return card["card_type"] != "text_notice" or "action_menu" in card


def shown(card: Json) -> str:
    """What a reader sees of a card, without its buttons."""
    title = card["main_title"]
    lines = [title["title"], title.get("desc", ""), card.get("sub_title_text", "")]
    lines += [f"{entry['keyname']}: {entry['value']}" for entry in card.get("horizontal_content_list", ())]
    return "\n".join(filter(None, lines))


def labels(card: Json) -> list[str]:
    """The buttons of a card."""
    submit = [card["submit_button"]["text"]] if "submit_button" in card else []
    return [*(button["text"] for button in card.get("button_list", ())), *submit]


def key_of(card: Json, label: str) -> str:
    """The key behind a button or an entry of the menu."""
    offered = [*card.get("button_list", ()), *card.get("action_menu", {}).get("action_list", ())]
    offered += [card["submit_button"]] if "submit_button" in card else []
    return next(button["key"] for button in offered if button["text"] == label)


def lists(card: Json) -> list[Json]:
    """Everything in a card where one chooses."""
    return [*([card["button_selection"]] if "button_selection" in card else []), *card.get("select_list", ())]


def read_text(content: str) -> str:
    """What a reader sees of a text message: links as their labels."""
    return re.sub(r'<a href="[^"]*">(.*?)</a>', r"\1", content, flags=re.DOTALL).replace("\u200b", "")


def read_markdown(content: str) -> str:
    """What a reader sees of markdown, taken for CommonMark with tables."""
    lines: list[str] = []
    fenced = False
    for line in content.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            lines.append(line.replace("\u200b", ""))
        elif not re.fullmatch(r"\|(---\|)+", line):
            lines.append(_inline(line))
    return "\n".join(lines)


def _inline(line: str) -> str:
    """One line with its markup taken as meant; what is escaped stays."""
    kept = re.sub(r"\\([!-/:-@\[-`{-~])", lambda found: f"\ue000{ord(found[1]):04x}", line)
    if kept.startswith("| ") and kept.endswith(" |"):
        kept = kept[2:-2]
    kept = re.sub(r"^(#{1,6}|>|[-+*]|\d+[.)])\s+", "", kept)
    kept = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", kept)
    kept = re.sub(r"<[A-Za-z/@!][^>]*>", "", kept)
    kept = re.sub(r"\*\*|\*|~~|`|(?<![^\W_])_+|_+(?![^\W_])", "", kept)
    kept = re.sub(r"&#?\w+;", "?", kept)
    return re.sub("\ue000([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), kept).replace("\u00a0", " ")


def _pressable(card: Json, kind: str) -> None:
    keys = [button["key"] for button in _several(card, "button_list", 6)]
    for button in card.get("button_list", ()):
        _demand(button.keys() == {"text", "style", "key"} and button["style"] in {1, 2, 3, 4}, "button")
        _demand(bool(button["text"]), "button without text")
        _long(button["text"], 10, "button")
    for action in _several(card.get("action_menu", {}), "action_list", 3):
        keys.append(action["key"])
    if submit := card.get("submit_button"):
        _demand(bool(submit["text"]), "submit without text")
        _long(submit["text"], 10, "submit")
        keys.append(submit["key"])
    _demand(len(set(keys)) == len(keys), "a key twice")
    _demand(all(0 < len(key.encode()) <= 1024 for key in keys), "a key of more than 1024 bytes")
    _several(card, "select_list", 3)
    for one in lists(card):
        _list(one)
    if kind == "button_interaction":
        _demand(bool(card.get("button_list")), "no buttons")
    if kind == "multiple_interaction":
        _demand(bool(card.get("select_list")) and "submit_button" in card, "no lists")
    if kind == "text_notice":
        action = card.get("card_action", {})
        _demand(action.get("type") == 1 and bool(action.get("url")), "card_action")


def _list(one: Json) -> None:
    ids = [option["id"] for option in one["option_list"]]
    _demand(1 <= len(ids) <= 10 and len(set(ids)) == len(ids), "options")
    _demand(all(0 < len(number.encode()) <= 128 for number in ids), "id of an option")
    _demand(one["selected_id"] in ids and bool(one["question_key"]), "selector")
    _long(one["title"], 13, "selector's title")
    for option in one["option_list"]:
        _demand(bool(option["text"]), "option without text")
        _long(option["text"], 10, "option")


def _several(node: Json, name: str, most: int) -> list[Json]:
    found = node.get(name, [])
    _demand(len(found) <= most, f"more than {most} in {name}")
    return found


def _long(text: str, most: int, where: str) -> None:
    _demand(len(text) <= most, f"{where} is longer than {most}: {text!r}")


def _demand(true: bool, why: str) -> None:
    if not true:
        raise CardRefused(why)
