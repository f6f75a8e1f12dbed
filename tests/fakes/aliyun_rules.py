"""What an operation of Alibaba Cloud takes, read from the official SDK's own request models.

Names and types are their code's; what is required, maxima and allowed words stand in their comments.

    rules = request_rules("alibabacloud_dataworks_public20240518", "ListTaskInstances")
    problem(rules, {"ProjectId": "1", …})
"""

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, cast

ASSIGNED = re.compile(r"self\.(\w+) = \w+$")
WRITTEN = re.compile(r"result\['(\w+)'\] = (?:self\.(\w+)|\[\])")
BULLET = re.compile(r"^[-*]\s+`?([A-Za-z_]\w*)`?(?::.*)?$")


@dataclass(frozen=True)
class Rule:
    """What one parameter must be. `inside` holds the rules of an object's or a list's members."""

    kind: str
    required: bool = False
    maximum: int | None = None
    words: frozenset[str] = frozenset()
    inside: "Mapping[str, Rule] | None" = None


@cache
def request_rules(package: str, action: str) -> Mapping[str, Rule] | None:
    """The parameters of an operation by their names on the wire; None when the SDK has no such operation."""
    models = import_module(f"{package}.models")
    model = getattr(models, f"{action}Request", None)
    return None if model is None else _rules(models, model)


def _rules(models: Any, model: type) -> Mapping[str, Rule]:
    annotations = {name: str(p.annotation) for name, p in inspect.signature(model).parameters.items()}
    found: dict[str, Rule] = {}
    names = _wire_names(model)
    comments: list[str] = []
    for line in map(str.strip, inspect.getsource(model.__init__).splitlines()):
        if line.startswith("#"):
            comments.append(line[1:].strip())
        elif (assigned := ASSIGNED.match(line)) and assigned[1] in names:
            found[names[assigned[1]]] = _rule(models, annotations[assigned[1]], comments)
            comments = []
    return found


def _wire_names(model: Any) -> Mapping[str, str]:
    """Names on the wire by attribute, as `to_map` writes them. A list is written empty first, without its attribute."""
    found = WRITTEN.findall(inspect.getsource(model.to_map))
    return {attribute or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): name for name, attribute in found}


def _rule(models: Any, annotation: str, comments: list[str]) -> Rule:
    text = " ".join(comments)
    maximum = re.search(r"[Mm]aximum value: (\d+)", text)
    words = (
        frozenset(m[1] for comment in comments if (m := BULLET.match(comment)))
        if "alid values" in text
        else frozenset[str]()
    )
    inner = re.search(r"main_models\.(\w+)", annotation)
    return Rule(
        kind=annotation.removeprefix("main_models."),
        required="This parameter is required." in text,
        maximum=int(maximum[1]) if maximum else None,
        words=words if annotation == "str" and len(words) > 1 and "alid values" in text else frozenset(),
        inside=_rules(models, getattr(models, inner[1])) if inner else None,
    )


def problem(rules: Mapping[str, Rule], given: Mapping[str, Any]) -> tuple[str, str] | None:
    """The code and words with which a request is refused; None when nothing is wrong with it."""
    for name, rule in rules.items():
        if rule.required and given.get(name, "") == "":
            return f"Missing{name}", f"{name} is mandatory for this action."
    for name, value in given.items():
        if name not in rules:
            return "InvalidParameter", f"{name} is no parameter of this action."
        if told := _wrong(rules[name], value):
            return "InvalidParameter", f"{name} {told}"
    return None


def _wrong(rule: Rule, value: Any) -> str:
    if rule.kind.startswith(("List[", "Dict[")) or rule.inside is not None:
        return _wrong_inside(rule, json.loads(value) if isinstance(value, str) else value)
    text = str(value)
    if rule.kind == "int" and not re.fullmatch(r"-?\d{1,19}", text):
        return f"must be a number, not {text!r}"
    if rule.kind == "bool" and text.lower() not in {"true", "false"}:
        return f"must be true or false, not {text!r}"
    if rule.words and text not in rule.words:
        return f"must be one of {sorted(rule.words)}, not {text!r}"
    if rule.maximum is not None and int(text) > rule.maximum:
        return f"must be at most {rule.maximum}"
    return ""


def _wrong_inside(rule: Rule, value: Any) -> str:
    if rule.kind.startswith("List[") != isinstance(value, list):
        return f"must be a {rule.kind}"
    if rule.inside is None:
        numbers = rule.kind == "List[int]"
        return "must hold numbers" if numbers and not all(isinstance(one, int) for one in value) else ""
    members = cast("list[Any]", value) if isinstance(value, list) else [value]
    found = (problem(rule.inside, member) for member in members)
    return next((words for told in found if told for words in [told[1]]), "")
