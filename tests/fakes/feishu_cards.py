"""Feishu's rules for card JSON 2.0, as far as its documentation and seen refusals tell, and what a reader sees of a card.

The fake server refuses with the same codes: 230099, and the reason as `ErrCode` in the message.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

Json = dict[str, Any]

ELEMENTS = 200
TABLES = 3
DEPTH = 5
LABEL = 100

PROPERTIES = {
    "markdown": "content text_align text_size icon",
    "div": "text icon width",
    "plain_text": "content text_size text_color text_align lines i18n_content",
    "column_set": "flex_mode background_style horizontal_spacing horizontal_align columns action",
    "column": "width weight elements background_style direction padding vertical_align vertical_spacing horizontal_align",
    "button": "text type size width icon hover_tips disabled disabled_tips confirm behaviors name form_action_type",
    "overflow": "options width behaviors confirm",
    "form": "name elements direction padding vertical_spacing horizontal_spacing horizontal_align vertical_align",
    "select_static": "name options placeholder initial_option initial_index required type width behaviors disabled",
    "date_picker": "name initial_date placeholder required width behaviors disabled",
    "input": "name input_type max_length rows auto_resize max_rows label label_position default_value placeholder required "
    "width behaviors disabled",
    "collapsible_panel": "expanded header border elements background_color padding direction vertical_spacing",
    "table": "page_size row_height row_max_height freeze_first_column header_style columns rows",
    "chart": "aspect_ratio color_theme chart_spec preview height",
    "hr": "",
}
"""Every component we know and its properties; 2.0 refuses unknown ones."""

TOP = {"schema", "config", "header", "body", "card_link"}
CONFIG = {
    "update_multi",
    "streaming_mode",
    "streaming_config",
    "summary",
    "locales",
    "enable_forward",
    "width_mode",
    "style",
}
HEADER = {"title", "subtitle", "text_tag_list", "template", "icon", "padding"}
TEMPLATES = {
    "blue",
    "wathet",
    "turquoise",
    "green",
    "yellow",
    "orange",
    "red",
    "carmine",
    "violet",
    "purple",
    "indigo",
    "grey",
    "default",
}
BUTTON_TYPES = {
    "default",
    "primary",
    "danger",
    "text",
    "primary_text",
    "danger_text",
    "primary_filled",
    "danger_filled",
    "laser",
}
INTERACTIVE = {"button", "select_static", "date_picker", "input"}


class CardRefused(Exception):
    """A card Feishu would not take. `code` is the inner `ErrCode`."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"Failed to create card content, ext=ErrCode: {code}; ErrMsg: {why}")
        self.code = code


def check(card: Json, users: set[str]) -> None:
    """Refuse what Feishu refuses.

    Args:
        card: as sent.
        users: open ids that may be mentioned.

    Raises:
        CardRefused: with Feishu's code.
    """
    _demand(card.get("schema") == "2.0", 200621, "schema")
    _known(card, TOP, "card")
    _known(card.get("config", {}), CONFIG, "config")
    _known(card.get("header", {}), HEADER, "header")
    _demand(card.get("header", {}).get("template", "default") in TEMPLATES, 200621, "header template")
    _demand(bool(card.get("header", {}).get("title", {}).get("content", "x")), 200621, "empty title")
    components = [*walk(card)]
    _demand(len(components) <= ELEMENTS, 11310, "element exceeds the limit")
    counts = Counter(component["tag"] for component in components)
    _demand(counts["table"] <= TABLES, 11310, "card table number over limit")
    for component in components:
        _component(component, users)
    for element in card["body"]["elements"]:
        _nesting(element, 1)
    names = [
        component["name"]
        for component in components
        if component["tag"] in {*INTERACTIVE, "form"} and "name" in component
    ]
    _demand(len(set(names)) == len(names), 200530, "name is not unique")


def walk(node: object) -> Iterator[Json]:
    """Every component of a card, in reading order."""
    if isinstance(node, list):
        for part in cast("list[object]", node):
            yield from walk(part)
    elif isinstance(node, dict):
        component = cast("Json", node)
        if "tag" in component:
            yield component
        for name, part in component.items():
            if name not in {"chart_spec", "rows", "value"} and not (
                component.get("tag") == "table" and name == "columns"
            ):
                yield from walk(part)


def shown(card: Json) -> str:
    """What a reader sees, line by line: titles, texts, labels, cells; markdown and entities resolved."""
    return "\n".join(_texts(card))


