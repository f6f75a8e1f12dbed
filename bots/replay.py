"""`xops events replay | dead | retry`: events of other systems once more, and those that were set aside."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from bots.output import Json, configured, print_json, print_text
from core.i18n import words
from core.settings import Settings

if TYPE_CHECKING:
    from core.events.journal import Dead, Events

T = TypeVar("T")

events = typer.Typer(no_args_is_help=True, help="Events of other systems: play them again, look at what was set aside.")


@events.command()
def replay(
    file: Annotated[str, typer.Argument(help="An event a line, as JSON; - for standard input.")] = "",
    since: Annotated[
        datetime | None, typer.Option(help="Instead of a file: what was received since, in our zone.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0, help="Most events a second; 0 for as many as possible.")] = 0,
    lineage: Annotated[bool, typer.Option("--lineage", help="The file holds OpenLineage events.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and count.")] = False,
    as_json: Json = False,
) -> None:
    """Take in a file of events, or apply what was received since a time again. Exit 1 if some are unreadable."""
    from bots.events.playing import play_file, play_since

    if bool(file) == (since is not None):
        raise typer.BadParameter("give either a file or --since")
    settings = configured(log_level="warning")
    zone = ZoneInfo(settings.zone)

    async def play(journal: "Events") -> Mapping[str, int]:
        if since is None:
            return await play_file(journal, file, zone, lineage=lineage, rate=rate, dry_run=dry_run)
        return await play_since(journal, since.replace(tzinfo=since.tzinfo or zone), rate=rate, dry_run=dry_run)

    counted = _with_journal(settings, play)
    if as_json:
        print_json(counted)
    else:
        print_text(words(settings.language)("events.replayed", **counted))
    raise typer.Exit(1 if counted["dead"] else 0)


@events.command()
def dead(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20, as_json: Json = False
) -> None:
    """List what was set aside, each with its reason; and how many events there are of types nobody knows."""
    settings = configured(log_level="warning")

    async def look(journal: "Events") -> "tuple[list[Dead], Mapping[str, int]]":
        return await journal.dead(limit), await journal.unknown()

    found, unknown = _with_journal(settings, look)
    if as_json:
        print_json({"dead": [_as_json(one) for one in found], "unknown": unknown})
        return
    say, zone = words(settings.language), ZoneInfo(settings.zone)
    lines = [f"{one.received_at.astimezone(zone):%m-%d %H:%M:%S}  {one.id}  {one.type}  {one.error}" for one in found]
    lines += [say("events.unknown", type=type, count=count) for type, count in unknown.items()]
    print_text("\n".join(lines) or say("events.nothing_dead"))


@events.command()
def retry(
    id: Annotated[str, typer.Argument(help="One event; everything that was set aside when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Try what was set aside again. Exit 1 if something still cannot be applied."""
    settings = configured(log_level="warning")
    tried, well = _with_journal(settings, lambda journal: journal.retry(id))
    if as_json:
        print_json({"tried": tried, "well": well})
    else:
        print_text(words(settings.language)("events.retried", tried=tried, well=well))
    raise typer.Exit(0 if tried == well else 1)


def _with_journal(settings: Settings, work: Callable[["Events"], Awaitable[T]]) -> T:
    """Do something with the journal that the settings name."""
    from bots.app import running

    async def run() -> T:
        async with running(settings, accepting=False) as application:
            return await work(application.events.journal)

    return asyncio.run(run())


def _as_json(one: "Dead") -> Mapping[str, str]:
    return {
        "source": one.source,
        "id": one.id,
        "type": one.type,
        "received_at": one.received_at.isoformat(),
        "error": one.error,
        "payload": one.payload,
    }
