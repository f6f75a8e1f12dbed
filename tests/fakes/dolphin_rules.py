"""DolphinScheduler's published API contract as rules: which routes a version has, and what each takes.

The contract (`tests/data/dolphinscheduler/contract.json`) holds, for the last release of each minor version, the parameters of
the routes we use with type, need and enumeration, as the OpenAPI document of that version publishes them.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

CONTRACT: Final = Path(__file__).parents[1] / "data/dolphinscheduler/contract.json"
VERSIONS: Final = ("3.1.9", "3.2.2", "3.3.2", "3.4.3")
INTEGER: Final = re.compile(r"-?\d{1,19}")


@dataclass(frozen=True)
class Matched:
    """A route that was asked: its name with placeholders, and what stood in their places."""

    route: str
    places: Mapping[str, str]


class Refusal(Exception):
    """An error inside a 200."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@cache
def contract() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """The rules by version, then by method and path."""
    return json.loads(CONTRACT.read_text())


def match(version: str, method: str, path: str) -> Matched | None:
    """The route of a version that a request is for, if there is one."""
    for route in contract()[version]:
        known, _, template = route.partition(" ")
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
        if known == method and found and all(INTEGER.fullmatch(place) for place in found.groupdict().values()):
            return Matched(route, found.groupdict())
    return None


def violations(version: str, route: str, given: Mapping[str, str]) -> list[str]:
    """What is wrong with the parameters of a request."""
    rules = contract()[version][route]
    return [
        *(f"{route} takes no {name}" for name in given.keys() - rules.keys()),
        *(f"{route} needs {name}" for name, rule in rules.items() if rule.get("required") and name not in given),
        *(f"{route}: {name}={value!r}" for name, value in given.items() if name in rules and _bad(rules[name], value)),
    ]


def paged(rows: list[T], given: Mapping[str, str], show: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """The page of a list that was asked for."""
    number, size = int(given["pageNo"]), int(given["pageSize"])
    shown = [show(row) for row in rows[(number - 1) * size : number * size]]
    return {"totalList": shown, "total": len(rows), "totalPage": -(-len(rows) // size), "currentPage": number}


def _bad(rule: Mapping[str, Any], value: str) -> bool:
    if rule["type"] == "integer":
        return not INTEGER.fullmatch(value)
    return "enum" in rule and value not in rule["enum"]