def buttons(card: Json) -> dict[str, Json]:
    """Everything that can be pressed, by its label: buttons and the options of menus; the first that says the same."""
    found: dict[str, Json] = {}
    for component in walk(card):
        if component["tag"] == "button":
            found.setdefault(component["text"]["content"], component)
        elif component["tag"] == "overflow":
            for option in component["options"]:
                found.setdefault(option["text"]["content"], {"tag": "overflow", **option})
    return found


def _demand(true: bool, code: int, why: str) -> None:
    if not true:
        raise CardRefused(code, why)


def _known(node: Json, allowed: set[str], where: str) -> None:
    _demand(node.keys() <= allowed, 200621, f"unknown property in {where}: {node.keys() - allowed}")


def _component(component: Json, users: set[str]) -> None:
    tag = component["tag"]
    _demand(tag in PROPERTIES, 200861, f"cards of schema V2 no longer support this capability; unsupported tag {tag}")
    _known(component, {"tag", "element_id", "margin", *PROPERTIES[tag].split()}, tag)
    match tag:
        case "markdown":
            mentioned = re.findall(r"<at[^>]*", component["content"], re.IGNORECASE)
            _demand(all(any(user in at for user in users) for at in mentioned), 100290, "invalid user resource")
        case "button":
            _demand(len(component["text"]["content"]) <= LABEL, 200621, "button text")
            _demand(component.get("type", "default") in BUTTON_TYPES, 200621, "button type")
            _behaviours(component.get("behaviors", []))
        case "overflow" | "select_static":
            values = [option["value"] for option in component["options"]]
            _demand(len(set(values)) == len(values), 200621, "options with the same value")
        case "table":
            names = {column["name"] for column in component["columns"]}
            _demand(0 < len(component["columns"]) <= 50, 200914, "table columns")
            _demand(1 <= component.get("page_size", 5) <= 10, 200914, "table page size")
            _demand(all(row.keys() <= names for row in component["rows"]), 200915, "table rows")
        case "chart":
            _demand(component["chart_spec"].get("type") in {"bar", "line", "pie"}, 200550, "chart spec")
        case "date_picker":
            _demand(bool(re.fullmatch(r"\d{4}-\d\d-\d\d", component.get("initial_date", "2026-01-01"))), 200621, "date")
        case "input":
            _demand(len(component.get("default_value", "")) <= component.get("max_length", 1000), 200621, "input value")
        case _:
            pass


def _behaviours(behaviours: list[Json]) -> None:
    for behaviour in behaviours:
        ok = isinstance(behaviour["value"], dict) if behaviour["type"] == "callback" else bool(behaviour["default_url"])
        _demand(ok, 200621, "behaviour")


def _nesting(element: Json, depth: int, *, form: bool = False) -> None:
    tag = element["tag"]
    _demand(depth <= DEPTH, 200621, "nested too deeply")
    _demand(depth == 1 or tag not in {"table", "form"}, 200621, f"{tag} is only for the root")
    _demand(
        not form or tag not in INTERACTIVE or bool(element.get("name")), 200530, "a form's component without a name"
    )
    parts = [*element.get("elements", ()), *(element.get("columns", ()) if tag == "column_set" else ())]
    if tag == "form":
        submits = [part for part in walk(parts) if part.get("form_action_type") == "submit"]
        _demand(bool(element.get("name")) and bool(submits), 200530, "a form without name or submit button")
    for part in parts:
        _nesting(part, depth + (tag != "column_set"), form=form or tag == "form")


def _texts(card: Json) -> Iterator[str]:
    for component in walk(card):
        match component["tag"]:
            case "plain_text":
                yield component["content"]
            case "markdown":
                yield _rendered(component["content"])
            case "table":
                yield " | ".join(column["display_name"] for column in component["columns"])
                yield from (" | ".join(row.values()) for row in component["rows"])
            case "chart":
                spec = component["chart_spec"]
                yield spec["title"]["text"]
                yield from (f"{point['label']} {point['value']}" for point in spec["data"]["values"])
            case _:
                pass


def _rendered(markdown: str) -> str:
    if markdown.startswith("```"):
        return "\n".join(markdown.split("\n")[1:-1]).replace("\u200b", "")
    return html.unescape(re.sub(r"</?font[^>]*>|\*\*", "", markdown))
