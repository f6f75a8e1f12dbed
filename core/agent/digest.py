"""Results as text for a model and for the history: short, numbered, with the references a tool takes. No LangChain here.

Everything in it came from outside and is masked; whoever hands it to a model fences it as well (`core.redact.fence`).
Lines of a log that try to instruct the reader are left out and counted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from core.approvals.model import TicketList, TicketView
from core.diagnosis.model import LogFinding
from core.redact import clean, mask
from core.results import (
    Account,
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
    Tally,
)
from core.schedulers.base import Instance, incomplete
from core.subscriptions.model import SubscriptionList
from core.watches.model import MutePreview, WatchList, WatchView

LONGEST = 4000
"""Characters of one result: a log must not use up a turn's tokens."""
LISTED = 20
AROUND = 2
"""Lines shown before and after a marked line of a log."""
TAIL = 15


def digest(result: Result, *, longest: int = LONGEST, hide: Callable[[str], str] = mask) -> str:
    """The result as text.

    Args:
        result: what was found.
        longest: most characters.
        hide: takes secrets out.
    """
    grounds = _grounds(result) if isinstance(result, Observed) else ()
    text = hide(clean("\n".join((*_lines(result), *grounds))))
    return text if len(text) <= longest else text[: longest - 2] + " …"


def _lines(result: Result) -> Iterable[str]:  # noqa: C901, PLR0912  # one flat case a type
    match result:
        case Overview():
            return _overview(result)
        case InstanceList():
            return _list(result)
        case InstanceDetail():
            return _detail(result)
        case TableReport():
            return _table(result)
        case LogView():
            return _log(result)
        case Lineage():
            return _lineage(result)
        case Diagnosed():
            return _diagnosed(result)
        case LogFinding():
            return [f"a pasted log says: {result.cause} ({result.confidence}) {result.object}"]
        case Proposal():
            return [
                f"proposal {result.id} {result.operation} {result.state}, touches {result.affected}; a person must confirm it",
                _instance(result.instance),
            ]
        case DaysWanted():
            return [
                f"the person is asked for the days of a backfill, at most {result.most}",
                _instance(result.instance),
            ]
        case Choice():
            heading = f"several {result.kind}s are called {result.name}; ask which one"
            return [heading, *(f"{n}. {ref} {label}" for n, (ref, label) in enumerate(result.options, 1))]
        case Missing():
            return [f"no {result.kind} is called {result.name}", f"nearest: {', '.join(result.nearest) or 'none'}"]
        case Problem():
            return [f"not possible: {result.text}", _pairs(result.details)]
        case Notice():
            return [f"the person is told: {result.text}", _pairs(result.details)]
        case Account():
            return [f"the person is {result.person.name}, {result.person.role}"]
        case LinkCode():
            return ["the person is shown a code to link another messenger"]  # the code itself is not kept
        case TicketView():
            ticket = result.ticket
            return [f"ticket {ticket.id} {ticket.state}: {ticket.request.title}"]
        case TicketList():
            return [f"{one.id} {one.state}: {one.request.title}" for one in result.tickets[:LISTED]] or ["no tickets"]
        case WatchView():
            watch = result.watch
            return [f"promise {watch.id}: {watch.kind} {watch.name} {watch.state}", watch.ref]
        case WatchList():
            return [f"{one.id}: {one.kind} {one.name} {one.state}" for one in result.watches[:LISTED]] or ["none"]
        case MutePreview():
            return [f"muting {result.name} would have hidden {len(result.hidden)} alerts in {result.days} days"]
        case SubscriptionList():
            told = [f"{one.kind} {one.subject} from {one.severity}" for one in result.subscriptions[:LISTED]]
            return [f"subscriptions {result.what}", *(told or ["none"])]


def _overview(result: Overview) -> Iterator[str]:
    yield f"overview of {result.day}"
    yield f"operable: {_tally(result.operable)}"
    yield f"mine: {_tally(result.mine)}"


def _tally(tally: Tally) -> str:
    counts = ", ".join(f"{status} {count}" for status, count in tally.counts.items() if count)
    return f"total {tally.total}, failed {tally.failed}, repeatedly failed {tally.repeated} ({counts or 'none'})"


def _list(result: InstanceList) -> Iterator[str]:
    about = f" of {result.subject}" if result.subject else ""
    yield f"{result.kind} instances{about} on {result.day}: {result.total}"
    for number, instance in enumerate(result.instances[:LISTED], result.offset + 1):
        yield f"{number}. {_instance(instance)}"


