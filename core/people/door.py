"""Who is answered: people who are listed, and while the assistant is off administrators only. What others get instead."""

from core.access import Access, Person
from core.messages import Actor
from core.results import Account, Notice, Result
from core.switches import Switches

FOR_STRANGERS = frozenset({"help", "whoami", "link"})
"""Commands that tell nothing about pipelines; `link` makes a stranger known, with a code of someone who is."""


class Door:
    """Stands before every answer.

    Args:
        access: who people are.
        switches: whether the assistant answers now.
    """

    def __init__(self, access: Access, switches: Switches) -> None:
        self._access = access
        self._switches = switches

    def person(self, actor: Actor) -> Person:
        """Who this is; see `Access.person`."""
        return self._access.person(actor)

    def turn_away(self, person: Person, actor: Actor, word: str) -> Result | None:
        """What someone gets instead of an answer; None when they are let in.

        Args:
            person: who asks.
            actor: the same as their channel knows them.
            word: the command they gave; empty for free words.
        """
        if person.role == "stranger" and word not in FOR_STRANGERS:
            return Account(person, f"{actor.channel}:{actor.id}")
        return None if self._switches.answers(person) else Notice("switched_off")
