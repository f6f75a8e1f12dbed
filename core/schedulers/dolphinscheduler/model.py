"""DolphinScheduler's words in ours: ids, statuses, kinds of run.

An instance's id is `project/workflow instance/task`, by codes: it stays when a retry or rerun writes a new row with a new id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import NotFound
from core.schedulers.base import RunType, Status
from core.schedulers.dolphinscheduler.wire import Run

LONGEST_ID: Final = 19
"""Digits of a 64-bit number."""
YES: Final = 1
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
EXECUTE_TASK: Final = "EXECUTE_TASK"

STATUSES: Final[Mapping[str, Status]] = {
    "SUBMITTED_SUCCESS": Status.WAIT_RESOURCE,
    "DISPATCH": Status.WAIT_RESOURCE,
    "DELAY_EXECUTION": Status.WAIT_TIME,
    "RUNNING_EXECUTION": Status.RUNNING,
    "PAUSE": Status.WAIT_HUMAN,
    "STOP": Status.KILLED,
    "KILL": Status.KILLED,
    "FAILURE": Status.FAILED,
    "NEED_FAULT_TOLERANCE": Status.FAILED,
    "SUCCESS": Status.SUCCESS,
    "FORCED_SUCCESS": Status.FORCED_SUCCESS,
}
"""States of tasks (`TaskExecutionStatus`). A row is written when all upstream is done, so what is submitted waits for a place:
in a task group, in the master's queue, on a worker. What a pause met before it began waits for the person to resume it."""

BEGINNING: Final = frozenset({"SUBMITTED_SUCCESS", "DISPATCH", "DELAY_EXECUTION"})
"""States in which a row has no start time yet."""

RUN_STATUSES: Final[Mapping[str, Status]] = {
    "SUBMITTED_SUCCESS": Status.NOT_RUN,
    "SERIAL_WAIT": Status.NOT_RUN,
    "WAIT_TO_RUN": Status.NOT_RUN,
    "DELAY_EXECUTION": Status.WAIT_TIME,
    "RUNNING_EXECUTION": Status.RUNNING,
    "READY_PAUSE": Status.RUNNING,
    "READY_STOP": Status.RUNNING,
    "READY_BLOCK": Status.RUNNING,
    "FAILOVER": Status.RUNNING,
    "PAUSE": Status.WAIT_HUMAN,
    "BLOCK": Status.WAIT_HUMAN,
    "STOP": Status.KILLED,
    "FAILURE": Status.FAILED,
    "SUCCESS": Status.SUCCESS,
}
"""States of workflow instances (`WorkflowExecutionStatus`)."""

PAUSED: Final = frozenset({"PAUSE", "BLOCK"})
STANDING: Final = frozenset({"PAUSE", "BLOCK", "STOP", "FAILURE", "SUCCESS"})
"""States of a workflow instance that DolphinScheduler calls finished: it takes orders about its tasks."""

RUN_TYPES: Final[Mapping[str, RunType]] = {
    "SCHEDULER": RunType.NORMAL,
    "COMPLEMENT_DATA": RunType.BACKFILL,
    "START_PROCESS": RunType.MANUAL,
    "START_CURRENT_TASK_PROCESS": RunType.MANUAL,
    "DYNAMIC_GENERATION": RunType.MANUAL,
}
"""First commands of workflow instances (`CommandType`)."""
LATER_COMMANDS: Final = frozenset(
    {
        EXECUTE_TASK,
        "PAUSE",
        "RECOVER_SERIAL_WAIT",
        "RECOVER_SUSPENDED_PROCESS",
        "RECOVER_TOLERANCE_FAULT_PROCESS",
        "RECOVER_WAITING_THREAD",
        "REPEAT_RUNNING",
        "START_FAILURE_TASK_PROCESS",
        "STOP",
    }
)
"""Commands to an instance that exists; they hide its first one where `history_cmd` is not told."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which instance, by codes."""

    project: str
    run: str
    task: str

    @classmethod
    def parse(cls, identity: str) -> "Key":
        """The key an id stands for. Raises `NotFound` where it can be nobody's."""
        parts = identity.split("/")
        if len(parts) != 3 or not all(is_number(part) for part in parts):
            raise NotFound(f"{identity[:80]!r} is no id", kind="instance", name=identity[:80])
        return cls(*parts)

    @property
    def id(self) -> str:
        """The key as we write it."""
        return f"{self.project}/{self.run}/{self.task}"


def is_number(identity: str) -> bool:
    """Whether this can be a code or id of DolphinScheduler."""
    return identity.isascii() and identity.isdecimal() and len(identity) <= LONGEST_ID


def status(word: str) -> Status:
    """What a task's state means; `UNKNOWN` for one we never heard of."""
    return STATUSES.get(word, Status.UNKNOWN)


def origin(run: Run) -> str:
    """The command a workflow instance began with; empty where a later one hides it."""
    first = (run.history_cmd or run.command_type or "").split(",")[0]
    return "" if first in LATER_COMMANDS else first


def run_type(run: Run) -> RunType:
    """Why a workflow instance exists. An unknown kind is manual, so that it disturbs no overview."""
    if run.test_flag == YES:
        return RunType.TEST
    if not origin(run):
        return RunType.NORMAL if run.schedule_time else RunType.MANUAL
    return RUN_TYPES.get(origin(run), RunType.MANUAL)
