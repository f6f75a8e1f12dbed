"""What an alert is about: from its fields to objects that a scheduler can be asked for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from core.alerts.model import AlertObject, ObjectType

ABOUT = frozenset(
    {
        "instance",
        "task",
        "taskid",
        "tasks",
        "taskids",
        "workflow",
        "table",
        "baseline",
        "service",
        "queue",
        "host",
        "address",
    }
)
"""Fields that name something."""
NAMED: Sequence[ObjectType] = ("table", "baseline", "service", "queue", "host")

_DATE = re.compile(r"\d{4}-")
_WITH_ID = re.compile(
    r"(\S{1,200}?) ?[(（](?:节点|任务|作业|node|task|job)? ?(?:id)?[:： ]{0,3}(\d{4,20})[)）]", re.IGNORECASE
)
_QUALIFIED = re.compile(r"(?<=\S)(?:（[^（）]{0,60}）|\s[(\[][^()\[\]]{0,60}[)\]]|\s[A-Za-z_]{1,20}=.*)+$")
_CLAUSE = re.compile(r"(?<=[\w）)])[，；。]")
_RUN_OF = re.compile(r"-\d{1,6}-20\d{15}$")
"""What DolphinScheduler adds to a workflow's name for the name of a run: version and time."""
_TASK_INSTANCE = re.compile(r"/\d+/(\d+)\.log$")


def objects(fields: Mapping[str, str], source: str) -> tuple[AlertObject, ...]:
    """The objects, the most particular first."""
    first = _airflow(fields) if "workflow" in fields and ("run" in fields or _is_airflow(source)) else _tasks(fields)
    workflow = (
        [AlertObject("workflow", plain_name(fields["workflow"]), fields.get("workflowid", ""))]
        if "workflow" in fields
        else []
    )
    named = {"host": fields["address"], **fields} if "address" in fields else fields
    return (*first, *workflow, *(AlertObject(kind, plain_name(named[kind])) for kind in NAMED if kind in named))


def _is_airflow(source: str) -> bool:
    return source in {"airflow", "alertmanager"}  # the latter relays Airflow's own labels dag_id and task_id


def _tasks(fields: Mapping[str, str]) -> Iterator[AlertObject]:
    if "tasks" in fields or "taskids" in fields:
        names, ids = (_split(fields.get(name, "")) for name in ("tasks", "taskids"))
        for place in range(max(len(names), len(ids))):
            yield AlertObject("task", _at(names, place), _at(ids, place))
    elif "instance" in fields:
        yield AlertObject("instance", _name_and_id(fields.get("task", ""), "")[0], fields["instance"])
    elif "task" in fields or "taskid" in fields:
        logged = _TASK_INSTANCE.search(fields.get("log", ""))
        yield AlertObject(
            "instance" if logged else "task",
            *_name_and_id(fields.get("task", ""), logged[1] if logged else fields.get("taskid", "")),
        )


def _name_and_id(name: str, identity: str) -> tuple[str, str]:
    """`dws_cart_di(700012)` is a name with its id."""
    both = _WITH_ID.fullmatch(name)
    return (both[1], identity or both[2]) if both else (plain_name(name), identity)


def plain_name(name: str) -> str:
    """A name without what only qualifies it: （逻辑表）, ` bizdate=20261121`; a registered host without its path."""
    return _QUALIFIED.sub(
        "", _RUN_OF.sub("", _CLAUSE.split(name.rpartition("/")[2] if name.startswith("/nodes/") else name)[0])
    )


def _airflow(fields: Mapping[str, str]) -> Iterator[AlertObject]:
    """A task instance as `core.schedulers.airflow` names it; without a run, the task."""
    task, run = fields.get("task", ""), fields.get("run", "")
    if task:
        whole = bool(run) and not _DATE.match(run)
        parts = [fields["workflow"], *([run] if whole else []), task, *([fields["index"]] if "index" in fields else [])]
        yield AlertObject("instance" if whole else "task", task, "/".join(quote(part, safe="") for part in parts))


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _at(entries: Sequence[str], place: int) -> str:
    return entries[place] if place < len(entries) else ""
