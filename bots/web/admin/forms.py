"""Forms: a field is named after the place of its value in a model, so whatever is wrong there is said beside that field.

`levels.0.nodes.1.approver=ops_admin@org` is `{"levels": [{"nodes": [..., {"approver": "ops_admin@org"}]}]}`. An empty field
is one that was not given.
"""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, cast

from pydantic import ValidationError

from core.errors import BadInput
from core.i18n import Words

SEVERAL = frozenset({"environments", "groups", "operations", "owners", "projects", "schedulers"})
"""Fields that hold several values: ticked, or written with spaces, commas or lines between them."""
BETWEEN = re.compile(r"[\s,，、]+")
DEEPEST = 8
LONGEST_NUMBER = 4

NEW: Mapping[str, Mapping[str, Any]] = {
    "levels": {"nodes": [{"approver": "ops_admin@project"}]},
    "nodes": {"approver": "ops_admin@project"},
    "ranges": {"measure": "instances"},
}
"""What an entry is that somebody adds to a list."""

Values = dict[str, Any]
Problems = dict[str, str]
"""What is wrong: a sentence by the name of a field."""


def nested(fields: Iterable[tuple[str, str]]) -> Values:
    """The values of a form where they belong.

    Raises:
        BadInput: names that no form of ours has.
    """
    root: Values = {}
    for name, text in fields:
        if text.strip():
            _put(root, name.split("."), text.strip())
    return {name: _lists(value) for name, value in root.items()}


def reshaped(values: Values, wish: str) -> Values:
    """The values with an entry more or less, as a button wishes: `add:levels.0.nodes`, `remove:levels.1`.

    Raises:
        BadInput: there is no such place.
    """
    act, _, name = wish.partition(":")
    *way, last = name.split(".")
    try:
        place: Any = values
        for part in way:
            place = place[int(part) if part.isdecimal() else part]
        if act == "add":
            place[last] = [*place.get(last, ()), deepcopy(NEW[last])]
        else:
            del place[int(last)]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"nothing to {wish}", argument="form") from error
    return values


def problems(error: ValidationError, words: Words) -> Problems:
    """What a model refuses, in the reader's words, by the name of the field it is about."""
    found: Problems = {}
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        place = list(each["loc"])
        while place and isinstance(place[-1], int):  # one of several values in a field
            place.pop()
        field = str(place[-1]) if place else ""
        key = f"admin.wrong.{field}"
        name = ".".join(str(part) for part in place)
        found[name] = words(key) if key in words else words("admin.wrong.other", field=field)
    return found


def _put(root: Values, parts: list[str], text: str) -> None:
    *way, last = parts
    place = root
    for part in way[:DEEPEST]:
        below: object = place.setdefault(part, {})
        if not isinstance(below, dict):
            raise BadInput("a field within a value", argument="form")
        place = cast("Values", below)
    if last not in SEVERAL:
        place[last] = text
        return
    several: object = place.setdefault(last, [])
    if not isinstance(several, list):
        raise BadInput("a value where there are several", argument="form")
    place[last] = [*cast("list[str]", several), *filter(None, BETWEEN.split(text))]


def _lists(value: object) -> object:
    """The same with a list wherever names are numbers."""
    if not isinstance(value, dict):
        return value
    below = {name: _lists(each) for name, each in cast("Values", value).items()}
    if all(name.isascii() and name.isdecimal() and len(name) <= LONGEST_NUMBER for name in below):
        return [below[name] for name in sorted(below, key=int)]
    return below
