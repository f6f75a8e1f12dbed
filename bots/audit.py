"""`xops audit`: check the trail, search it, hand it to someone who does not have to trust us."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bots.output import Json, configured, moment, print_json, print_text

if TYPE_CHECKING:
    from core.audit import Audit, Entry, Sought

audit = typer.Typer(no_args_is_help=True, help=__doc__)

Moment = Annotated[str, typer.Option(help="A moment such as 2026-03-01T08:00+08:00, or how long ago: 30m, 8h, 7d.")]


@audit.command()
def verify(as_json: Json = False) -> None:
    """Check the chain of hashes from the first entry to the last. Exit 1 if an entry is not what was written."""
    raise typer.Exit(asyncio.run(_verify(as_json=as_json)))


@audit.command()
def search(
    actor: Annotated[str, typer.Option(help="Exact name of who did it.")] = "",
    action: Annotated[str, typer.Option(help="What was done; `people` finds `people.add`.")] = "",
    target: Annotated[str, typer.Option(help="A part of what it was done to.")] = "",
    since: Moment = "",
    until: Moment = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """Print entries, the newest first."""
    from core.audit import Sought

    sought = Sought(actor, action, target, moment(since), moment(until))
    for entry in asyncio.run(_search(sought, limit)):
        print_text(entry.line() if as_json else _row(entry))


@audit.command()
def export() -> None:
    """Print every entry as a line of JSON with its hash, and a last line with their number and the last hash."""
    asyncio.run(_export())


@asynccontextmanager
async def _trail() -> AsyncGenerator["Audit"]:
    from core.audit import Audit
    from core.store import Store

    store = Store(configured("error").storage.url.get_secret_value())
    try:
        yield Audit(store, clock=lambda: datetime.now(UTC))
    finally:
        await store.stop()


async def _verify(*, as_json: bool) -> int:
    from core.errors import Tampered

    async with _trail() as trail:
        try:
            count, problem = await trail.verify(), ""
        except Tampered as error:
            count, problem = 0, str(error)
    if as_json:
        print_json({"ok": not problem, "entries": count, "problem": problem})
    else:
        print_text(problem or f"{count} entries, none changed, none missing")
    return 1 if problem else 0


async def _search(sought: "Sought", limit: int) -> tuple["Entry", ...]:
    async with _trail() as trail:
        return await trail.search(sought, limit=limit)


async def _export() -> None:
    async with _trail() as trail:
        async for line in trail.export():
            print_text(line)


def _row(entry: "Entry") -> str:
    at = entry.at.astimezone().isoformat(sep=" ", timespec="seconds")
    return f"{entry.number:>7}  {at}  {entry.actor}  {entry.action}  {entry.target}  {entry.outcome}  {entry.details}"
