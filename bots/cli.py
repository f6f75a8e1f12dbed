"""The command line: `xops run | chat | ask | doctor | migrate`. Answers with `--json` have keys that scripts may rely on."""

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from core.errors import ConfigurationError
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from core.engine import Reply

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
As = Annotated[str, typer.Option("--as", help="Name of the person, from `people` in the settings.")]


@app.command()
def run() -> None:
    """Start the server: web page, webhooks, durable work. Ends on Ctrl-C."""
    asyncio.run(_run(_settings()))


@app.command()
def chat(person: As = "") -> None:
    """Talk to the assistant here. A number presses that button of the last card."""
    asyncio.run(_chat(_settings(log_level="warning"), person))


@app.command()
def ask(text: str, person: As = "", as_json: Json = False) -> None:
    """Ask one question and print the answer."""
    reply = asyncio.run(_ask(_settings(log_level="error"), text, person))
    if as_json:
        _print_json(_reply_json(reply))
    else:
        _print(_reply_text(reply))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, database, schedulers, messengers and model; say what to do about each problem. Exit 1 if any."""
    from bots.doctor import examine, report

    findings = asyncio.run(examine())
    if as_json:
        _print_json({"ok": all(f.ok for f in findings), "checks": [f.as_json() for f in findings]})
    else:
        _print(report(findings))
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to this version. `xops run` does the same at start."""
    applied = asyncio.run(_migrate(_settings()))
    if as_json:
        _print_json({"applied": applied})
    else:
        _print("\n".join(applied) or "nothing to do")


def main() -> None:
    """Entry point of `xops`: a setting that cannot work ends in one clear message, not a traceback."""
    try:
        app()
    except ConfigurationError as error:
        print(f"xops: {error}", file=sys.stderr)  # noqa: T201  # before logging is configured
        sys.exit(2)


async def _run(settings: Settings) -> None:
    from bots.app import serving

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as (address, token):
        base = settings.server.public_url.rstrip("/") or address
        made = not settings.web.sign_on_token.get_secret_value()  # one from the settings is not repeated here
        _print(f"X-Ops is ready: {base}/mobile/ops/chat" + (f"?token={token}" if made else ""))
        await stop.wait()


async def _chat(settings: Settings, person: str) -> None:
    from bots.app import running
    from bots.terminal import TerminalChannel
    from bots.terminal import chat as talk

    terminal = TerminalChannel()
    async with running(settings, accepting=True, channels=[terminal]) as application:
        await talk(application.answer, terminal, person or settings.web.person)


async def _ask(settings: Settings, text: str, person: str) -> "Reply":
    from bots.app import running
    from core.messages import Actor, Conversation, Message
    from core.redact import clean

    async with running(settings, accepting=False) as application:
        key = uuid4().hex
        actor = Actor("terminal", person or settings.web.person)
        message = Message(key, Conversation("terminal", key), actor, clean(text), datetime.now(UTC))
        return await application.engine.reply(message, lambda _step: None)


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


def _settings(log_level: str = "") -> Settings:
    from core.observe import configure_logging

    settings = load_settings()
    configure_logging(log_level or settings.log_level)
    return settings


def _reply_text(reply: "Reply") -> str:
    return "\n\n".join(card.as_text() for card in reply.cards)


def _reply_json(reply: "Reply") -> dict[str, object]:
    from core.cards import CARD

    return {
        "text": _reply_text(reply),
        "tools": [{"name": call.name, "args": dict(call.arguments)} for call in reply.answer.calls],
        "cards": [CARD.dump_python(card, mode="json") for card in reply.cards],
    }


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the product of a command


def _print_json(value: object) -> None:
    _print(json.dumps(value, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
