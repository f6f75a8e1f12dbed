"""The instances of a change that touches several: those downstream, and the entries of a batch."""

from collections.abc import Iterator

from core import downstream
from core.cards import Block, Button, Note, Table, Text
from core.results import Member, Proposal
from core.views import buttons
from core.views.notices import refused
from core.views.reader import SENTENCE, Reader, plain
from core.views.status import status_and_run

SHOWN = 20
"""Most rows. A list that is longer says so, and what is chosen comes first."""


def blocks(reader: Reader, result: Proposal, *, decides: bool) -> Iterator[Block]:
    """The list, and what has to be known of it; nothing for a change of one instance.

    Args:
        reader: the person it is for.
        result: the proposal.
        decides: whether they may choose among those downstream.
    """
    if not result.members:
        return
    yield Text(_summary(reader, result), "strong")
    if result.total > len(result.members):
        yield Text(reader.words("proposals.members.cut", count=len(result.members), total=result.total))
    listed = sorted(result.members, key=lambda member: not member.chosen)[:SHOWN]
    rows = tuple(_row(reader, result, member) for member in listed)
    yield Table(_columns(reader, result), rows, len(result.members))
    if result.state == "open" and not result.batch:
        yield Note(reader.words("proposals.members.follow"))
        yield from buttons.row(*(_scopes(reader, result) if decides else ()))


def _summary(reader: Reader, result: Proposal) -> str:
    chosen, count = len(result.chosen), len(result.members)
    if result.batch:
        over = sum(
            member.state not in {"", "queued", "confirmed", "executing", "following"} for member in result.chosen
        )
        if result.state == "open":
            return reader.words("proposals.members.batch", chosen=chosen, left_out=count - chosen)
        return reader.words("proposals.members.progress", over=over, chosen=chosen, left_out=count - chosen)
    scope = downstream.scope(result.members)
    key = f"proposals.scope.{scope}" if scope else "proposals.scope.some"
    return reader.words("proposals.members.downstream", chosen=chosen, count=count, scope=reader.words(key))


def _columns(reader: Reader, result: Proposal) -> tuple[str, ...]:
    names = ("name", "project", "status", "outcome") if result.batch else ("name", "distance", "status", "again")
    return tuple(reader.words(f"proposals.column.{name}") for name in names)


def _row(reader: Reader, result: Proposal, member: Member) -> tuple[str, ...]:
    instance = member.instance
    name, status = plain(instance.task.name, 60), status_and_run(reader, instance)
    if result.batch:
        return (name, plain(instance.task.project, 60), status, _outcome(reader, member))
    again = reader.words("proposals.members.again" if member.chosen else "proposals.members.not_again")
    return (name, reader.words("views.lineage.hops", count=member.distance), status, again)


def _outcome(reader: Reader, member: Member) -> str:
    """What became of an entry, or why it is left out; before the batch begins, that its turn will come."""
    said = reader.sentence(f"proposals.state.{member.state or 'queued'}", {}, otherwise="proposals.state.unknown")
    told = refused(reader, member.refusal) if member.refusal else plain(member.message, SENTENCE // 6)
    if not told or member.state in {"following", "succeeded"}:
        return said
    return reader.words("proposals.members.because", outcome=said, message=told)


def _scopes(reader: Reader, result: Proposal) -> Iterator[Button]:
    """A button for each other choice; those that come to the same are one."""
    offered = {result.members}
    for scope in downstream.SCOPES:
        members = downstream.choose(result.members, scope)
        if members not in offered:
            offered.add(members)
            count = sum(member.chosen for member in members)
            label = reader.words(f"proposals.choose.{scope}", count=count)
            yield Button(label, "choose", {"proposal": result.id, "scope": scope})
