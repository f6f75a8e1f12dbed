"""Makes `card.json`, the template an administrator imports into DingTalk's card console.

    python deploy/dingtalk/make_card.py

A template is a fixed layout of variables, so the sections that `bots.dingtalk.cards` fills are repeated here. The
format is that of the console's own export; it compiles the template itself after the import.
"""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SECTIONS = 24
"""As in `bots.dingtalk.layout`."""

ALWAYS = {"op": "and", "conditions": []}


def markdown(name: str) -> Json:
    """A text, shown while its variable is not empty."""
    not_empty = {
        "type": "variable",
        "variable": name,
        "variableType": "global",
        "op": "isNotEmpty",
        "value": "",
        "valueType": "fixed",
        "valueVariableType": "global",
    }
    content = {"type": "dynamicMarkdown", "valueType": "variable", "value": "", "variable": name}
    return component(
        "Markdown",
        f"node_{name}",
        {
            "mdVer": 0,
            "content": {**content, "variableType": "global"},
            **margins(top=8),
            "visible": visible({"op": "and", "conditions": [not_empty]}, kind="condition"),
            "innerOffset": 0,
        },
    )


def button_group(name: str) -> Json:
    """Buttons from a variable; none while it is empty."""
    return component(
        "ButtonGroup",
        f"node_{name}",
        {
            "buttonsSource": "variable",
            "dynamicButtons": {"type": "variableValue", "variableType": "global", "variable": name},
            "fixedButtonIds": [],
            "fixedButtons": [],
            **margins(top=6),
            "visible": visible(ALWAYS, kind="fixed"),
            "responsiveLayoutWidth": 350,
            "enableResponsiveLayout": True,
            "matchContent": False,
            "buttonSpacing": 8,
            "innerOffset": 0,
        },
    )


def visible(condition: Json, *, kind: str) -> Json:
    """When a component is shown."""
    return {"type": "dynamicVisible", "value": True, "valueType": kind, "condition": condition}


def margins(*, top: int) -> Json:
    """Twelve units at the sides, as the console recommends."""
    return {"marginLeft": 12, "marginRight": 12, "marginTop": top, "marginBottom": 0}


def component(name: str, id: str, props: Json, children: list[Json] | None = None) -> Json:
    """One node of the layout."""
    node = {"componentName": name, "id": id, "props": props, "title": name, "hidden": False, "isLocked": False}
    return {**node, "condition": True, "conditionGroup": "", **({"children": children} if children else {})}


def variable(name: str, kind: str, description: str, *, private: bool = False) -> Json:
    """One variable."""
    named = {"id": name, "name": name, "type": kind, "description": description, "private": private}
    return {**named, "editorVarType": "variables", "disabled": False}


def card() -> Json:
    """The template as the console exports one."""
    shown, variables = [markdown("header")], [variable("header", "markdown", "Title and subtitle")]
    for number in range(1, SECTIONS + 1):
        text, buttons = f"text{number}", f"buttons{number}"
        shown += [markdown(text), button_group(buttons)]
        variables += [variable(text, "markdown", "Text"), variable(buttons, "buttonGroup", "Buttons below it")]
    shown.append(markdown("receipt"))
    variables.append(variable("receipt", "markdown", "Seen only by who pressed a button", private=True))
    root = component("Card", "node_root", {"enableEngineUpgrade": False, "dataSources": []}, shown)
    used = ("Card", "Markdown", "ButtonGroup")
    package = {"package": "@ali/dxComponent", "version": "1.0.0", "main": "./src/index.tsx", "destructuring": False}
    editor = {
        "schemaVersion": "3.0.0",
        "schema": {
            "version": "1.0.0",
            "componentsMap": [{**package, "exportName": name, "subName": "", "componentName": name} for name in used],
            "componentsTree": [root],
            "i18n": {},
        },
        "mockData": {"cardData": {"header": "**X-Ops**", "text1": "…"}, "cardPrivateData": {}, "localData": {}},
        "editVersion": 0,
        "customWidgetInfo": "",
        "useCustomWidgetInfo": False,
        "variableList": variables,
        **{name: [] for name in ("formList", "expList", "localList", "hsfList", "lwpList")},
        "extension": {"extendType": "NORMAL", "fileTypeList": []},
    }
    data = json.dumps(editor, ensure_ascii=False, separators=(",", ":"))
    return {"editorData": data, "widgetInfo": "", "type": "im", "mode": "card"}


if __name__ == "__main__":
    written = json.dumps(card(), ensure_ascii=False, indent=1)
    (Path(__file__).parent / "card.json").write_text(f"{written}\n", "utf-8")
