"""What was said in a conversation: a window of the last turns, one line on each before, and nothing older.

Masked before it is stored. No LangChain here: the engine remembers commands too, and that must cost next to nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    delete,
    select,
)

from core.agent.answer import Answer
from core.agent.digest import digest
from core.agent.past import Item, Past, Turn, focus, in_alert, items
from core.messages import Conversation
from core.redact import mask
from core.results import Choice, Missing
from core.store import Store, metadata
from core.store.types import Moment

WINDOW = 6
"""Turns given back whole."""
SUMMARIZED = 20
"""Older turns given back as a line each."""
SAID = 2000
ANSWERED = 1200
LINE = 80
"""Characters kept of a question, of an answer, and of either in the summary."""

turn = Table(
    "turn",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", String(400), nullable=False, unique=True),
    Column("conversation", String(400), nullable=False),
    Column("at", Moment, nullable=False),
    Column("said", Text, nullable=False),
    Column("answered", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Index("ix_turn_conversation_number", "conversation", "number"),
)

_of = turn.alias()
_OLDEST = select(_of.c.number).where(_of.c.conversation == bindparam("talk")).order_by(_of.c.number.desc())
PRUNE = delete(turn).where(
    turn.c.conversation == bindparam("talk"),
    turn.c.number <= _OLDEST.offset(WINDOW + SUMMARIZED).limit(1).scalar_subquery(),
)
"""Drops what is older than `recall` reads. With each entry and not in a sweep: a turn in makes a turn out, so there is never
more than one to drop, the index finds it, and nothing has to come round."""


class History:
    """The table of turns.

    Args:
        store: where it is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._insert = store.insert_new(turn)

    def entry(self, connection: Connection, conversation: Conversation, key: str, said: str, answer: Answer) -> None:
        """Keep a turn, in the caller's transaction, and drop the one that nobody will read again.

        A second entry with the same key changes nothing.
        """
        connection.execute(self._insert, _row(conversation, key, said, answer))
        connection.execute(PRUNE, {"talk": conversation.key})

    async def recall(self, conversation: Conversation) -> Past:
        """The last turns, oldest first, and a summary of those before."""
        rows = await self._store.read(lambda connection: _latest(connection, conversation.key))
        window, older = rows[:WINDOW], rows[WINDOW:]
        return Past(tuple(_turn(row) for row in reversed(window)), "\n".join(_line(row) for row in reversed(older)))


def _row(conversation: Conversation, key: str, said: str, answer: Answer) -> dict[str, object]:
    told = [digest(result, longest=ANSWERED) for result in answer.results]
    return {
        "key": key,
        "conversation": conversation.key,
        "at": datetime.now(UTC),
        "said": mask(said[:SAID]),
        "answered": "\n".join(told)[:ANSWERED],
        "shown": orjson.dumps(_shown(answer)).decode(),
    }


def _latest(connection: Connection, conversation: str) -> Sequence[RowMapping]:
    mine = select(turn).where(turn.c.conversation == conversation)
    return connection.execute(mine.order_by(turn.c.number.desc()).limit(WINDOW + SUMMARIZED)).mappings().all()


def _shown(answer: Answer) -> dict[str, object]:
    """What the cards showed, as JSON: see `core.agent.past.Turn`. The things of an alert count as listed, when several."""
    results, pasted = answer.results, in_alert(answer.alert)
    asking = [result for result in results if isinstance(result, Choice | Missing) and result.command]
    return {
        "focus": [asdict(item) for item in focus(results)],
        "items": [asdict(item) for item in (pasted if len(pasted) > 1 else items(results))],
        "again": asking[-1].command if asking else "",
        "arguments": dict(asking[-1].arguments) if asking else {},
    }


def _turn(row: RowMapping) -> Turn:
    shown = orjson.loads(row["shown"])
    return Turn(
        row["said"],
        row["answered"],
        tuple(Item(**item) for item in shown["focus"]),
        tuple(Item(**item) for item in shown["items"]),
        shown["again"],
        shown["arguments"],
    )


def _line(row: RowMapping) -> str:
    answered = row["answered"].partition("\n")[0]
    return f"{row['said'][:LINE]} → {answered[:LINE]}"
