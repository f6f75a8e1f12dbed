"""`xops doctor`: look at everything a running assistant needs, and say in words what to do about what is wrong.

Every check is harmless: it reads, logs in, or asks for a version. Nothing is sent to a chat.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bots.dingtalk.client import DingTalkChannel
from bots.wecom.client import WeComChannel
from bots.wecom.service import AiBot
from core.errors import ConfigurationError, RemoteError, Throttled, Unauthorized, Unreachable, XOpsError
from core.i18n import Words, words
from core.schedulers.base import Scheduler
from core.settings import Settings, load_settings, settings_path

if TYPE_CHECKING:
    from bots.app import Application

Grade = Literal["ok", "warning", "failed", "off"]
MARK: dict[Grade, str] = {"ok": "✓", "warning": "!", "failed": "✗", "off": "–"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at: `settings`, `database`, `scheduler demo`, `feishu`, `model`, `web`.
        found: one line.
        todo: what to do; empty when nothing.
        seconds: how long it took.
    """

    check: str
    grade: Grade
    found: str
    todo: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether X-Ops can work with this."""
        return self.grade != "failed"

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "check": self.check,
            "grade": self.grade,
            "found": self.found,
            "todo": self.todo,
            "seconds": round(self.seconds, 3),
        }


async def examine() -> list[Finding]:
    """Run every check; those after the settings side by side."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        say = words("zh-CN")
        return [Finding("settings", "failed", str(error), say("doctor.settings_todo", path=settings_path()))]
    say = words(settings.language)
    from bots.app import Application  # the settings may be what keeps it from being built

    application = Application(settings)
    await application.http.start()
    try:
        checks = [_database(application, say), *_schedulers(application, say), _model(application, say)]
        if application.feishu is not None:
            checks.append(_feishu(application, say))
        if application.dingtalk is not None:
            checks.append(_dingtalk(application, application.dingtalk, say))
        if application.wecom is not None:
            checks.append(_wecom(application.wecom, say))
        if application.wecom_bot is not None:
            checks.append(_wecom_bot(application, application.wecom_bot, say))
        found = await asyncio.gather(*checks)
    finally:
        await application.stop()
    return [
        _settings_read(settings, say),
        *found,
        *_web(settings, say),
        *_feishu_off(settings, say),
        *_dingtalk_off(settings, say),
        *_wecom_off(settings, say),
    ]


def report(findings: list[Finding]) -> str:
    """The findings as lines for a terminal."""
    width = max(len(finding.check) for finding in findings)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{MARK[finding.grade]} {finding.check:<{width}}  {finding.found}")
        lines += [f"  {'':<{width}}  → {line}" for line in finding.todo.splitlines()]
    return "\n".join(lines)


def _settings_read(settings: Settings, say: Words) -> Finding:
    path = settings_path()
    if path.is_file():
        found = say("doctor.settings_file", path=path)
    elif settings.model_fields_set:
        found = say("doctor.settings_environment", path=path)
    else:
        found = say("doctor.settings_default", path=path)
    writers = [person.name for person in settings.people if person.role != "viewer"]
    if not writers:
        return Finding("settings", "warning", found, say("doctor.nobody_operates"))
    return Finding("settings", "ok", found)


async def _timed(check: str, todo: str, ask: Callable[[], Awaitable[str]], say: Words) -> Finding:
    """Run a check that answers with one line or fails with one of our errors."""
    began = time.perf_counter()
    try:
        found = await ask()
    except XOpsError as error:
        seconds = time.perf_counter() - began
        return Finding(check, "failed", str(error), f"{_advice(error, say)} {todo}".strip(), seconds)
    return Finding(check, "ok", found, seconds=time.perf_counter() - began)


def _advice(error: XOpsError, say: Words) -> str:
    match error:
        case Unreachable():
            return say("doctor.unreachable")
        case Unauthorized():
            return say("doctor.unauthorized")
        case Throttled():
            return say("doctor.throttled")
        case RemoteError(system=WeComChannel.name, code="60020"):
            return say("doctor.wecom_untrusted")
        case RemoteError():
            return say("doctor.refused", code=error.code)
        case _:
            return ""


async def _database(application: "Application", say: Words) -> Finding:
    from core.store.migrate import pending

    async def ask() -> str:
        old = await pending(application.store)
        kind = application.store.url.get_backend_name()
        return say("doctor.database_old" if old else "doctor.database_ok", kind=kind)

    return await _timed("database", say("doctor.database_todo"), ask, say)


