"""`xops alert` and `xops diagnose`: what a text says and why something failed, as JSON that scripts may rely on.

Neither a pasted alert nor a log needs anything configured; `xops diagnose INSTANCE` asks the schedulers of the settings.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from bots.bulk import Line, answer_lines, open_text
from bots.output import Json, Lines, configured, print_json, print_text
from core.i18n import words
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from core.alerts import Alert
    from core.diagnosis.model import Check, Diagnosis, LogFinding
    from core.diagnosis.runbooks import Knowledge
    from core.schedulers.base import Baseline, Change, Instance, Related

WAITING = 20
"""Most waiting instances that `impact` names."""


def alert(file: Annotated[str, typer.Argument(help="A file, or - for standard input.")] = "-",
          as_json: Json = False, as_lines: Lines = False) -> None:  # fmt: skip
    """Read a pasted alert of any shape: who sent it, what about, since when."""
    _each(file, _alert_json, _alert_text, as_json=as_json, as_lines=as_lines)


def diagnose(
    instance: Annotated[str, typer.Argument(help="A reference, an id or a task's name.")] = "",
    log: Annotated[str, typer.Option("--log", help="Diagnose this log instead: a file, or - for standard input.")] = "",
    as_json: Json = False,
    as_lines: Lines = False,
) -> None:
    """Say why an instance failed, or what a log says by itself, with the lines that prove it."""
    if log or as_lines:
        _each(log or "-", _log_json, _log_text, as_json=as_json, as_lines=as_lines)
        return
    if not instance:
        raise typer.BadParameter("name an instance, or give --log FILE")
    found = asyncio.run(_diagnosed(configured("error"), instance))
    if as_json:
        print_json(found)
    else:
        print_text(_log_text(found))
    raise typer.Exit(1 if "error" in found else 0)


def _each(
    file: str,
    read: Callable[[str], dict[str, object]],
    show: Callable[[Mapping[str, object]], str],
    *,
    as_json: bool,
    as_lines: bool,
) -> None:
    async def answer(line: Line) -> Mapping[str, object]:
        return await asyncio.to_thread(read, line.text)

    if as_lines:
        asyncio.run(answer_lines(file, answer))
        return
    with open_text(file) as source:
        found = read(source.read())
    if as_json:
        print_json(found)
    else:
        print_text(show(found))


def _alert_json(text: str) -> dict[str, object]:
    from core.alerts import read

    reading = read(text)
    alerts = [_one_alert(found) for found in reading.alerts]
    return {
        "kind": reading.kind,
        "alerts": alerts,
        "injection": bool(reading.injection),
        "left_out": reading.left_out,
        "unlisted": reading.unlisted,
    }


def _one_alert(found: "Alert") -> dict[str, object]:
    return {**asdict(found), "times": dict(found.times), "values": dict(found.values)}


def _alert_text(found: Mapping[str, object]) -> str:
    alerts: list[dict[str, object]] = found["alerts"]  # pyright: ignore[reportAssignmentType]  # as made above
    if not alerts:
        return "no alert"
    each = ["\n".join(f"{name:14} {_plain(value)}" for name, value in one.items() if value) for one in alerts]
    whole = [f"{name:14} {found[name]}" for name in ("unlisted", "injection", "left_out") if found[name]]
    return "\n\n".join([*each, *whole])


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={entry}" for name, entry in value.items() if entry)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return "; ".join(map(_plain, value))  # pyright: ignore[reportUnknownArgumentType]
    return str(value)


def _log_json(text: str) -> dict[str, object]:
    from core.diagnosis import read_log
    from core.diagnosis.text import bounded
    from core.redact import mask
    from core.schedulers.base import LogPage

    page = LogPage(1, tuple(text.rstrip("\n").split("\n")))
    read = bounded(page)
    knowledge = _knowledge()
    found = read_log(page, rules=knowledge.rules if knowledge else None)
    return {**_finding(found), "masked": mask("\n".join(read.lines)), "left_out": read.unread}


def _finding(found: "LogFinding | Diagnosis") -> dict[str, object]:
    """What a log and an instance have in common."""
    advice = (found.advice,) if isinstance(found.advice, str) else found.advice
    return {
        "cause": str(found.cause),
        "confidence": found.confidence,
        "object": found.object,
        "evidence": [{"id": proof.id, "line": proof.line, "text": proof.text} for proof in found.proofs],
        "rerun_helps": found.rerun_helps,
        "actions": [_words(f"advice.{key}") for key in advice if key],
        "injection": bool(found.injection),
        "rule": found.rule,
        "place": asdict(found.place) if found.place else None,
    }


async def _diagnosed(settings: Settings, target: str) -> dict[str, object]:
    """The diagnosis of one instance; `error` when there is no such, or several."""
    from bots.app import build_clock, running
    from core.diagnosis import diagnose as verdict
    from core.errors import Ambiguous, NotFound, XOpsError
    from core.tools.evidence import gather

    async with running(settings, accepting=False) as application:
        try:
            instance = await application.look.find.instance(target, interest="failure")
            evidence = await gather(application.fleet, instance, build_clock(settings)())
        except Ambiguous as error:
            return {"error": error.text, "choices": [ref for ref, _ in error.choices]}
        except NotFound as error:
            return {"error": error.text, "nearest": list(error.nearest)}
        except XOpsError as error:
            return {"error": error.text}
    found = await asyncio.to_thread(verdict, evidence, _knowledge())
    return {
        **_finding(found),
        "instance": _instance(instance),
        "checks": [_check(check) for check in found.checks],
        "ruled_out": [_check(check) for check in found.ruled_out],
        "blockers": [_instance(found.blocker)] if found.blocker else [],
        "impact": {
            "downstream": found.downstream,
            "waiting": _waiting(evidence.downstream),
            "late": [_promise(one) for one in found.late],
        },
        "changes": [{**_change(one.change), "linked": one.linked} for one in found.before],
        "runbooks": [asdict(book) for book in found.runbooks],
        "history": [_instance(one) for one in evidence.history],
        "also_failed_yesterday": found.also_failed_yesterday,
        "masked": "\n".join(evidence.log.lines) if evidence.log else "",
    }


def _waiting(downstream: "tuple[Related, ...]") -> list[dict[str, object]]:
    waiting = [one.instance for one in downstream if not one.instance.status.succeeded]
    return [_instance(one) for one in waiting[:WAITING]]


def _instance(one: "Instance") -> dict[str, object]:
    return {
        "ref": one.ref,
        "name": one.task.name,
        "project": one.task.project,
        "owner": one.task.owner,
        "status": str(one.status),
        "business_date": one.business_date.isoformat() if one.business_date else "",
    }


def _check(check: "Check") -> dict[str, object]:
    said = _words(f"detail.{check.detail}", **dict(check.values))
    return {"name": check.name, "outcome": check.outcome, "detail": said, "proofs": list(check.proofs)}


def _change(one: "Change") -> dict[str, object]:
    return {**asdict(one), "at": one.at.isoformat()}


def _promise(one: "Baseline") -> dict[str, object]:
    expected = one.expected_at.isoformat() if one.expected_at else ""
    return {"name": one.name, "owner": one.owner, "promised_at": one.promised_at.isoformat(), "expected_at": expected}


def _log_text(found: Mapping[str, object]) -> str:
    shown = ("error", "choices", "nearest", "cause", "confidence", "object", "rerun_helps", "actions", "evidence")
    return "\n".join(f"{name:14} {_plain(found[name])}" for name in shown if found.get(name))


def _words(key: str, **values: object) -> str:
    return words(_language())(f"diagnosis.{key}", **values)


@cache
def _knowledge() -> "Knowledge | None":
    from core.diagnosis.runbooks import configured

    return configured(load_settings())


@cache
def _language() -> str:
    return load_settings().language
