"""One person on two messengers, proved by a code: shown on one, sent on the other. Never by name or e-mail.

A code is good for ten minutes and once, and only its digest is kept. It has 59 bits, and whoever guesses is stopped after
a few tries, so that neither a guesser nor a reader of the database finds one in time. Whatever becomes of a code, wrong
ones included, stands in the audit trail.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, delete, func, insert, or_, select

from core.access import OWN_WORD, Access, Identity, Person
from core.audit import Audit
from core.errors import BadInput, Busy
from core.messages import Actor, Conversation
from core.people import register
from core.proposals import ALPHABET
from core.store import Store, metadata
from core.store.types import Moment

VALID_FOR = timedelta(minutes=10)
LETTERS = 12
MOST_TRIES = 5
"""Codes asked for by one person, and codes sent by one, within `VALID_FOR`. A try that is one too many counts as well."""

CONVERSATION: TypeAdapter[Conversation | None] = TypeAdapter(Conversation | None)

link_code = Table(
    "link_code",
    metadata,
    Column("person", String(80), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("asked_in", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
"""A person has one code at a time: the newest."""

link_try = Table(
    "link_try",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("who", String(300), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_link_try_who", "who", "at"),
)

Outcome = Literal["linked", "wrong", "too_many", "public", "foreign", "same_messenger", "taken"]


@dataclass(frozen=True, slots=True)
class Code:
    """A code, to be shown once."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """What became of a code that was sent.

    Attributes:
        person: whose it is; empty when it is nobody's.
        asked_in: where it was asked for, so that they learn of it there as well.
        key: tells this use of a code apart from every other.
    """

    outcome: Outcome
    person: str = ""
    asked_in: Conversation | None = None
    key: str = ""


class Linking:
    """Makes and takes codes.

    Args:
        store: where they are kept.
        access: who people are; refreshed before and after.
        audit: the trail.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, access: Access, audit: Audit, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._access = access
        self._audit = audit
        self._clock = clock

    async def code(self, person: Person, conversation: Conversation | None = None, *, by: str = "") -> Code:
        """A code for someone who is listed; an earlier one of theirs is void.

        Args:
            person: whom the code will make of whoever sends it.
            conversation: the private chat in which it is shown; None when an administrator hands it over.
            by: the administrator's name.

        Raises:
            Denied: they are a stranger, or not listed any more.
            BadInput: others would read it.
            Busy: they asked for too many.
        """
        await self._access.refresh()
        self._access.needs(person, "viewer")
        if conversation is not None and conversation.kind != "private":
            raise BadInput("a code is shown in a private chat only")
        code = Code("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)), self._clock() + VALID_FOR)
        made = await self._store.write(lambda connection: self._make(connection, person.name, conversation, code, by))
        if not made:
            raise Busy(f"{person.name} asked for {MOST_TRIES} codes already")
        return code

    async def redeem(self, actor: Actor, conversation: Conversation, text: str) -> Linked:
        """Make whoever sends a code the person whose code it is. A code is void afterwards, whatever became of it.

        Args:
            actor: who sent it, as their messenger says.
            conversation: where they sent it.
            text: the code as typed: case, blanks and hyphens do not matter.
        """
        await self._access.refresh()
        digest = _digest(re.sub(r"[\s-]", "", text).upper())

        def work(connection: Connection) -> Linked:
            linked = self._take(connection, actor, conversation, digest)
            self._audit.entry(
                connection,
                actor=f"{actor.channel}:{actor.id}",
                action="link",
                target=linked.person,
                outcome=linked.outcome,
                details={"tenant": actor.tenant},
            )
            return linked

        linked = await self._store.write(work)
        await self._access.refresh()
        return linked

    async def unlink(self, person: Person, channel: str) -> bool:
        """Make someone's linked id on a channel nobody's, at their own wish; False when none was linked there."""

        def work(connection: Connection) -> bool:
            gone = register.drop_identity(connection, person.name, channel)
            outcome = "done" if gone else "refused"
            self._audit.entry(connection, actor=person.name, action="unlink", target=channel, outcome=outcome)
            return gone

        gone = await self._store.write(work)
        await self._access.refresh()
        return gone

    def _make(self, connection: Connection, name: str, conversation: Conversation | None, code: Code, by: str) -> bool:
        now = self._clock()
        if _too_many(connection, f"for:{name}", now):
            return False
        connection.execute(delete(link_code).where(or_(link_code.c.person == name, link_code.c.expires_at <= now)))
        row = {
            "person": name,
            "digest": _digest(code.text),
            "asked_in": CONVERSATION.dump_json(conversation).decode(),
            "expires_at": code.expires_at,
        }
        connection.execute(insert(link_code), row)
        self._audit.entry(connection, actor=by or name, action="link.code", target=name, outcome="made")
        return True

    def _take(self, connection: Connection, actor: Actor, conversation: Conversation, digest: str) -> Linked:
        now = self._clock()
        if _too_many(connection, f"by:{actor.channel}:{actor.tenant}:{actor.id}", now):
            return Linked("too_many")
        valid = delete(link_code).where(link_code.c.digest == digest, link_code.c.expires_at > now)
        row = connection.execute(valid.returning(link_code.c.person, link_code.c.asked_in)).first()
        if row is None or self._access.named(row.person) is None:
            return Linked("wrong")
        asked_in = CONVERSATION.validate_json(row.asked_in)
        identity = Identity(row.person, actor.channel, actor.id, actor.tenant)
        outcome = self._outcome(connection, identity, actor, conversation, asked_in)
        return Linked(outcome, row.person, asked_in, digest[:16])

    def _outcome(
        self,
        connection: Connection,
        identity: Identity,
        actor: Actor,
        conversation: Conversation,
        asked_in: Conversation | None,
    ) -> Outcome:
        if conversation.kind != "private":
            return "public"
        if not self._access.serves(actor):
            return "foreign"
        if asked_in is not None and asked_in.channel == actor.channel:
            return "same_messenger"
        free = actor.channel not in OWN_WORD and not self._access.taken(identity)
        return "linked" if free and register.put_identity(connection, identity, self._clock()) else "taken"


def shown(code: str) -> str:
    """A code in groups of four, for people."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _too_many(connection: Connection, who: str, now: datetime) -> bool:
    """Count one try more; whether there were too many before it."""
    connection.execute(delete(link_try).where(link_try.c.at <= now - VALID_FOR))
    before = connection.scalar(select(func.count()).where(link_try.c.who == who)) or 0
    connection.execute(insert(link_try), {"who": who, "at": now})
    return before >= MOST_TRIES


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
