"""The table of operations that wait. A row moves only from the states that a move is meant for, so a verdict is given once."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Column, Connection, Index, RowMapping, String, Table, Text, delete, or_, select, update

from core.audit import Audit
from core.errors import NotFound
from core.events.dataworks import DataWorksEvent
from core.events.dataworks.files import FileOperation, TableOperation
from core.events.dataworks.instances import InstancesOperation
from core.events.dataworks.nodes import Backfill, NodesOperation
from core.events.incoming import Incoming
from core.schedulers.base import ExtensionCallback
from core.store import Store, metadata
from core.store.types import Moment

State = Literal["new", "asked", "decided", "answered", "failed"]
Verdict = Literal["OK", "FAIL"]
OPEN: frozenset[State] = frozenset({"new", "asked"})
KEPT = timedelta(days=14)
TOLD_FOR = timedelta(hours=24)
"""How long the platform is tried to be told a verdict."""

extension_point = Table(
    "extension_point",
    metadata,
    Column("id", Text, primary_key=True),
    Column("code", String(80), nullable=False),
    Column("callback", String(12), nullable=False),
    Column("operator", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("verdict", String(4), nullable=False),
    Column("tip", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("ticket", String(20), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("deadline", Moment, nullable=False),
    Index("ix_extension_point_state", "state", "deadline"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """An operation that waits, or what was said about it.

    Attributes:
        id: of the message; the platform knows the check by it.
        code: of the extension point, e.g. `pre-rerun-instance`.
        callback: by which the verdict is told; empty where it is the answer to the request.
        subjects: `kind:id` of what it is about.
        name: what the console calls that; may be empty or cut off.
        state: `new`, `asked` (a ticket is open), `decided`, `answered` (the platform knows), `failed` (it would not know).
        decided_by: a person, `rule 2`, or `default`.
    """

    id: str
    code: str
    callback: ExtensionCallback | Literal[""]
    operator: str
    project: str
    subjects: tuple[str, ...]
    name: str
    state: State
    verdict: Verdict | Literal[""]
    tip: str
    decided_by: str
    ticket: str
    created_at: datetime
    deadline: datetime


class Points:
    """The table.

    Args:
        store: where it is.
        audit: the trail, in the same transactions.
        patience: how long people have to answer.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, audit: Audit, *, patience: timedelta, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._audit = audit
        self._patience = patience
        self._clock = clock
        self._new = store.insert_new(extension_point)

    def record(self, connection: Connection, batch: Sequence[Incoming]) -> None:
        """Write down new operations that wait: an applier, see `core.events.journal`."""
        now = self._clock()
        for event in batch:
            if isinstance(event.body, DataWorksEvent) and event.body.before:
                connection.execute(self._new, _row(event, event.body, now, now + self._patience))

    async def get(self, id: str) -> Point:
        """One of them. Raises `NotFound`."""
        row = await self._store.read(
            lambda connection: (
                connection.execute(select(extension_point).where(extension_point.c.id == id)).mappings().one_or_none()
            )
        )
        if row is None:
            raise NotFound(f"nothing waits as {id}", kind="extension", name=id)
        return _point(row)

    async def waiting(self) -> list[Point]:
        """What somebody has to do something about: new ones, those whose time is over, verdicts the platform does not know."""
        now, this = self._clock(), extension_point.c
        overdue = (this.state == "asked") & (this.deadline <= now)
        untold = (this.state == "decided") & (this.created_at > now - TOLD_FOR)
        due = (
            select(extension_point)
            .where(or_(this.state == "new", overdue, untold))
            .order_by(this.created_at)
            .limit(500)
        )
        rows = await self._store.read(lambda connection: connection.execute(due).mappings().all())
        return [_point(row) for row in rows]

    async def asked(self, point: Point, ticket: str) -> None:
        """People are asked."""
        await self._store.write(lambda connection: _move(connection, point.id, {"new"}, state="asked", ticket=ticket))

    async def decide(self, point: Point, verdict: Verdict, tip: str, by: str) -> bool:
        """Give the verdict; False when there is one already."""

        def decide(connection: Connection) -> bool:
            values = {"state": "decided", "verdict": verdict, "tip": tip[:500], "decided_by": by}
            if not _move(connection, point.id, OPEN, **values):
                return False
            details = {"operator": point.operator, "name": point.name, "ticket": point.ticket, "tip": tip[:500]}
            self._audit.entry(
                connection, actor=by, action=point.code, target=point.id, outcome=verdict.lower(), details=details
            )
            return True

        return await self._store.write(decide)

    async def told(self, point: Point, state: State, message: str = "") -> None:
        """The platform knows the verdict (`answered`), or refused to (`failed`, with its words)."""
        more = {"tip": message[:500]} if message else {}
        await self._store.write(lambda connection: _move(connection, point.id, {"decided"}, state=state, **more))

    async def forget(self) -> None:
        """Delete what is long over."""
        old = extension_point.c.created_at < self._clock() - KEPT
        await self._store.write(lambda connection: connection.execute(delete(extension_point).where(old)))


def _move(connection: Connection, id: str, states: Collection[State], **values: str) -> bool:
    this = (extension_point.c.id == id) & extension_point.c.state.in_(states)
    return connection.execute(update(extension_point).where(this).values(values)).rowcount == 1


def callback(model: type[DataWorksEvent]) -> ExtensionCallback:
    """The call that takes a verdict on events of a model that wait."""
    if issubclass(model, (FileOperation, TableOperation)):
        return "ide"
    return "workbench" if issubclass(model, (InstancesOperation, NodesOperation, Backfill)) else "extension"


def _row(event: Incoming, body: DataWorksEvent, now: datetime, deadline: datetime) -> dict[str, Any]:
    name = body.extension_biz_name or getattr(body, "file_name", "") or getattr(body, "table_name", "")
    return {
        "id": event.id,
        "code": body.code,
        "callback": "" if body.event_category_type else callback(type(body)),  # Function Compute takes it as the answer
        "operator": body.operator,
        "project": body.project,
        "subjects": " ".join(f"{kind}:{id}" for kind, id in body.subjects),
        "name": name[:300],
        "state": "new",
        "verdict": "",
        "tip": "",
        "decided_by": "",
        "ticket": "",
        "created_at": now,
        "deadline": deadline,
    }


def _point(row: RowMapping) -> Point:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    values["subjects"] = tuple(values["subjects"].split())
    return Point(**values)
