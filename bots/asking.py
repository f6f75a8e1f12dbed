"""`xops ask`: one question, or many, answered as in a chat but printed."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from bots.bulk import Line, answer_lines
from bots.output import As, Json, Lines, configured, print_json, print_text
from core.settings import Settings

if TYPE_CHECKING:
    from bots.app import Application
    from core.engine import Reply


def ask(
    text: Annotated[
        str, typer.Argument(help="The question; with --jsonl a file of them, or - for standard input.")
    ] = "",
    person: As = "",
    as_json: Json = False,
    as_lines: Lines = False,
) -> None:
    """Ask one question and print the answer. With --jsonl, a line may carry its `history`."""
    if not (text or as_lines):
        raise typer.BadParameter("ask something, or give --jsonl")
    asyncio.run(_ask(configured("error"), text, person, as_json=as_json, as_lines=as_lines))


async def _ask(settings: Settings, text: str, person: str, *, as_json: bool, as_lines: bool) -> None:
    from bots.app import running

    async with running(settings, accepting=False) as application:

        async def answer(line: Line) -> dict[str, object]:
            return _as_json(await _reply(application, line, person or settings.web.person))

        if as_lines:
            await answer_lines(text or "-", answer)
        elif as_json:
            print_json(await answer(Line(None, text)))
        else:
            print_text(_as_text(await _reply(application, Line(None, text), person or settings.web.person)))


async def _reply(application: "Application", line: Line, person: str) -> "Reply":
    """The answer to a question in a conversation of its own; what was asked before it is asked again first."""
    from core.messages import Actor, Conversation, Message
    from core.redact import clean

    conversation, actor = Conversation("terminal", uuid4().hex), Actor("terminal", person)
    for number, text in enumerate(line.history):
        earlier = Message(f"{conversation.id}:{number}", conversation, actor, clean(text), datetime.now(UTC))
        reply = await application.engine.reply(earlier, lambda _step: None)
        await application.store.write(
            partial(
                application.history.entry,
                conversation=conversation,
                key=earlier.key,
                said=earlier.text,
                answer=reply.answer,
            )
        )
    asked = Message(conversation.id, conversation, actor, clean(line.text), datetime.now(UTC), clean(line.quoted))
    return await application.engine.reply(asked, lambda _step: None)


def _as_text(reply: "Reply") -> str:
    return "\n\n".join(card.as_text() for card in reply.cards)


def _as_json(reply: "Reply") -> dict[str, object]:
    from core.cards import CARD

    return {
        "text": _as_text(reply),
        "tools": [{"name": call.name, "args": dict(call.arguments)} for call in reply.answer.calls],
        "cards": [CARD.dump_python(card, mode="json") for card in reply.cards],
    }
