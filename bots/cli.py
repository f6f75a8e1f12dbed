"""Commands: `xops run | chat | ask | alert | diagnose | eval | cards | people | flow | ticket | audit | doctor | migrate`.

Answers with `--json` and `--jsonl` have keys that scripts may rely on.
"""

import asyncio
import signal
import sys
from typing import Annotated

import typer

from bots.asking import ask
from bots.audit import audit
from bots.evaluating import evaluate
from bots.flows import flow, ticket
from bots.gallery import cards
from bots.output import As, Json, configured, print_json, print_line, print_text
from bots.people import people
from bots.replay import events
from bots.understanding import alert, diagnose
from core.errors import ConfigurationError
from core.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in (ask, alert, diagnose, cards):
    app.command()(command)
app.command("eval")(evaluate)
app.add_typer(events, name="events")
app.add_typer(people, name="people")
app.add_typer(flow, name="flow")
app.add_typer(ticket, name="ticket")
app.add_typer(audit, name="audit")


@app.command()
def run(as_json: Json = False) -> None:
    """Start the server: web page, webhooks, durable work. Prints the page's address once it is ready; ends on Ctrl-C."""
    asyncio.run(_run(configured(), as_json=as_json))


@app.command()
def chat(person: As = "", as_json: Json = False) -> None:
    """Talk to the assistant here. A number presses that button of the last card; with --json each card is one line."""
    asyncio.run(_chat(configured(log_level="warning"), person, as_json=as_json))


@app.command()
def doctor(
    card: Annotated[str, typer.Option(help="Send a card to this person, by name or as feishu:ou_….")] = "",
    as_json: Json = False,
) -> None:
    """Check settings, database, schedulers, messengers and model; say what to do about each problem. Exit 1 if any."""
    from bots.doctor import examine, report

    findings = asyncio.run(examine(card))
    if as_json:
        print_json({"ok": all(f.ok for f in findings), "checks": [f.as_json() for f in findings]})
    else:
        print_text(report(findings))
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to this version. `xops run` does the same at start."""
    applied = asyncio.run(_migrate(configured()))
    if as_json:
        print_json({"applied": applied})
    else:
        print_text("\n".join(applied) or "nothing to do")


def main() -> None:
    """Entry point of `xops`: a setting that cannot work ends in one clear message, not a traceback."""
    try:
        app()
    except ConfigurationError as error:
        print(f"xops: {error}", file=sys.stderr)  # noqa: T201  # before logging is configured
        sys.exit(2)


async def _run(settings: Settings, *, as_json: bool) -> None:
    from bots.serving import serving

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as (address, token):
        base = settings.server.public_url.rstrip("/") or address
        made = not settings.web.sign_on_token.get_secret_value()  # one from the settings is not repeated here
        url = f"{base}/mobile/ops/chat" + (f"?token={token}" if made else "")
        if as_json:
            print_line({"url": url})
        else:
            print_text(f"X-Ops is ready: {url}")
        await stop.wait()


async def _chat(settings: Settings, person: str, *, as_json: bool) -> None:
    from bots.app import running
    from bots.terminal import TerminalChannel
    from bots.terminal import chat as talk
    from core.cards import CARD, Card

    def line(reference: str, card: Card) -> None:
        print_line({"reference": reference, "card": CARD.dump_python(card, mode="json")})

    terminal = TerminalChannel(show=line if as_json else None)
    async with running(settings, accepting=True, channels=[terminal]) as application:
        await talk(application.answer, terminal, person or settings.web.person)


async def _migrate(settings: Settings) -> list[str]:
    from core.store import Store
    from core.store.migrate import pending, upgrade

    store = Store(settings.storage.url.get_secret_value())
    try:
        todo = list(await pending(store))
        await upgrade(store)
    finally:
        await store.stop()
    return todo


if __name__ == "__main__":
    main()
