"""Whether a person's confirmation is enough, or others have to approve first."""

from typing import Protocol

from core.access import Person
from core.proposals import Record


class Gate(Protocol):
    """Asked once a person entitled to it has confirmed a proposal."""

    async def ask(self, record: Record, person: Person) -> str:
        """Open a ticket for a proposal, or say that none is needed.

        Asked again about the same proposal, after a crash, it gives the same ticket. Whoever decides the ticket calls
        `Execution.approved` or `Execution.rejected`, also when it ran out of time.

        Args:
            record: what was confirmed.
            person: who confirmed it.

        Returns:
            Id of the ticket; empty when the confirmation is enough.

        Raises:
            Refused: no rule lets this be done, whoever approves.
        """
        ...

    async def permit(self, record: Record) -> None:
        """Asked when somebody confirms, and again right before an order is given or a batch begins.

        Raises:
            Refused: not at this time; or it is not what was approved.
        """
        ...


class ConfirmationIsEnough:
    """A `Gate` that stands open."""

    async def ask(self, record: Record, person: Person) -> str:
        """No ticket."""
        return ""

    async def permit(self, record: Record) -> None:
        """All."""