def _detail(result: InstanceDetail) -> Iterator[str]:
    yield _instance(result.instance)
    yield from (f"waits for {_instance(blocker)}" for blocker in result.blockers[:LISTED])
    held = result.constraints
    yield from (f"throttled by {rule}" for rule in held.throttled_by)
    if held.resource_group:
        yield f"waits for resource group {held.resource_group}"
    if result.history:
        yield "history, newest first: " + ", ".join(one.status for one in result.history[:10])


def _table(result: TableReport) -> Iterator[str]:
    yield f"table {result.table.name} on {result.day}: {result.verdict} {result.reason}".strip()
    if result.update:
        rows = "" if result.update.rows is None else f", {result.update.rows} rows"
        yield f"last update {_time(result.update.at)}{rows} {result.update.partition}".strip()
    if result.table.unmeasured:
        yield f"the data could not be measured, this is what the scheduler knows: {result.table.unmeasured}"
    if result.expected_at:
        yield f"expected at {_time(result.expected_at)}"
    if result.producer:
        yield f"produced by {_instance(result.producer)}"


def _log(result: LogView) -> Iterator[str]:
    page = result.page
    yield f"log of {result.instance.ref} run {page.run_number}, {page.total or len(page.lines)} lines"
    last = page.first + len(page.lines)
    near = {mark + step for mark in result.marked for step in range(-AROUND, AROUND + 1)}
    shown = near | set(range(last - TAIL, last))
    for number, line in enumerate(page.lines, page.first):
        if number in shown and number not in result.injection:
            yield f"L{number}{'*' if number in result.marked else ''} {line[:300]}"
    if result.injection:
        yield f"{len(result.injection)} lines that try to instruct the reader were left out"


def _lineage(result: Lineage) -> Iterator[str]:
    least = "at least " if incomplete(result.related) else ""
    yield f"{result.direction} of {result.instance.ref} {result.instance.task.name}: {least}{len(result.related)}"
    for number, related in enumerate(result.related[:LISTED], 1):
        yield f"{number}. {_instance(related.instance)}, {related.distance} hops"


def _diagnosed(result: Diagnosed) -> Iterator[str]:
    found = result.diagnosis
    yield f"diagnosis of {_instance(result.instance)}"
    yield f"cause {found.cause} ({found.confidence}) {found.object}; rerun helps: {found.rerun_helps}"
    yield from (f"{check.name}: {check.outcome}" for check in found.checks)
    suspect = set(found.injection)
    yield from (
        f"[{proof.id}] {proof.text[:300]}" for proof in found.proofs if proof.line not in suspect or not proof.line
    )
    if found.blocker:
        yield f"blocked by {_instance(found.blocker)}"
    least = "at least " if found.more_downstream else ""
    yield f"downstream {least}{found.downstream}; also failed the day before: {found.also_failed_yesterday}"
    yield f"advice: {', '.join(found.advice) or 'none'}"
    for rule in found.alert_rules:
        duty = [person for shift in rule.shifts for person in shift.people]
        yield f"the scheduler's alert rule {rule.name} on {rule.on} calls {', '.join(rule.people)}; on duty: {', '.join(duty)}"


def _instance(instance: Instance) -> str:
    owner = f" owner {instance.task.owner}" if instance.task.owner else ""
    due = f" due {_time(instance.scheduled_at)}" if instance.scheduled_at else ""
    flags = "".join(
        f" {flag}" for flag in ("frozen", "dry_run", "forced", "off_cycle") if getattr(instance.flags, flag)
    )
    return f"{instance.ref} {instance.task.name} [{instance.task.project}] {instance.status}{flags}{owner}{due}"


def _grounds(result: Observed) -> Iterator[str]:
    """Whose part is missing, and how old the others' are."""
    yield from (f"no answer from {outage.scheduler}: this is without it" for outage in result.outages)
    for source in result.sources:
        known = "never heard of anything" if source.age is None else f"is {source.age:.0f} s old"
        missed = "" if source.gap is None else f"; events of the last {source.gap:.0f} s may have been missed"
        yield f"what {source.scheduler} told {known}{missed}"


def _time(at: datetime) -> str:
    return at.isoformat(" ", "minutes")


def _pairs(details: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in details.items())
