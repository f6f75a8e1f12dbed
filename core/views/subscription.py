"""What a chat hears of, and how to end or change it."""

from collections.abc import Iterator

from core.cards import Button, Card, Field, Item, Note, Text
from core.subscriptions.model import Subscription, SubscriptionList
from core.views.reader import Reader, plain

LISTED = 20


def card(reader: Reader, result: SubscriptionList) -> Card:
    """The subscriptions of a chat; or the one that was made or ended."""
    items = tuple(_item(reader, one, result.what) for one in result.subscriptions[:LISTED])
    title = reader.words(f"effects.subscriptions.{result.what}", count=len(result.subscriptions))
    empty = () if items else (Text(reader.words("effects.subscriptions.none")),)
    note = Note(reader.words(f"effects.subscriptions.note.{result.what}"))
    return Card(title, (*empty, *items, note), "info", reader.as_of(result.as_of))


def _item(reader: Reader, one: Subscription, what: str) -> Item:
    subject = plain(one.subject) or reader.words("effects.kind.everything")
    kind = reader.words(f"effects.kind.{one.kind}")
    ending = Button(reader.words("effects.button.unsubscribe"), "unsubscribe", {"target": one.id})
    shown = (ending,) if one.id and what != "ended" else ()
    return Item(f"{kind} {subject}", plain(one.id), "neutral", tuple(_fields(reader, one)), shown)


def _fields(reader: Reader, one: Subscription) -> Iterator[Field]:
    yield Field(reader.words("effects.field.severity"), reader.words(f"effects.severity.{one.severity}"))
    if one.quiet:
        yield Field(reader.words("effects.field.quiet"), plain(one.quiet))
    yield Field(reader.words("effects.field.person"), plain(one.person) or reader.words("effects.kind.settings"))
