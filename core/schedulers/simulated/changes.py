"""What people did to the platform before its troubled night, and the promises that the night puts at risk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.schedulers.base import Baseline, Change, ChangeKind, Task
from core.schedulers.simulated.track import Track
from core.schedulers.simulated.troubles import (
    DIRTY_RECORDS,
    FLAGS,
    KEY_ERROR,
    MYSQL_DENIED,
    NO_COMMAND,
    NO_MODULE,
    NO_PERMISSION,
    QUALITY,
    SCHEMA_MISMATCH,
    SYNTAX,
    TABLE_NOT_FOUND,
    TROUBLES,
    WRONG_PARAMETER,
    Fault,
)

EVENING = timedelta(hours=4, minutes=18)
"""How long before midnight people changed something: at 19:42."""
FROZEN_DAYS = 3


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done on the evening before a fault first struck; by the task's owner where nobody is named."""

    kind: ChangeKind
    what: str
    who: str = ""


DEEDS: Mapping[Fault, Deed] = {
    TABLE_NOT_FOUND: Deed("task", "发布节点新版本：改为读取 tmp_promotion_tag"),
    SCHEMA_MISMATCH: Deed("table", "目标表新增字段 area_level STRING", "dev_lihao"),
    SYNTAX: Deed("task", "发布节点新版本 v37：新增差评数 bad_cnt"),
    NO_PERMISSION: Deed("environment", "跨项目授权到期，SELECT 权限收回", "安全中心"),
    MYSQL_DENIED: Deed("environment", "数据源账号密码轮换", "DBA 值班"),
    DIRTY_RECORDS: Deed("table", "源表字段长度放宽"),
    KEY_ERROR: Deed("table", "上游表字段改名：competitor_price → competitor"),
    NO_MODULE: Deed("environment", "Python 运行镜像更新", "平台组"),
    NO_COMMAND: Deed("environment", "调度资源组镜像更新", "平台组"),
    WRONG_PARAMETER: Deed("task", "修改调度参数：引用 bizmonth"),
}

PROMISES: Sequence[tuple[str, str, time]] = (
    ("晨会经营看板", "ads_executive_morning_report", time(8, 0)),
    ("区域日报", "ads_gmv_area_daily", time(8, 30)),
    ("财务对账", "ads_finance_reconcile_daily", time(10, 0)),
)
"""Baseline, the task that must be done, and until when."""


def changes(task: Task, tracks: Iterable[Track], today: datetime, since: datetime) -> tuple[Change, ...]:
    """What happened to a task since a moment, newest first.

    Args:
        task: which.
        tracks: its instances, for the quality rules they failed.
        today: the midnight before tonight's runs.
        since: nothing older.
    """
    found = [*_deeds(task, today), *_verdicts(task, tracks)]
    return tuple(sorted((one for one in found if one.at >= since), key=lambda one: one.at, reverse=True))


def baselines(last_steps: Mapping[str, Track], zone: ZoneInfo, now: datetime) -> tuple[Baseline, ...]:
    """The promises that still wait for one of these instances, the earliest first.

    Args:
        last_steps: instances by the name of their task.
        zone: of the promises.
        now: what is done by then is kept.
    """
    waiting = ((name, last_steps.get(task), until) for name, task, until in PROMISES)
    return tuple(
        Baseline(name, datetime.combine(track.slot.due.date(), until, zone), owner=track.slot.definition.task.owner)
        for name, track, until in waiting
        if track and not track.at(now).status.succeeded
    )


def _deeds(task: Task, today: datetime) -> Iterator[Change]:
    for trouble in TROUBLES:
        if trouble.task == task.name and trouble.fault in DEEDS:
            deed = DEEDS[trouble.fault]
            evening = today - timedelta(days=max(trouble.nights)) - EVENING
            yield Change(evening, deed.kind, deed.what, deed.who or task.owner, task.ref)
    if FLAGS.get(task.name, task.flags).frozen:
        yield Change(today - timedelta(days=FROZEN_DAYS) - EVENING, "operation", "冻结节点", task.owner, task.ref)


def _verdicts(task: Task, tracks: Iterable[Track]) -> Iterator[Change]:
    """What the quality rules said of the runs that they stopped."""
    for track in tracks:
        for phase in track.phases:
            if phase.fault is QUALITY and phase.status.failed:
                yield Change(phase.at, "quality", QUALITY.note, ref=task.outputs[0] if task.outputs else task.name)
