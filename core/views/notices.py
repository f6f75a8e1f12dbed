"""Cards that hold a sentence: help, a question back, nothing found, something went wrong, please wait."""

from collections.abc import Iterator, Mapping, Sequence

from core.cards import Block, Button, Card, Item, Note, Text
from core.i18n import Words
from core.results import Choice, Missing, Notice, Problem
from core.views import buttons
from core.views.reader import Reader, plain

OPTIONS = 10
PLAIN_COMMANDS = frozenset({"overview", "failed", "repeated", "mine", "rerun-failed", "help", "whoami"})
"""Commands that need no argument, so that a suggestion of one becomes a button."""

USUAL = ("overview", "help")
NEXT: Mapping[str, tuple[str, ...]] = {
    "help": ("overview", "failed", "repeated", "mine", "whoami"),
    "denied": ("whoami", "help"),
    "not_found": ("failed", "help"),
    "stale": ("failed", "help"),
    "switched_off": (),
}
"""What to press after a notice or a problem, where it is not the usual."""

TARGETS = {"table": "name", "instances": "subject", "subscribe": "subject"}
"""How a command calls what it is about, where it is not `target`."""


def choice(reader: Reader, result: Choice) -> Card:
    """Which one was meant."""
    name = plain(result.name)
    shown = tuple(
        Item(f"{number}. {plain(label)}", plain(reference), buttons=(_pick(reader, result, reference),))
        for number, (reference, label) in enumerate(result.options[:OPTIONS], 1)
    )
    return Card(
        title=reader.words("views.choice.title", name=name),
        blocks=(
            Text(reader.words("views.choice.next", kind=_kind(reader.words, result.kind), count=len(shown))),
            *shown,
        ),
        tone="info",
    )


def missing(reader: Reader, result: Missing) -> Card:
    """Nothing has this name; the nearest that do are one press away."""
    name, kind = plain(result.name), _kind(reader.words, result.kind)
    return Card(
        title=reader.words("views.missing.title", kind=kind, name=name),
        blocks=tuple(_missing(reader, result)),
        tone="warning",
    )


def problem(reader: Reader, result: Problem) -> Card:
    """It could not be done: why, and what to do."""
    values = {name: spoken(reader.words, name, value) for name, value in result.details.items()}
    blocks: list[Block] = [Text(reader.sentence(f"errors.{result.text}", values, otherwise="errors.internal"))]
    if code := values.get("code"):
        blocks.append(
            Note(reader.words("views.problem.code", system=plain(values.get("system", "")), code=plain(code)))
        )
    if result.outage is not None:
        last = result.outage.last_answer
        since = reader.zoned(last) if last else reader.words("views.outage.never")
        blocks.append(Note(reader.words("views.problem.last_answer", since=since)))
    words = NEXT.get(result.text, USUAL)
    blocks.extend(buttons.row(*(buttons.command(reader, word) for word in words)))
    return Card(reader.words("views.problem.title"), tuple(blocks), "warning")


def notice(reader: Reader, result: Notice) -> Card:
    """A sentence of the assistant's own; what may be asked next stands below it."""
    values = {name: spoken(reader.words, name, value) for name, value in result.details.items()}
    said = reader.sentence(f"notices.{result.text}", values, otherwise="views.notice.other")
    examples = [word for word in result.suggestions if word not in PLAIN_COMMANDS]
    blocks: list[Block] = [Text(said)]
    if examples:
        listed = "\n".join(f"· {plain(example)}" for example in examples[:OPTIONS])
        blocks.append(Text(f"{reader.words('views.notice.examples')}\n{listed}"))
    words = [word for word in result.suggestions if word in PLAIN_COMMANDS] or NEXT.get(result.text, USUAL)
    blocks.extend(buttons.row(*(buttons.command(reader, word) for word in words)))
    title = f"views.notice.title.{result.text}"
    return Card(reader.words(title if title in reader.words else "views.notice.title.other"), tuple(blocks), "info")


def progress(words: Words, steps: Sequence[str]) -> Card:
    """What is being looked up, for answers that take longer than a second.

    Args:
        words: the reader's language.
        steps: names of the tools that started, in order; the last one is still at work.
    """
    named = [f"views.step.{step}" for step in steps]
    said = [words(key if key in words else "views.step.other") for key in named]
    lines = [words("views.progress.done", step=step) for step in said[:-1]]
    lines += [words("views.progress.now", step=step) for step in said[-1:]]
    text = Text("\n".join(lines) or words("views.progress.start"))
    return Card(words("views.progress.title"), (text,), "info", pending=True)


def busy(words: Words) -> Card:
    """Too much at once: nothing was lost, and when to ask again."""
    return Card(words("views.busy.title"), (Text(words("errors.busy")),), "warning")


def apology(words: Words, trace: str) -> Card:
    """Our own fault. The trace lets an engineer find it in the logs."""
    blocks = (Text(words("errors.internal")), Note(words("views.apology.trace", trace=plain(trace))))
    return Card(words("views.apology.title"), blocks, "warning")


def _missing(reader: Reader, result: Missing) -> Iterator[Block]:
    if result.nearest and result.command:
        yield Text(reader.words("views.missing.nearest"))
        yield from buttons.row(*(_pick(reader, result, name) for name in result.nearest[:OPTIONS]))
    elif result.nearest:
        listed = "\n".join(f"· {plain(name)}" for name in result.nearest[:OPTIONS])
        yield Text(f"{reader.words('views.missing.nearest')}\n{listed}")
    else:
        yield Text(reader.words("views.missing.next"))
    if result.searched:
        yield Note(reader.words("views.missing.searched", names=reader.listed(result.searched)))
    yield from buttons.row(*(buttons.command(reader, word) for word in ("failed", "help")))


def _pick(reader: Reader, result: Choice | Missing, reference: str) -> Button:
    label = plain(reference, 40) if isinstance(result, Missing) else reader.words("views.choice.pick")
    arguments = {**result.arguments, TARGETS.get(result.command, "target"): reference}
    return Button(label, result.command, arguments)


def refused(reader: Reader, refusal: Mapping[str, str]) -> str:
    """Why a rule or a check of ours said no, from what was kept of the error (`XOpsError.said`)."""
    values = {name: plain(spoken(reader.words, name, value)) for name, value in refusal.items()}
    return reader.sentence(f"errors.{values.pop('text', '')}", values, otherwise="errors.internal")


def spoken(words: Words, name: str, value: str) -> str:
    """Details of an error that are our own words for things, in the reader's."""
    if name == "kind":
        return _kind(words, value)
    key = f"views.role.{value}"
    return words(key) if name in {"needed", "role"} and key in words else value


def _kind(words: Words, kind: str) -> str:
    key = f"views.kind.{kind}"
    return words(key if key in words else "views.kind.other")
