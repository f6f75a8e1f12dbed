"""What a model that only routes may choose from: one tool, with arguments that stand in the message or were shown before it.

Everything that can be read with certainty is read here and never asked of the model: the day, the number of a run, what
"the second one" is, which changes the message asks for, and whether it is for a router at all. Pasted alerts, several
questions at once, and what is refused whatever it names are the rules' (`left_to_rules`). No LangChain here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from core.agent.answer import Call
from core.agent.past import Item
from core.agent.rules.asked import operations
from core.agent.rules.clauses import Clause, clauses
from core.agent.rules.groups import group
from core.agent.rules.names import identifiers
from core.agent.rules.pointing import pointed, points
from core.agent.rules.text import fold
from core.agent.rules.understand import ARGUMENT, DATED, LONGEST, Question, handle, run_number, understand
from core.alerts import read
from core.redact import clean, mask

MOST = 12
"""Names offered: a small model picks worse from a long list, and each one makes its grammar larger."""
NAME = 120
"""Characters of a name that is offered."""
TARGETED = (
    "instance_status",
    "table_freshness",
    "instance_log",
    "diagnose",
    "upstream",
    "downstream",
)
"""Tools about one thing."""
REFUSED = frozenset({"no_delete", "not_everything", "one_at_a_time", "out_of_scope"})
"""Topics of `help` that refuse: no model may turn them into something that is done."""
NONE = "none"
"""The answer that there is nothing to look up; the rules then find the words."""

_MINE = re.compile(r"[我咱俺]|\b(?:my|mine|i|our)\b", re.ASCII)

Options = Mapping[str, tuple[str, ...]]
"""The values that each argument may have; every argument is given."""


class _Chosen(BaseModel):
    tool: str
    args: dict[str, str]


def left_to_rules(question: Question) -> bool:
    """Whether a message is not for a router: an alert, several questions at once, or what is refused."""
    calls = understand(question)
    refused = any(call.arguments.get("topic") in REFUSED for call in calls if call.name == "help")
    return refused or len(calls) > 1 or read(question.text).kind == "alert"


@dataclass(frozen=True)
class Offer:
    """What is offered for one message.

    Attributes:
        question: the message, with the conversation before it.
    """

    question: Question

    @cached_property
    def text(self) -> str:
        """What the person wrote, without secrets; names are taken from nothing else, so that no secret passes for one."""
        return _shown(self.question.text)

    @cached_property
    def _clauses(self) -> Sequence[Clause]:
        return clauses(self.text, self.question.today)

    @cached_property
    def things(self) -> Mapping[str, Item]:
        """What the message can be about, by the name the model uses for it."""
        found = dict[str, Item]()
        for item in self._things():
            same = found.get(item.label, item)
            key = item.label if same.ref in {item.ref, item.label} else item.ref  # two runs of one task
            if _fit(key):
                found.setdefault(key, item)
        return dict(list(found.items())[:MOST])

    @cached_property
    def tools(self) -> Mapping[str, Options]:
        """The tools that can be called, each with the values of its arguments. Without a name none needs one."""
        names = tuple(self.things)
        offered: dict[str, Options] = {"overview": {}, "list_instances": self._lists()}
        if names:
            offered |= {tool: {ARGUMENT.get(tool, "target"): names} for tool in TARGETED}
        if names and (asked := self._operations()):
            offered["propose_operation"] = {"operation": asked, "target": names}
        offered[NONE] = {}
        return offered

    def schema(self) -> dict[str, Any]:
        """The offer as a JSON schema."""
        return {"anyOf": [_call_schema(tool, options) for tool, options in self.tools.items()]}

    def told(self) -> str:
        """What the model reads: names, and words that people wrote; no log, no card, nothing else from outside.

        What was asked before is told only where the message alone asks nothing ("and yesterday?"): elsewhere it misleads.
        """
        past, asks = self.question.past.turns, any(clause.intent for clause in self._clauses)
        lines = [f"之前：{past[-1].said[:NAME]}"] if past and not asks else []
        if self.things:
            lines.append(f"对象：{'、'.join(self.things)}")
        return "\n".join([*lines, f"消息：{self.text}"])

    def read(self, text: str) -> Call | None:
        """The call that the model's JSON stands for; None when it chose none.

        Raises:
            ValueError: it is not JSON, or not in the offer: a server may not hold its model to a schema.
        """
        chosen = _Chosen.model_validate_json(text)
        options = self.tools.get(chosen.tool)
        if options is None or chosen.args.keys() != options.keys():
            raise ValueError(f"{chosen.tool} with {sorted(chosen.args)} was not offered")
        if wrong := [name for name, value in chosen.args.items() if value not in options[name]]:
            raise ValueError(f"{chosen.tool}: values of {wrong} were not offered")
        return None if chosen.tool == NONE else Call(chosen.tool, self._completed(chosen))

    def _completed(self, chosen: _Chosen) -> dict[str, str]:
        """The arguments as the tool takes them, with what the message says in so many words."""
        arguments = {name: value for name, value in chosen.args.items() if value}
        for name in ("target", "name"):
            if name in arguments:
                arguments[name] = handle(self.things[arguments[name]], table=chosen.tool == "table_freshness")
        day = next((clause.day for clause in self._clauses if clause.day), "")
        if day and chosen.tool in DATED:
            arguments["day"] = day
        if chosen.tool == "instance_log":
            arguments |= run_number(fold(self.text))
        return arguments

    @cached_property
    def _named(self) -> tuple[str, ...]:
        """What the message names, those spelt like a name first; no day, project or owner is among them."""
        spelt = {name.text for name in identifiers(self.text)}
        return tuple(
            sorted((name for clause in self._clauses for name in clause.names), key=lambda name: name not in spelt)
        )

    def _things(self) -> Iterator[Item]:
        """What is named, what is pointed at, then what is quoted."""
        yield from map(_written, self._named)
        for clause in self._clauses:
            if not self._named or points(clause.plain):
                yield from pointed(clause.plain, self.question.past)
                yield from pointed(clause.plain, self.question.past, table=True)
        yield from (_written(name.text) for name in identifiers(_shown(self.question.quoted)))

    def _lists(self) -> Options:
        mine = ("mine",) if _MINE.search(fold(self.text)) else ()
        subjects = self._subjects()
        kinds = ("failed", "repeated", "running", "waiting", "all", *mine, *(("project",) if subjects else ()))
        return {"kind": kinds, "subject": ("", *mine, *subjects)}

    def _subjects(self) -> tuple[str, ...]:
        """Projects and owners that the message names."""
        whose = group(fold(self.text))
        found = [self.text[slice(*whose.span)]] if whose else []
        return tuple(name for name in dict.fromkeys((*found, *self._named)) if _fit(name))[:MOST]

    def _operations(self) -> tuple[str, ...]:
        """The changes asked for; a rerun with what is downstream is not also one without."""
        asked = operations(self.question)
        return tuple(sorted(asked - {"rerun"} if "rerun_downstream" in asked else asked))


def _shown(text: str) -> str:
    return mask(clean(text[:LONGEST]))


def _written(name: str) -> Item:
    return Item("task", name, name)


def _fit(name: str) -> bool:
    """Whether a name may be shown to a model: one line, short, and nothing secret in it."""
    return 0 < len(name) <= NAME and "\n" not in name and mask(clean(name)) == name


def _call_schema(tool: str, options: Options) -> dict[str, Any]:
    arguments = _object({name: {"type": "string", "enum": list(values)} for name, values in options.items()})
    return _object({"tool": {"type": "string", "enum": [tool]}, "args": arguments})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
