"""Approval flows as an administrator keeps them: created, edited, enabled, copied, ordered, deleted, listed.

Every save makes a version, and tells the audit trail what it was before and after. A ticket keeps the flow as it was, so
nothing here touches one that is under way; a flow with open tickets cannot be deleted, only disabled.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from core.access import Access, Person
from core.approvals.model import Definition, Flow, Level, Node, TaskType
from core.approvals.tickets import open_on
from core.audit import Audit
from core.errors import BadInput, NotFound, Stale
from core.schedulers.base import Operation
from core.settings import TaskTypeSettings
from core.store import Store, metadata
from core.store.types import Moment

T = TypeVar("T")
STATEMENTS = ("update", "delete", "insert", "select", "create", "drop", "alter", "other")
"""Kinds of a database change."""

approval_flow = Table(
    "approval_flow",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("name", String(110), nullable=False, unique=True),
    Column("task_type", String(40), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("levels", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("definition", Text, nullable=False),
    Column("creator", String(120), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_by", String(120), nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_approval_flow_rank", "task_type", "rank"),
    sqlite_autoincrement=True,
)

approval_flow_version = Table(
    "approval_flow_version",
    metadata,
    Column("flow", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("definition", Text, nullable=False),
    Column("changed_by", String(120), nullable=False),
    Column("changed_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class FlowFilter:
    """Which flows to list; what is empty or None filters nothing. Texts match any part, in any case."""

    name: str = ""
    task_type: str = ""
    levels: int | None = None
    creator: str = ""
    enabled: bool | None = None
    changed_since: datetime | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """A definition as it once was."""

    version: int
    definition: Definition
    changed_by: str
    changed_at: datetime


class Flows:
    """The tables, for administrators to change and for anyone listed to read.

    Args:
        store: where they are.
        access: asked at each change.
        audit: the trail.
        types: what flows can be for, by name.
        clock: the present, with zone.
    """

    def __init__(
        self,
        store: Store,
        access: Access,
        audit: Audit,
        types: Mapping[str, TaskType],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self.types = types
        self._store = store
        self._access = access
        self._audit = audit
        self._clock = clock

    async def get(self, flow_id: str) -> Flow:
        """A flow by its id.

        Raises:
            NotFound: there is none.
        """
        return await self._store.read(lambda connection: _flow(_row(connection, flow_id)))

    async def listed(self, wanted: FlowFilter) -> tuple[tuple[Flow, ...], int]:
        """Flows that match, by task type and rank; and how many match in all."""
        page = _filtered(select(approval_flow), wanted).limit(wanted.limit).offset(wanted.offset)
        page = page.order_by(approval_flow.c.task_type, approval_flow.c.rank, approval_flow.c.number)
        count = _filtered(select(func.count()).select_from(approval_flow), wanted)
        rows, total = await self._store.read(
            lambda connection: (connection.execute(page).mappings().all(), connection.scalar(count) or 0)
        )
        return tuple(_flow(row) for row in rows), total

    async def of_type(self, task_type: str) -> tuple[Flow, ...]:
        """All flows of a task type, enabled or not, by rank."""
        return await self._store.read(lambda connection: tuple(_flow(row) for row in _ranked(connection, task_type)))

    async def versions(self, flow_id: str) -> tuple[Version, ...]:
        """Every version of a flow, the newest first."""
        query = select(approval_flow_version).order_by(approval_flow_version.c.version.desc())
        query = query.where(approval_flow_version.c.flow == _number(flow_id))
        await self.get(flow_id)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(
            Version(
                row["version"],
                Definition.model_validate_json(row["definition"]),
                row["changed_by"],
                row["changed_at"],
            )
            for row in rows
        )

    async def create(self, person: Person, definition: Definition) -> Flow:
        """Store a new flow, last in the order of its task type.

        Raises:
            Denied: not an administrator.
            BadInput: the name is taken, or the definition does not fit its task type.
        """
        await self._admit(person, definition)
        return await self._write(lambda connection: self._create(connection, person, definition))

    async def edit(self, person: Person, flow_id: str, definition: Definition, *, version: int) -> Flow:
        """Save a flow as its next version.

        Args:
            person: who does it.
            flow_id: which.
            definition: what it becomes; its task type stays.
            version: the version that was edited.

        Raises:
            Stale: somebody saved another one meanwhile.
            Denied, BadInput, NotFound: as for `create` and `get`.
        """
        await self._admit(person, definition)
        return await self._write(lambda connection: self._edit(connection, person, flow_id, definition, version))

    async def enable(self, person: Person, flow_id: str, enabled: bool) -> Flow:  # the value is the change
        """Let tickets begin with a flow, or not. Those that began go on."""
        flow = await self.get(flow_id)
        if flow.enabled == enabled:
            await self._admit(person)
            return flow
        changed = flow.definition().model_copy(update={"enabled": enabled})
        return await self.edit(person, flow_id, changed, version=flow.version)

    async def copy(self, person: Person, flow_id: str, name: str) -> Flow:
        """A new flow with the same contents, disabled until someone has looked at it."""
        flow = await self.get(flow_id)
        contents = flow.definition().model_dump() | {"name": name, "enabled": False}
        return await self.create(person, Definition.model_validate(contents))

    async def delete(self, person: Person, flow_ids: Sequence[str]) -> None:
        """Delete flows, all or none. Their versions and what the trail says of them stay.

        Raises:
            Stale: tickets on one of them are under way; disable it instead.
        """
        await self._admit(person)
        await self._store.write(lambda connection: self._delete(connection, person, flow_ids))

    async def reorder(self, person: Person, task_type: str, flow_ids: Sequence[str]) -> tuple[Flow, ...]:
        """Give the flows of a task type this order, the first to be tried first.

        Raises:
            Stale: these are not exactly the flows of the type (any more).
        """
        await self._admit(person)
        return await self._store.write(lambda connection: self._reorder(connection, person, task_type, flow_ids))

    async def replace(self, person: Person, definitions: Sequence[Definition]) -> tuple[Flow, ...]:
        """Create these flows, or edit the ones of the same name, all or none."""
        for definition in definitions:
            await self._admit(person, definition)
        return await self._write(
            lambda connection: tuple(self._save(connection, person, definition) for definition in definitions)
        )

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._store.write(work)
        except IntegrityError as error:
            raise BadInput("another flow has this name", argument="name") from error

    async def _admit(self, person: Person, definition: Definition | None = None) -> None:
        await self._access.refresh()
        self._access.needs(person, "admin")
        if definition is not None:
            check(definition, self.types)

    def _create(self, connection: Connection, person: Person, definition: Definition) -> Flow:
        now = self._clock()
        last = select(func.coalesce(func.max(approval_flow.c.rank), 0)).where(
            approval_flow.c.task_type == definition.task_type
        )
        row = _columns(definition) | {"rank": (connection.scalar(last) or 0) + 1, "version": 1}
        row |= {"creator": person.name, "created_at": now, "changed_by": person.name, "changed_at": now}
        made = connection.execute(insert(approval_flow).returning(approval_flow), row).mappings().one()
        return self._saved(connection, made, "flow.create", before="")

    def _edit(self, connection: Connection, person: Person, flow_id: str, definition: Definition, version: int) -> Flow:
        old = _row(connection, flow_id)
        if definition.task_type != old["task_type"]:
            raise BadInput("the task type of a flow stays as it is", argument="task_type")
        change = (
            update(approval_flow)
            .where(approval_flow.c.number == old["number"], approval_flow.c.version == version)
            .values(**_columns(definition), version=version + 1, changed_by=person.name, changed_at=self._clock())
            .returning(approval_flow)
        )
        row = connection.execute(change).mappings().first()
        if row is None:
            raise Stale(f"{flow_id} was changed meanwhile", state=f"version {old['version']}")
        return self._saved(connection, row, "flow.edit", before=old["definition"])

    def _save(self, connection: Connection, person: Person, definition: Definition) -> Flow:
        query = select(approval_flow).where(approval_flow.c.name == definition.name)
        old = connection.execute(query).mappings().first()
        if old is None:
            return self._create(connection, person, definition)
        return self._edit(connection, person, _id(old["number"]), definition, old["version"])

    def _delete(self, connection: Connection, person: Person, flow_ids: Sequence[str]) -> None:
        rows = {row["number"]: row for row in (_row(connection, flow_id) for flow_id in flow_ids)}
        if used := open_on(connection, [_id(number) for number in rows]):
            raise Stale(f"tickets of {', '.join(used)} are under way: disable it instead", state="in use")
        for number, row in rows.items():
            connection.execute(delete(approval_flow).where(approval_flow.c.number == number))
            self._note(connection, person.name, "flow.delete", _id(number), {"before": row["definition"]})

    def _reorder(
        self, connection: Connection, person: Person, task_type: str, flow_ids: Sequence[str]
    ) -> tuple[Flow, ...]:
        before = [_id(row["number"]) for row in _ranked(connection, task_type)]
        if sorted(before) != sorted(flow_ids):
            raise Stale(f"these are not all flows of {task_type}", state=", ".join(before))
        for rank, flow_id in enumerate(flow_ids, 1):
            here = approval_flow.c.number == _number(flow_id)
            connection.execute(update(approval_flow).where(here).values(rank=rank))
        order = {"before": ", ".join(before), "after": ", ".join(flow_ids)}
        self._note(connection, person.name, "flow.reorder", task_type, order)
        return tuple(_flow(row) for row in _ranked(connection, task_type))

    def _saved(self, connection: Connection, row: RowMapping, action: str, *, before: str) -> Flow:
        names = ("version", "definition", "changed_by", "changed_at")
        kept = {"flow": row["number"]} | {name: row[name] for name in names}
        connection.execute(insert(approval_flow_version), kept)
        details = {"version": str(row["version"]), "before": before, "after": row["definition"]}
        self._note(connection, row["changed_by"], action, _id(row["number"]), details)
        return _flow(row)

    def _note(self, connection: Connection, actor: str, action: str, target: str, details: Mapping[str, str]) -> None:
        self._audit.entry(connection, actor=actor, action=action, target=target, outcome="done", details=details)


def task_types(own: Iterable[TaskTypeSettings] = ()) -> Mapping[str, TaskType]:
    """Every operation, ODC's kinds of task, DataWorks' blocking events, and those of the settings.

    ODC lets only database changes have several levels; operations count instances, so theirs may as well.
    """
    found = [TaskType(operation.value, multi_level=True) for operation in Operation]
    found += [TaskType(name) for name in ("import", "export", "mock_data", "permission", "extension_point")]
    found += [TaskType("database_change", STATEMENTS, multi_level=True)]
    found += [TaskType(kind.name, kind.operations, kind.multi_level) for kind in own]
    return {kind.name: kind for kind in found}


def builtin(task_type: str, at: datetime) -> Flow:
    """What decides about a risky change for which nobody made a flow: one ops admin of the project who did not ask for it."""
    node = Node(approver="ops_admin@project")
    return Flow(
        id="F-0",
        name="builtin",
        task_type=task_type,
        levels=(Level(nodes=(node,)),),
        break_glass=True,
        version=1,
        rank=0,
        creator="system",
        created_at=at,
        changed_by="system",
        changed_at=at,
    )


def check(definition: Definition, types: Mapping[str, TaskType]) -> None:
    """Raises `BadInput` unless the definition fits its task type."""
    kind = types.get(definition.task_type)
    if kind is None:
        raise BadInput(f"there is no task type {definition.task_type}", argument="task_type")
    if len(definition.levels) > 1 and not kind.multi_level:
        raise BadInput(f"flows of {kind.name} have one level", argument="levels")
    unknown = {name for level in definition.levels for name in level.operations} - set(kind.operations)
    if unknown:
        raise BadInput(f"{kind.name} has no operation {', '.join(sorted(unknown))}", argument="operations")
    if definition.escalate_to == "auto":
        raise BadInput("nothing escalates to auto", argument="escalate_to")


def _columns(definition: Definition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "task_type": definition.task_type,
        "enabled": definition.enabled,
        "levels": len(definition.levels),
        "definition": definition.model_dump_json(),
    }


def _filtered(query: Select[Any], wanted: FlowFilter) -> Select[Any]:
    column = approval_flow.c
    conditions: Iterable[Any] = (
        column.name.icontains(wanted.name, autoescape=True) if wanted.name else None,
        column.task_type == wanted.task_type if wanted.task_type else None,
        column.levels == wanted.levels if wanted.levels is not None else None,
        column.creator.icontains(wanted.creator, autoescape=True) if wanted.creator else None,
        column.enabled == wanted.enabled if wanted.enabled is not None else None,
        column.changed_at >= wanted.changed_since if wanted.changed_since else None,
    )
    return query.where(*(condition for condition in conditions if condition is not None))


def _ranked(connection: Connection, task_type: str) -> Sequence[RowMapping]:
    query = select(approval_flow).where(approval_flow.c.task_type == task_type)
    return connection.execute(query.order_by(approval_flow.c.rank, approval_flow.c.number)).mappings().all()


def _row(connection: Connection, flow_id: str) -> RowMapping:
    query = select(approval_flow).where(approval_flow.c.number == _number(flow_id))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no flow {flow_id}", kind="flow", name=flow_id)
    return row


def _flow(row: RowMapping) -> Flow:
    kept = ("version", "rank", "creator", "created_at", "changed_by", "changed_at")
    definition = Definition.model_validate_json(row["definition"])
    return Flow(id=_id(row["number"]), **definition.model_dump(), **{name: row[name] for name in kept})


def _id(number: int) -> str:
    return f"F-{number}"


def _number(flow_id: str) -> int:
    """The number in `F-3`; 0, which no flow has, for anything else."""
    digits = flow_id.removeprefix("F-")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 9 else 0
