"""What an answer rests on, said the same way on every card that shows what schedulers know: whose part it lacks, how old it is.

What is missing stands on top, since it changes what the rest means; what is merely not of this second, at the bottom.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.cards import Card, Note, Text
from core.results import InstanceList, Observed, Overview
from core.schedulers.grounds import Outage, Source
from core.views.reader import Reader, plain

FRESH = 2.0
"""Seconds up to which what was read counts as read just now."""


def seen_at(result: Observed) -> datetime:
    """When the oldest of an answer was true."""
    ages = [source.age for source in result.sources if source.age is not None and source.age >= FRESH]
    return result.as_of - timedelta(seconds=max(ages, default=0.0))


def grounded(reader: Reader, result: Observed, card: Card) -> Card:
    """The card of a result, and what it rests on."""
    above = (*(_missing(reader, result, one) for one in result.outages), *_gaps(reader, result))
    below = tuple(_ages(reader, result))
    return replace(card, blocks=(*above, *card.blocks, *below)) if above or below else card


def _missing(reader: Reader, result: Observed, outage: Outage) -> Text:
    """That a list lacks a scheduler's part, or that a scheduler could not say whether it knows another of the same name."""
    name, last = plain(outage.scheduler), outage.last_answer
    error = reader.sentence(f"errors.{outage.error}", {"system": name, "code": ""}, otherwise="errors.internal")
    since = reader.moment_and_age(last, result.as_of) if last else reader.words("views.outage.never")
    key = "part" if isinstance(result, Overview | InstanceList) else "namesake"
    return Text(reader.words(f"views.outage.{key}", system=name, error=error, since=since), "strong")


def _gaps(reader: Reader, result: Observed) -> Iterator[Text]:
    for source in result.sources:
        if source.age is None:
            yield Text(reader.words("views.source.silent", system=plain(source.scheduler)), "strong")
        elif source.gap is not None:
            yield Text(_said(reader, result, source, "gap", source.gap), "strong")


def _ages(reader: Reader, result: Observed) -> Iterator[Note]:
    for source in result.sources:
        if source.age is not None and source.age >= FRESH:
            yield Note(_said(reader, result, source, "mirror" if source.mirror else "remembered", source.age))


def _said(reader: Reader, result: Observed, source: Source, key: str, seconds: float) -> str:
    moment = reader.clock(result.as_of - timedelta(seconds=seconds), result.as_of)
    age = reader.duration(seconds)
    return reader.words(f"views.source.{key}", system=plain(source.scheduler), moment=moment, age=age)
