"""Who someone is here: their rights, their messengers, how to be linked; and the code that links another messenger."""

from collections.abc import Iterator
from datetime import datetime

from core.access import OWN_WORD
from core.cards import Block, Card, Field, Fields, Note, Text
from core.results import Account, LinkCode
from core.views import buttons
from core.views.reader import Reader, plain


def account(reader: Reader, result: Account) -> Card:
    """What someone may do; for a stranger, what to do to become known."""
    if result.person.role == "stranger":
        told = reader.words("people.stranger", identity=plain(result.identity))
        title = reader.words("people.title.stranger")
        return Card(title, (Text(told), *buttons.row(buttons.command(reader, "help"))), "warning")
    return Card(
        reader.words("people.title.account", name=plain(result.person.name)),
        (
            Fields(tuple(_fields(reader, result)), columns=1),
            Note(_switches(reader, result)),
            *buttons.row(*(buttons.command(reader, word) for word in ("overview", "mine", "link", "help"))),
        ),
        "info",
    )


def code(reader: Reader, result: LinkCode) -> Card:
    """The code, shown to the one person it is for."""
    blocks: tuple[Block, ...] = (
        Text(reader.words("people.code.how")),
        Text(f"/link {plain(result.code)}".strip(), "strong"),
        Note(reader.words("people.code.until", until=reader.zoned(result.expires_at))),
    )
    return Card(reader.words("people.title.code"), blocks, "info")


def _fields(reader: Reader, result: Account) -> Iterator[Field]:
    person = result.person
    yield Field(reader.words("people.field.role"), reader.words(f"views.role.{person.role}"))
    if person.break_glass:
        yield Field(reader.words("people.field.more"), reader.words("people.break_glass"), "warning")
    projects = [_until(reader, name, result.ends.get(name)) for name in sorted(person.projects)]
    yield Field(reader.words("people.field.projects"), reader.listed(projects) or "-")
    yield Field(reader.words("people.field.owners"), reader.listed(sorted(person.owners)) or "-")
    if person.groups:
        yield Field(reader.words("people.field.groups"), reader.listed(sorted(person.groups)))
    known = [_messenger(reader, channel) for channel in result.channels if channel not in OWN_WORD]
    yield Field(reader.words("people.field.channels"), reader.listed(known) or "-")


def _switches(reader: Reader, result: Account) -> str:
    state = "on" if result.assistant == "on" else "off"
    model = plain(result.model) or reader.words("people.rules")
    return reader.words("people.switches", assistant=reader.words(f"people.assistant.{state}"), model=model)


def _until(reader: Reader, project: str, end: datetime | None) -> str:
    return project if end is None else reader.words("people.until", project=plain(project), until=reader.zoned(end))


def _messenger(reader: Reader, channel: str) -> str:
    key = f"people.channel.{channel}"
    return reader.words(key) if key in reader.words else channel
