"""What a button becomes in DingTalk, and what comes back when it is pressed.

On a card of ours it is an entry of a button group that calls us back. In a plain message it is a link that makes the
person say a line, `/log target=demo:1`, which is read here again; anyone may type the same line.
Sources: open.dingtalk.com, "event-callback-card"; dtmd links are described in `dingtalk-card-examples`, issue 2.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import orjson

from bots.edge import parse
from core.cards import Button
from core.errors import BadInput

LABEL = 40
"""Most characters on a button."""

PRESS = "press"
"""The only action of the cards' template; what is meant is in the parameters."""

_COLOURS = {"default": "gray", "primary": "blue", "danger": "red"}
_LINE = re.compile(r"/(\w+)((?: \w+=\S*)+)")


def entry(button: Button) -> dict[str, Any]:
    """The button as an entry of a template's variable of type `buttonGroup`. All parameters are strings, as they must be."""
    event = (
        {"type": "openLink", "params": {"url": button.url}}
        if button.url
        else {
            "type": "sendCardRequest",
            "params": {
                "actionId": PRESS,
                "params": {"command": button.command, "arguments": orjson.dumps(dict(button.arguments)).decode()},
            },
        }
    )
    return {"text": label(button), "color": _COLOURS[button.style], "status": "normal", "event": event}


def address(button: Button) -> str:
    """Where the button's link in a plain message leads; whatever would end the link is encoded."""
    if button.url:
        return quote(button.url, safe=":/?#@!$&'*+,;=%~")
    return f"dtmd://dingtalkclient/sendMessage?content={quote(typed(button), safe='')}"


def typed(button: Button) -> str:
    """The line that stands for a press: `/overview`, or `/log target=demo:1 run=2`."""
    arguments = (f" {name}={quote(value, safe='/:,@')}" for name, value in button.arguments.items())
    return f"/{button.command}{''.join(arguments)}"


def pressed(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Command and arguments of a line that `typed` made; None for any other text."""
    line = _LINE.fullmatch(text.strip())
    if line is None:
        return None
    pairs = (part.partition("=") for part in line[2].split())
    return line[1], {name: unquote(value) for name, _, value in pairs}


def called(parameters: Mapping[str, Any]) -> tuple[str, Mapping[str, str]] | None:
    """Command and arguments of the parameters that `entry` made; None for any others."""
    command, arguments = parameters.get("command"), parameters.get("arguments")
    if not isinstance(command, str) or not command:
        return None
    try:
        found = parse(arguments) if isinstance(arguments, str) else {}
    except BadInput:
        found = {}
    return command, {name: str(value) for name, value in found.items()}


def label(button: Button) -> str:
    """What the button says."""
    text = " ".join(button.label.split()) or button.command or "…"
    return text if len(text) <= LABEL else f"{text[: LABEL - 1]}…"
