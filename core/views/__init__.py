"""Results into cards: the one place that decides what a person reads, in which order, and what they may press.

Pure functions over typed results; no clock, no look-ups. Every sentence is the catalogues' (`core/i18n`), every text from
outside passes `reader.plain`, every card says when it was true and what to do next.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never
from zoneinfo import ZoneInfo

from core.access import Person
from core.approvals.model import TicketList, TicketView
from core.cards import Block, Card
from core.diagnosis.model import LogFinding
from core.effects.model import Finding
from core.i18n import Words
from core.results import (
    Account,
    AlertReport,
    Choice,
    DaysWanted,
    Diagnosed,
    InstanceDetail,
    InstanceList,
    Lineage,
    LinkCode,
    LogView,
    Missing,
    Notice,
    Observed,
    Overview,
    Problem,
    Proposal,
    Result,
    TableReport,
)
from core.schedulers.base import Operation
from core.subscriptions.model import SubscriptionList
from core.views import (
    alert,
    daily,
    detail,
    diagnosis,
    event,
    instances,
    lineage,
    log,
    notices,
    overview,
    people,
    proposal,
    subscription,
    table,
    ticket,
    watch,
)
from core.views.claims import claims
from core.views.grounds import grounded
from core.views.notices import apology, busy, progress
from core.views.reader import EVERYTHING, Reader
from core.watches.digest import Digest
from core.watches.model import MutePreview, WatchList, WatchView
from core.watches.storm import Storm

__all__ = [
    "EVERYTHING",
    "House",
    "apology",
    "busy",
    "claims",
    "daily_card",
    "event_card",
    "pasted",
    "progress",
    "show",
    "storm_card",
]


@dataclass(frozen=True, slots=True)
class House:
    """How an installation speaks, before anything is known of the reader.

    Attributes:
        language: where neither the person nor the messenger names one.
        zone: of the times shown.
        operations: what each scheduler can do, by name; one that is not named can do everything.
    """

    language: str
    zone: ZoneInfo
    operations: Mapping[str, frozenset[Operation]] = field(default_factory=lambda: EVERYTHING)


def show(
    result: Result,
    words: Words,
    zone: ZoneInfo,
    person: Person,
    operations: Mapping[str, frozenset[Operation]] = EVERYTHING,
) -> Card:
    """The card of a result.

    Args:
        result: what a tool found.
        words: the reader's language.
        zone: the zone in which times are shown.
        person: the reader; decides which operations are offered. Rights are checked again at the click.
        operations: what schedulers can do, by name; one that is not named can do everything.
    """
    reader = Reader(words, zone, person, operations)
    shown = _card(reader, result)
    return grounded(reader, result, shown) if isinstance(result, Observed) else shown


def _card(reader: Reader, result: Result) -> Card:  # noqa: C901, PLR0912  # one flat case a type
    match result:
        case Overview():
            return overview.card(reader, result)
        case InstanceList():
            return instances.card(reader, result)
        case InstanceDetail():
            return detail.card(reader, result)
        case TableReport():
            return table.card(reader, result)
        case LogView():
            return log.card(reader, result)
        case Lineage():
            return lineage.card(reader, result)
        case Diagnosed():
            return diagnosis.card(reader, result)
        case LogFinding():
            return diagnosis.pasted(reader, result)
        case Proposal():
            return proposal.card(reader, result)
        case DaysWanted():
            return proposal.days(reader, result)
        case TicketView():
            return ticket.card(reader, result)
        case TicketList():
            return ticket.listed(reader, result)
        case Choice():
            return notices.choice(reader, result)
        case Missing():
            return notices.missing(reader, result)
        case Problem():
            return notices.problem(reader, result)
        case Notice():
            return notices.notice(reader, result)
        case Account():
            return people.account(reader, result)
        case LinkCode():
            return people.code(reader, result)
        case WatchView() | WatchList() | MutePreview() | SubscriptionList():
            return _wanted(reader, result)
        case _:
            assert_never(result)


def _wanted(reader: Reader, result: WatchView | WatchList | MutePreview | SubscriptionList) -> Card:
    """What somebody wants to be told, or not to be told."""
    match result:
        case WatchView():
            return watch.card(reader, result)
        case WatchList():
            return watch.listed(reader, result)
        case MutePreview():
            return watch.preview(reader, result)
        case SubscriptionList():
            return subscription.card(reader, result)


def daily_card(digest: Digest, words: Words, zone: ZoneInfo, person: Person) -> Card:
    """The card of the morning, or of the end of a shift; the arguments are those of `show`."""
    return daily.card(Reader(words, zone, person), digest)


def event_card(
    found: Finding,
    words: Words,
    zone: ZoneInfo,
    person: Person,
    operations: Mapping[str, frozenset[Operation]] = EVERYTHING,
) -> Card:
    """The card of something that another system told; the arguments are those of `show`."""
    return event.card(Reader(words, zone, person, operations), found)


def storm_card(storm: Storm, words: Words, zone: ZoneInfo) -> Card:
    """The one card of an alert storm, for whoever reads it; the arguments are those of `show`."""
    return daily.storm(Reader(words, zone, Person("")), storm)


def pasted(report: AlertReport, words: Words, zone: ZoneInfo, person: Person) -> tuple[Block, ...]:
    """What stands above an answer to a pasted alert; the arguments are those of `show`."""
    return tuple(alert.blocks(Reader(words, zone, person), report))
