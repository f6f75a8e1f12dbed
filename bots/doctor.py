"""`xops doctor`: look at everything a running assistant needs, and say in words what to do about what is wrong.

Every check is harmless: it reads, logs in, asks for a version, or asks for what must be refused. Nothing is sent to a chat,
unless somebody wants a card (`bots.greeting`).
"""

import asyncio
from collections.abc import Awaitable, Mapping, Set
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bots.findings import Finding, Grade, examine_scheduler, timed
from bots.greeting import greet
from bots.messengers import KNOWN
from core.diagnosis.runbooks import Knowledge, configured
from core.errors import ConfigurationError, Unreachable
from core.i18n import Words, words
from core.settings import Settings, load_settings, settings_path

if TYPE_CHECKING:
    from bots.app import Application

MARK: Mapping[Grade, str] = {"ok": "✓", "warning": "!", "failed": "✗", "off": "–"}


async def examine(card: str = "") -> list[Finding]:
    """Run every check; those after the settings side by side.

    Args:
        card: who gets a card through each messenger, see `bots.greeting.greet`; nobody when empty.
    """
    try:
        settings = load_settings()
        knowledge = configured(settings)
    except ConfigurationError as error:
        say = words("zh-CN")
        return [Finding("settings", "failed", str(error), say("doctor.settings_todo", path=settings_path()))]
    say = words(settings.language)
    from bots.app import Application  # the settings may be what keeps it from being built

    application = Application(settings)
    await application.http.start()
    try:
        checks = [
            _database(application, say),
            _people(application, say),
            *_schedulers(application, say),
            _model(application, say),
        ]
        standing = partial(_connection, application, say)
        checks += [messenger.examine(standing) for messenger in application.messengers]
        found = await asyncio.gather(*checks)
        found += await greet(application, card, say) if card else []
    finally:
        await application.stop()
    return [
        _settings_read(settings, say),
        _knowledge(knowledge, say),
        *found,
        *_web(application, say),
        *_off({messenger.channel.name for messenger in application.messengers}, say),
    ]


def report(findings: list[Finding]) -> str:
    """The findings as lines for a terminal."""
    width = max(len(finding.check) for finding in findings)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{MARK[finding.grade]} {finding.check:<{width}}  {finding.found}")
        lines += [f"  {'':<{width}}  → {line}" for line in finding.todo.splitlines()]
    return "\n".join(lines)


def _knowledge(knowledge: Knowledge | None, say: Words) -> Finding:
    if knowledge is None:
        return Finding("runbooks", "off", say("doctor.runbooks_off"))
    return Finding("runbooks", "ok", say("doctor.runbooks", signatures=knowledge.own, runbooks=len(knowledge.runbooks)))


def _settings_read(settings: Settings, say: Words) -> Finding:
    path = settings_path()
    if path.is_file():
        found = say("doctor.settings_file", path=path)
    elif settings.model_fields_set:
        found = say("doctor.settings_environment", path=path)
    else:
        found = say("doctor.settings_default", path=path)
    return Finding("settings", "ok", found)


async def _database(application: "Application", say: Words) -> Finding:
    from core.store.migrate import pending

    async def ask() -> str:
        old = await pending(application.store)
        kind = application.store.url.get_backend_name()
        return say("doctor.database_old" if old else "doctor.database_ok", kind=kind)

    return await timed("database", say("doctor.database_todo"), ask, say)


def _schedulers(application: "Application", say: Words) -> list[Awaitable[Finding]]:
    return [examine_scheduler(scheduler, say) for scheduler in application.fleet.schedulers]


async def _model(application: "Application", say: Words) -> Finding:
    model = application.settings.model
    if not model.name:
        return Finding("model", "off", say("doctor.model_off"))

    async def ask() -> str:
        await application.agent.probe()
        return say("doctor.model_ok", name=model.name)

    return await timed("model", say("doctor.model_todo"), ask, say)


async def _connection(application: "Application", say: Words, channel: str) -> str:
    """What the X-Ops that runs on this address says of a messenger's long connection; only it knows."""
    server = application.settings.server
    try:
        url = f"http://{server.host}:{server.port}/metrics"
        answer = await application.http.request("GET", url, system="xops", timeout=2)
    except Unreachable:
        return say("doctor.connection_unknown")
    figure = f'xops_connected{{channel="{channel}"}} '.encode()
    if figure not in answer.body:
        return say("doctor.connection_none")
    return say("doctor.connection_stands" if figure + b"1.0" in answer.body else "doctor.connection_broken")


def _off(built: Set[str], say: Words) -> list[Finding]:
    return [Finding(name, "off", say("doctor.messenger_off")) for name in KNOWN if name not in built]


async def _people(application: "Application", say: Words) -> Finding:
    """Who may do something, and what an administrator has switched off."""
    from core.store.migrate import pending

    switches = application.switches

    async def ask() -> str:
        if not await pending(application.store):
            await application.access.refresh()
            await switches.refresh()
        known, able = application.access.holders("viewer"), application.access.holders("operator")
        model = switches.model_name or say("people.rules")
        state = say(f"people.assistant.{switches.assistant.value}")
        counted = say("doctor.people_ok", known=len(known), able=len(able))
        return f"{counted} · {say('people.switches', assistant=state, model=model)}"

    found = await timed("people", say("doctor.database_todo"), ask, say)
    if found.ok and not application.access.holders("operator"):
        return replace(found, grade="warning", todo=say("doctor.nobody_operates"))
    if found.ok and switches.assistant.value == "off":
        by = switches.assistant.changed_by
        return replace(found, grade="warning", todo=say("doctor.assistant_off", name=by))
    return found


def _web(application: "Application", say: Words) -> list[Finding]:
    settings = application.settings
    if application.access.named(settings.web.person) is None:
        return [Finding("web", "failed", say("doctor.web_nobody", name=settings.web.person), say("doctor.web_todo"))]
    if not settings.server.public_url:
        return [Finding("web", "warning", say("doctor.web_local"), say("doctor.web_public_url"))]
    return [Finding("web", "ok", settings.server.public_url)]
