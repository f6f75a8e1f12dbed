"""Whom Dataphin calls about a node, as the alerts of the last days tell: none of its operations lists rules.

An alert stands for the rule that sent it, by the alert's id, so a rule that never called is not known. Of a roster it tells the
name and whom it called then; who is on duty now, no operation tells.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.base import AlertRule
from core.schedulers.dataphin.catalogue import Catalogue
from core.schedulers.dataphin.client import Client
from core.schedulers.dataphin.wire import AlertEvent, OneAlertEvent
from core.schedulers.memory import Memory

ALERT_ID: Final = re.compile(r"[0-9]{1,18}")
LOOKBACK: Final = timedelta(days=7)
SECONDS: Final = 300.0
MOST: Final = 100
"""Most alerts about one node that are looked through."""
TOLD: Final = 5
FORMAT: Final = "%Y-%m-%d %H:%M:%S"
ALL_SYSTEMS: Final = "ALL"
MUTED: Final = "DO_NOT_DISTURB"


class Alerts:
    """Looks alerts up.

    Args:
        client: the connection.
        catalogue: for nodes.
        zone: in which Dataphin reads times.
        clock: the present moment, with zone.
    """

    def __init__(self, client: Client, catalogue: Catalogue, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._catalogue = catalogue
        self._zone = zone
        self._clock = clock
        self._sent: Memory[tuple[str, str], tuple[AlertEvent, ...]] = Memory(self._fetch, seconds=SECONDS)

    async def about(self, task_id: str) -> tuple[AlertRule, ...]:
        """Rules that called about a node: of each reason the latest alert, the newest first. Raises `NotFound`."""
        node = await self._catalogue.node(task_id)
        sent = await self._sent.get((node.name, node.project.name))
        latest = {one.reason.type: one for one in sorted(sent, key=_when) if one.about.name == node.name}
        newest_first = sorted(latest.values(), key=_when, reverse=True)
        return tuple(_rule(one) for one in newest_first[:TOLD])

    async def one(self, alert_id: str) -> AlertRule:
        """The rule of an alert. Raises `NotFound`."""
        absent = NotFound(f"{self._client.system}: no alert {alert_id[:80]!r}", kind="rule", name=alert_id[:80])
        if not ALERT_ID.fullmatch(alert_id):
            raise absent
        given = {"Id": int(alert_id)}
        found = (await self._client.get("GetAlertEvent", OneAlertEvent, given, what="rule", name=alert_id)).event
        if found is None:
            raise absent
        return _rule(found)

    async def close(self) -> None:
        """Stop what is being fetched."""
        await self._sent.close()

    async def _fetch(self, key: tuple[str, str]) -> tuple[AlertEvent, ...]:
        name, project = key
        now = self._clock().astimezone(self._zone)
        query = {
            "AlertStartTime": (now - LOOKBACK).strftime(FORMAT),
            "AlertEndTime": now.strftime(FORMAT),
            "SourceSystem": ALL_SYSTEMS,
            "Keyword": name,
            "ProjectNameList": [project],
        }
        return (await self._client.every("ListAlertEvents", AlertEvent, query, MOST)).items


def _when(event: AlertEvent) -> float:
    return event.latest_alert_time.timestamp() if event.latest_alert_time else 0.0


def _rule(event: AlertEvent) -> AlertRule:
    others = [other for one in event.receivers for other in (one.roster, *one.channels)]
    return AlertRule(
        event.id,
        event.about.name,
        on=event.reason.type,
        people=_distinct(user.name for one in event.receivers for user in one.users),
        elsewhere=_distinct(others),
        enabled=event.status != MUTED,
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
