"""What administrators may switch for everyone: whether the assistant answers, and which model it may use.

The product this follows lets its super, system and operations administrators do both, and nobody else. While the
assistant is off, everyone but them gets a notice; alerts are still kept, and orders under way are carried to their end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Column, Connection, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from core.access import Access, Person, Role
from core.audit import Audit
from core.errors import NotFound
from core.store import Store, metadata
from core.store.types import Moment

NEEDED: Role = "ops_admin"
"""Who may switch. Source: the product's page on permissions, which names the operations administrator."""

Name = Literal["assistant", "model"]
OFF = "off"
ON = "on"

switch = Table(
    "switch",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_by", String(120), nullable=False),
    Column("changed_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Switch:
    """How one stands, and who set it so when; by nobody when it was never touched."""

    name: Name
    value: str
    changed_by: str = ""
    changed_at: datetime | None = None


class Switches:
    """The switches, as of the last `refresh`.

    Args:
        store: where they are kept.
        access: asked who may switch.
        audit: the trail.
        models: names of the models that may be chosen, the usual one first; empty when none is configured.
        clock: the present, with zone.
    """

    def __init__(
        self, store: Store, access: Access, audit: Audit, models: tuple[str, ...], *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._access = access
        self._audit = audit
        self.models = models
        self._clock = clock
        self._switches: dict[str, Switch] = {}

    async def refresh(self) -> None:
        """Know what any replica has switched by now."""
        self._switches = await self._store.read(_read)

    @property
    def assistant(self) -> Switch:
        """`on` or `off`."""
        return self._switches.get("assistant", Switch("assistant", ON))

    @property
    def model(self) -> Switch:
        """The name of the model that may be used, or `off`. One that the settings no longer allow is off."""
        usual = Switch("model", self.models[0] if self.models else OFF)
        chosen = self._switches.get("model", usual)
        return chosen if chosen.value in self.models else Switch("model", OFF, chosen.changed_by, chosen.changed_at)

    @property
    def model_name(self) -> str:
        """The model's name; empty when none may be used."""
        return "" if self.model.value == OFF else self.model.value

    def answers(self, person: Person) -> bool:
        """Whether the assistant answers someone now."""
        return self.assistant.value == ON or self._access.present(person).has(NEEDED)

    async def turn_assistant(self, person: Person, value: Literal["on", "off"]) -> Switch:
        """Let the assistant answer everyone, or administrators only.

        Raises:
            Denied: not theirs to decide.
        """
        return await self._turn(person, "assistant", value)

    async def turn_model(self, person: Person, value: str) -> Switch:
        """Let the assistant use a model, or `off` for none.

        Raises:
            Denied: not theirs to decide.
            NotFound: the settings allow no such model.
        """
        if value not in {OFF, *self.models}:
            raise NotFound(f"no model {value}", kind="model", name=value, nearest=self.models)
        return await self._turn(person, "model", value)

    async def _turn(self, person: Person, name: Name, value: str) -> Switch:
        await self._access.refresh()
        self._access.needs(person, NEEDED)
        turned = Switch(name, value, person.name, self._clock())

        def work(connection: Connection) -> None:
            _write(connection, turned)
            self._audit.entry(connection, actor=person.name, action=f"switch.{name}", target=name, outcome=value)

        await self._store.write(work)
        await self.refresh()
        return turned


def _read(connection: Connection) -> dict[str, Switch]:
    rows = connection.execute(select(switch))
    return {row.name: Switch(row.name, row.value, row.changed_by, row.changed_at) for row in rows}


def _write(connection: Connection, turned: Switch) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"value": turned.value, "changed_by": turned.changed_by, "changed_at": turned.changed_at}
    put = dialect.insert(switch).values(name=turned.name, **values)
    connection.execute(put.on_conflict_do_update(index_elements=[switch.c.name], set_=values))
