"""Which of several replicas does what only one may do at a time, by the database's clock.

A lease is held for a while and renewed while its holder lives. Should the holder fall silent, another takes it over;
should it wake up again, its next `hold` tells it that the lease is gone.
"""

from sqlalchemy import Column, String, Table, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from core.store import Store, metadata
from core.store.clock import now
from core.store.types import Moment

lease = Table(
    "lease",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("until", Moment, nullable=False),
)


class Leases:
    """The leases of one process.

    Args:
        store: the database all replicas share.
        owner: a name no other process on it has.
        seconds: how long a lease lasts when it is not renewed.
    """

    def __init__(self, store: Store, *, owner: str, seconds: float) -> None:
        self._store = store
        self._owner = owner
        self.seconds = seconds

    async def hold(self, name: str) -> bool:
        """Take a lease that is free, or renew our own. Returns whether we hold it."""
        insert = sqlite.insert if self._store.embedded else postgresql.insert
        held = {"owner": self._owner, "until": now(self.seconds)}
        ours_or_over = or_(lease.c.owner == self._owner, lease.c.until <= now())
        take = (
            insert(lease)
            .values(name=name, **held)
            .on_conflict_do_update(index_elements=[lease.c.name], set_=held, where=ours_or_over)
            .returning(lease.c.owner)
        )
        return await self._store.write(lambda connection: connection.scalar(take)) is not None

    async def release(self, name: str) -> None:
        """Let go of a lease, if it is ours, so that others need not wait for its end."""
        over = update(lease).where(lease.c.name == name, lease.c.owner == self._owner).values(until=now())
        await self._store.write(lambda connection: connection.execute(over))
