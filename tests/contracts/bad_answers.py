"""What a scheduler may make of answers that are not what they should be: the same for each of them.

Every question of the seam is put while all answers carry one kind of damage. It may be answered as far as it can, or refused
in an error of our own; nothing else may come of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, cast

from core.errors import XOpsError
from core.schedulers.base import InstanceQuery, Scheduler

Damage = Callable[[str, Any], Any]
"""What becomes of a field, by its name and value."""
GONE = object()


def _of(kind: type, other: object) -> Damage:
    return lambda _, value: other if isinstance(value, kind) and not isinstance(value, bool) else value


HARMLESS = "fields of tomorrow stand beside the known ones"
DAMAGES: Mapping[str, Damage] = {
    HARMLESS: lambda _, value: value,
    "lists are null": _of(list, None),
    "lists hold null": lambda _, value: [None] if isinstance(value, list) else value,
    "objects are null": _of(dict, None),
    "numbers are null": _of(int, None),
    "words are null": _of(str, None),
    "numbers are larger than any clock": _of(int, 10**30),
    "numbers are negative": _of(int, -1),
    "words are of tomorrow": _of(str, "HIBERNATING_OF_TOMORROW"),
    "words are numbers": _of(str, 7),
    "numbers are words": _of(int, "seven"),
    "lists are objects": _of(list, {"of": "tomorrow"}),
    "moments are no moments": lambda name, value: "2026-13-45 25:61:00" if name.casefold().endswith("time") else value,
    "moments are gone": lambda name, value: GONE if name.casefold().endswith(("time", "date")) else value,
    "names are gone": lambda name, value: GONE if name.casefold().endswith("name") else value,
    "states are gone": lambda name, value: GONE if "stat" in name.casefold() else value,
    "ids are gone": lambda name, value: GONE if name.casefold().endswith(("id", "code")) else value,
}


def damaged(answer: Any, damage: Damage) -> Any:
    """An answer with every field of it damaged, from the innermost out."""
    if isinstance(answer, list):
        return [damaged(one, damage) for one in cast("list[Any]", answer)]
    if not isinstance(answer, dict):
        return answer
    inner = {name: damaged(value, damage) for name, value in cast("dict[str, Any]", answer).items()}
    after = {name: damage(name, value) for name, value in inner.items()}
    return {name: value for name, value in after.items() if value is not GONE} | {"aFieldOfTomorrow": {"deep": [1]}}


def questions(
    scheduler: Scheduler, instance: str, task: str, query: InstanceQuery, since: datetime
) -> Mapping[str, Awaitable[object]]:
    """Every question of the seam, about things that are there."""
    return {
        "projects": scheduler.projects(),
        "counts": scheduler.counts(query),
        "instances": scheduler.instances(query),
        "instance": scheduler.instance(instance),
        "history": scheduler.history(task),
        "tasks": scheduler.tasks("order"),
        "log": scheduler.log(instance),
        "upstream": scheduler.upstream(instance, depth=2),
        "downstream": scheduler.downstream(instance, depth=2),
        "constraints": scheduler.constraints(instance),
        "tables": scheduler.tables("dwd_trade_order_di"),
        "changes": scheduler.changes(task, since),
        "health": scheduler.health(),
    }


async def refused(asked: Mapping[str, Awaitable[object]]) -> Mapping[str, XOpsError]:
    """The questions that were refused, each in an error of our own; another would come through here."""
    found: dict[str, XOpsError] = {}
    for name, question in asked.items():
        try:
            await question
        except XOpsError as error:
            found[name] = error
    return found
