"""Lines of a log as they are: the marked ones with what stands around them, and the end."""

from collections.abc import Iterator

from core.cards import Block, Card, Log, Note, Text
from core.results import LogView
from core.schedulers.base import LogPage
from core.views import buttons
from core.views.grounds import seen_at
from core.views.reader import Reader, plain, plain_line
from core.views.status import status_line, tone

AROUND = 2
TAIL = 20
LINES = 60


def card(reader: Reader, result: LogView) -> Card:
    """The card of a log."""
    return Card(
        title=reader.words("views.log.title", name=plain(result.instance.task.name)),
        subtitle=reader.as_of(seen_at(result), result.instance.business_date),
        tone=tone(result.instance),
        blocks=tuple(_blocks(reader, result)),
    )


def injection(reader: Reader, numbers: frozenset[int]) -> Iterator[Text]:
    """The warning that lines of a log try to instruct the reader, with their numbers."""
    if numbers:
        listed = ", ".join(str(number) for number in sorted(numbers)[:10])
        yield Text(reader.words("views.log.injection", lines=listed), "strong")


def _blocks(reader: Reader, result: LogView) -> Iterator[Block]:
    instance, page = result.instance, result.page
    yield from injection(reader, result.injection)
    run = reader.words("status.run", number=page.run_number) if page.run_number else reader.words("views.never_ran")
    yield Text(f"{plain(instance.task.scheduler)} · {run} · {status_line(reader, instance)}")
    if page.lines:
        shown = _excerpt(page, result.marked)
        yield Log(shown, result.marked & {number for number, _ in shown})
        yield Note(_extent(reader, page, len(shown)))
    else:
        yield Text(reader.words("views.log.none"))
    yield from buttons.row(*_buttons(reader, result))


def _excerpt(page: LogPage, marked: frozenset[int]) -> tuple[tuple[int, str], ...]:
    """Marked lines with their neighbours first, then the end, as many as a card bears; in the log's order."""
    last = page.first + len(page.lines) - 1
    around = [number + step for number in sorted(marked) for step in range(-AROUND, AROUND + 1)]
    wanted = [
        number for number in dict.fromkeys((*around, *range(last, last - TAIL, -1))) if page.first <= number <= last
    ]
    return tuple((number, plain_line(page.lines[number - page.first])) for number in sorted(wanted[:LINES]))


def _extent(reader: Reader, page: LogPage, shown: int) -> str:
    total = max(page.total, page.first - 1 + len(page.lines))
    extent = reader.words("views.log.extent", shown=shown, total=total)
    return f"{extent} {reader.words('views.log.running')}" if page.running else extent


def _buttons(reader: Reader, result: LogView) -> Iterator[buttons.Button]:
    instance = result.instance
    if instance.status in buttons.STUCK:
        yield from buttons.about(reader, instance, "diagnose")
    yield from buttons.mending(reader, instance)
    if result.page.running:
        yield buttons.Button(reader.words("views.button.refresh"), "log", {"target": instance.ref})
    if result.page.run_number > 1:
        earlier = str(result.page.run_number - 1)
        label = reader.words("views.button.earlier_run", number=earlier)
        yield buttons.Button(label, "log", {"target": instance.ref, "run": earlier})
    yield from buttons.about(reader, instance, "status")
    yield from buttons.page(reader, instance)
