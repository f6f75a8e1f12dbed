"""What Airflow's provider tells in facets of its own: of which instance a run is a try, and how a DAG's run ended.

OpenLineage's words alone mislead here. `FAIL` is told of every try, also where another one follows; `COMPLETE` is told of a
task that was skipped too, and only the end of its DAG's run names it so; an asset without an address is no dataset.

Source: apache-airflow-providers-openlineage 2.20 (`plugins/facets.py`, `utils/utils.py`) and Airflow 3.3 (`task_runner.py`).
"""

import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from core.events.openlineage import RunEvent, RunState, facet, facet_text, facet_time
from core.schedulers.airflow.model import STATUSES, Key, TaskKey, run_type
from core.schedulers.airflow.tables import ROWS
from core.schedulers.base import RunType, Status
from core.schedulers.mirror.members import FOLLOWED
from core.schedulers.mirror.state import Mirrored, Said

FINAL: Final = re.compile(r"^[\w.]*\b(AirflowFailException|AirflowSensorTimeout)\b", re.MULTILINE)
"""After these, in a traceback, Airflow does not try again, however many tries are left."""
LATE: Final = frozenset({Status.SKIPPED, Status.UPSTREAM_FAILED, Status.FAILED})
"""What only the end of a DAG's run tells: of a task that was skipped, never began, or gave up before its last try."""
LONGEST_ASSETS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a task instance.

    Attributes:
        key: the instance, as Airflow's own API names it.
        number: of the try, from 1; 0 where it is not told.
        again: it failed, and another try will follow.
        due_at: when the DAG's run was due.
        reads: assets without an address that it reads.
        writes: assets without an address that it writes, and how many rows.
    """

    key: Key
    number: int
    again: bool
    run_type: RunType
    due_at: datetime | None
    reads: tuple[str, ...]
    writes: Mapping[str, int | None]


def told_try(body: RunEvent) -> Try | None:
    """What the facet `airflow` tells; None for other producers, and where a person set a task's state."""
    facets = body.run.facets
    dag = facet_text(facets, "airflow", "dag", "dag_id")
    run = facet_text(facets, "airflow", "dagRun", "run_id")
    task = facet_text(facets, "airflow", "task", "task_id")
    if not (dag and run and task):
        return None
    number = _number(facets, "taskInstance", "try_number")
    retries = _number(facets, "task", "retries")
    more = 0 < number <= retries and not FINAL.search(facet_text(facets, "errorMessage", "stackTrace"))
    return Try(
        Key(dag, run, task, _number(facets, "taskInstance", "map_index", otherwise=-1)),
        number,
        more and body.event_type == RunState.FAIL,
        run_type(run),
        _due(facets, "airflow"),
        tuple(name for name, _ in _assets(facets, "inlets")),
        dict(_assets(facets, "outlets")),
    )


def by_airflow(body: RunEvent) -> bool:
    """Whether Airflow told it. Where a person set a task's state there is no facet `airflow`."""
    return "airflow" in body.run.facets or facet_text(body.run.facets, "processing_engine", "name") == "Airflow"


def concluded(body: RunEvent, at: datetime) -> tuple[Mirrored, ...]:
    """The instances of which the end of a DAG's run tells more than they did themselves.

    Args:
        body: about the DAG's own run.
        at: when that ended.
    """
    facets = body.run.facets
    dag = facet_text(facets, "airflowDagRun", "dag", "dag_id")
    run = facet_text(facets, "airflowDagRun", "dagRun", "run_id")
    states = facet(facets, "airflowState", "tasksState")
    if not (dag and run and isinstance(states, Mapping)):
        return ()
    known = Mirrored("", project=dag, run_type=run_type(run), told_due_at=_due(facets, "airflowDagRun"))
    found: list[Mirrored] = []
    for task, state in cast("Mapping[str, object]", states).items():
        said = Said(at, STATUSES.get(str(state), Status.UNKNOWN), str(state))
        if said.status in LATE:
            never = said.status is Status.UPSTREAM_FAILED  # so nothing was ever said of it
            own = replace(known, id=Key(dag, run, task).id, task=TaskKey(dag, task).id)
            found.append(replace(own, said=said if never else None, concluded=said))
    return tuple(found)


def followed(body: RunEvent) -> str:
    """The run of a DAG that people follow, `dag/run`, that an event is about or part of; empty where there is none."""
    named = facet(body.run.facets, "airflowDagRun") or facet(body.run.facets, "airflow")
    dag, run = facet_text(named, "dag", "dag_id"), facet_text(named, "dagRun", "run_id")
    return TaskKey(dag, run).id if dag and run and run_type(run) in FOLLOWED else ""


def members(states: Iterable[Mirrored]) -> tuple[tuple[str, str], ...]:
    """To which followed run of its DAG each instance belongs."""
    keys = [Key.parse(one.id) for one in states if one.run_type in FOLLOWED]
    return tuple((TaskKey(key.dag, key.run).id, key.id) for key in keys)


def _due(facets: Mapping[str, Any], name: str) -> datetime | None:
    return facet_time(facets, name, "dagRun", "run_after")


def _number(facets: Mapping[str, Any], *names: str, otherwise: int = 0) -> int:
    found = facet(facets, "airflow", *names)
    return found if isinstance(found, int) else otherwise


def _assets(facets: Mapping[str, Any], side: str) -> Iterator[tuple[str, int | None]]:
    """(name, rows) of assets without an address; those with one come as datasets. Airflow sends Python's `repr` of a list."""
    text = facet_text(facets, "airflow", "task", side)
    try:
        listed: object = literal_eval(text) if len(text) < LONGEST_ASSETS else ()
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        listed = ()
    for asset in cast("list[object]", listed) if isinstance(listed, list) else ():
        name, rows = facet_text(asset, "uri"), facet(asset, "extra", ROWS)
        if name and "://" not in name:
            yield name, rows if isinstance(rows, int) else None
