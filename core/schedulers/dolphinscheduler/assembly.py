"""What became of the tasks of one workflow instance.

DolphinScheduler writes a row for a task when its turn has come, and one more with every retry and rerun. The last row tells
the state; how many there are is the run number. A task whose turn has not come has no row: it is known from the workflow's
definition, as long as the instance runs by that version and has not succeeded without it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.schedulers.base import Flags, Instance, Status, Task
from core.schedulers.dolphinscheduler.graph import Graph, Workflow
from core.schedulers.dolphinscheduler.model import (
    BEGINNING,
    EXECUTE_TASK,
    PAUSED,
    RUN_STATUSES,
    SUCCESS,
    YES,
    Key,
    run_type,
    status,
)
from core.schedulers.dolphinscheduler.wire import Attempt, Run

BUSINESS_DAY: Final = timedelta(days=-1)
"""From the day an instance is due to the day its data is about: `system.biz.date`."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Puts workflow instances and rows together.

    Attributes:
        zone: in which business dates are meant.
        pages: address of DolphinScheduler's own pages.
    """

    zone: ZoneInfo
    pages: str

    def instances(self, graph: Graph, run: Run, attempts: Iterable[Attempt]) -> tuple[Instance, ...]:
        """The instances of a workflow instance, given its rows in any order."""
        rows: dict[str, list[Attempt]] = {}
        for attempt in sorted(attempts, key=lambda one: one.id):
            rows.setdefault(attempt.task, []).append(attempt)
        begun = tuple(self._begun(graph, run, mine) for mine in rows.values())
        workflow = graph.workflows.get(run.workflow)
        reached = {code: status(mine[-1].state) for code, mine in rows.items()}
        if workflow is None or workflow.version != run.version or _complete(run):
            return begun
        return (*begun, *(self._absent(run, workflow, reached, code) for code in workflow.tasks if code not in rows))

    def _begun(self, graph: Graph, run: Run, rows: list[Attempt]) -> Instance:
        last = rows[-1]
        now = status(last.state)
        flags = Flags(
            frozen=last.state in PAUSED,
            dry_run=YES in (run.dry_run, last.dry_run),
            forced=now is Status.FORCED_SUCCESS,
        )
        return replace(
            self._blank(run, Key(graph.project, run.id, last.task), graph.task(last)),
            status=now,
            raw_status=last.state,
            flags=flags,
            run_number=len(rows),
            started_at=last.start_time,
            finished_at=last.end_time if now.finished else None,
            waiting_since=last.submit_time if last.state in BEGINNING else None,
        )

    def _absent(self, run: Run, workflow: Workflow, reached: Mapping[str, Status], code: str) -> Instance:
        ran = RUN_STATUSES.get(run.state, Status.UNKNOWN)
        if _blocked(workflow, reached, code):
            now = Status.UPSTREAM_FAILED
        else:
            now = Status.WAIT_UPSTREAM if ran is Status.RUNNING else Status.NOT_RUN
        blank = self._blank(run, Key(workflow.project, run.id, code), workflow.tasks[code])
        return replace(blank, status=now, flags=Flags(frozen=run.state in PAUSED, dry_run=run.dry_run == YES))

    def _blank(self, run: Run, key: Key, task: Task) -> Instance:
        """What all instances of a workflow instance share."""
        return Instance(
            id=key.id,
            task=task,
            status=Status.UNKNOWN,
            run_type=run_type(run),
            business_date=(run.due + BUSINESS_DAY).astimezone(self.zone).date() if run.due else None,
            scheduled_at=run.due,
            url=f"{self.pages}/projects/{key.project}/workflow/instances/{run.id}?code={run.workflow}",
        )


def _complete(run: Run) -> bool:
    """Whether what has no row was not to run: a success leaves out branches not taken, unless one task ran again alone."""
    return run.state == SUCCESS and EXECUTE_TASK not in (run.history_cmd or "")


def _blocked(workflow: Workflow, reached: Mapping[str, Status], task: str) -> bool:
    """Whether something above failed, so that its turn does not come."""
    seen: set[str] = set()
    edge = [task]
    while edge:
        edge = [code for one in edge for code in workflow.above(one) if code not in seen]
        seen |= set(edge)
    return any(reached[code].failed for code in seen if code in reached)