def _schedulers(application: "Application", say: Words) -> list[Awaitable[Finding]]:
    def check(scheduler: Scheduler) -> Awaitable[Finding]:
        async def ask() -> str:
            health = await scheduler.health()
            return say("doctor.scheduler_ok", version=health.version) + "".join(f"\n{line}" for line in health.problems)

        return _timed(f"scheduler {scheduler.name}", say("doctor.scheduler_todo", name=scheduler.name), ask, say)

    return [check(scheduler) for scheduler in application.fleet.schedulers]


async def _model(application: "Application", say: Words) -> Finding:
    model = application.settings.model
    if not model.name:
        return Finding("model", "off", say("doctor.model_off"))

    async def ask() -> str:
        await application.agent.probe()
        return say("doctor.model_ok", name=model.name)

    return await _timed("model", say("doctor.model_todo"), ask, say)


async def _feishu(application: "Application", say: Words) -> Finding:
    channel = application.feishu
    assert channel is not None  # noqa: S101  # the caller checked

    async def ask() -> str:
        found = say("doctor.feishu_ok", name=(await channel.bot()).name)
        if application.feishu_stream is None:
            return f"{found}{say('doctor.feishu_webhook')}"
        await application.feishu_stream.address()
        return f"{found}{say('doctor.feishu_stream')}{await _connection(application, 'feishu', say)}"

    found = await _timed("feishu", say("doctor.feishu_todo"), ask, say)
    missing = await channel.missing_permissions() if found.ok else ()
    if missing:
        return replace(found, grade="failed", todo=say("doctor.feishu_permissions", names=", ".join(missing)))
    return found


async def _connection(application: "Application", channel: str, say: Words) -> str:
    """What the X-Ops that runs on this address says of a messenger's long connection; only it knows."""
    server = application.settings.server
    try:
        url = f"http://{server.host}:{server.port}/metrics"
        answer = await application.http.request("GET", url, system="xops", timeout=2)
    except Unreachable:
        return say("doctor.connection_unknown")
    stands = f'xops_connected{{channel="{channel}"}} 1.0'.encode() in answer.body
    return say("doctor.connection_stands" if stands else "doctor.connection_broken")


def _feishu_off(settings: Settings, say: Words) -> list[Finding]:
    return [] if settings.feishu.app_id else [Finding("feishu", "off", say("doctor.feishu_off"))]


async def _dingtalk(application: "Application", channel: DingTalkChannel, say: Words) -> Finding:
    settings = application.settings.dingtalk

    async def ask() -> str:
        await channel.check()
        stands = await _connection(application, channel.name, say) if settings.mode == "stream" else ""
        return say("doctor.dingtalk_ok", mode=settings.mode) + stands

    found = await _timed("dingtalk", say("doctor.dingtalk_todo"), ask, say)
    if found.ok and not settings.card_template_id:
        return replace(found, grade="warning", todo=say("doctor.dingtalk_template"))
    return found


def _dingtalk_off(settings: Settings, say: Words) -> list[Finding]:
    return [] if settings.dingtalk.client_id else [Finding("dingtalk", "off", say("doctor.dingtalk_off"))]


async def _wecom(channel: WeComChannel, say: Words) -> Finding:
    async def ask() -> str:
        return say("doctor.wecom_ok", name=await channel.app())

    return await _timed("wecom", say("doctor.wecom_todo"), ask, say)


async def _wecom_bot(application: "Application", bot: AiBot, say: Words) -> Finding:
    from core.store.migrate import pending

    async def ask() -> str:
        works = await bot.check(alone=bool(await pending(application.store)))
        mode = application.settings.wecom_bot.mode
        return say("doctor.wecom_bot_ok" if works else "doctor.wecom_bot_elsewhere", mode=mode)

    return await _timed("wecom_bot", say("doctor.wecom_bot_todo"), ask, say)


def _wecom_off(settings: Settings, say: Words) -> list[Finding]:
    off = {"wecom": settings.wecom.corp_id, "wecom_bot": settings.wecom_bot.bot_id}
    return [Finding(name, "off", say("doctor.wecom_off")) for name, configured in off.items() if not configured]


def _web(settings: Settings, say: Words) -> list[Finding]:
    known = {person.name for person in settings.people}
    if settings.web.person not in known:
        return [Finding("web", "failed", say("doctor.web_nobody", name=settings.web.person), say("doctor.web_todo"))]
    if not settings.server.public_url:
        return [Finding("web", "warning", say("doctor.web_local"), say("doctor.web_public_url"))]
    return [Finding("web", "ok", settings.server.public_url)]
