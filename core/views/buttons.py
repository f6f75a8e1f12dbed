"""Buttons: which commands a card offers about an instance, most useful first, and only what this person may do there.

A hidden button protects nobody: rights are checked again at the click and at the execution. It spares people dead ends.
"""

from collections.abc import Iterator

from core.cards import Button, Buttons
from core.operations import RULES
from core.schedulers.base import DataTable, Instance, Operation, Status
from core.views.reader import Reader

WAITING = frozenset({Status.NOT_RUN, Status.WAIT_UPSTREAM, Status.WAIT_TIME, Status.WAIT_RESOURCE, Status.WAIT_TRIGGER})
STUCK = WAITING | {Status.FAILED, Status.KILLED, Status.UPSTREAM_FAILED, Status.UNKNOWN}
"""Statuses that make people ask why."""


def command(reader: Reader, word: str, **arguments: str) -> Button:
    """A button for a command, labelled with the catalogue's word for it."""
    return Button(reader.words(f"views.button.{word}"), word, arguments)


def about(reader: Reader, instance: Instance, *words: str) -> tuple[Button, ...]:
    """A button for each command word, all about this instance."""
    return tuple(command(reader, word, target=instance.ref) for word in words)


def asking(reader: Reader, instance: Instance) -> tuple[Button, ...]:
    """What one would ask next about an instance: why, what it logged."""
    words = [*(["diagnose"] if instance.status in STUCK else []), *(["log"] if ran(instance) else [])]
    return about(reader, instance, *(words or ["status"]))


def listed(reader: Reader, instance: Instance) -> tuple[Button, ...]:
    """The few buttons of an instance in a list."""
    return (*asking(reader, instance), *mending(reader, instance))


def ran(instance: Instance) -> bool:
    """Whether there can be a log."""
    return instance.run_number > 0 or instance.started_at is not None


def changing(reader: Reader, instance: Instance) -> tuple[Button, ...]:
    """The operations that fit the status, that the scheduler can do, and that this person may propose."""
    return tuple(
        propose(reader, operation, instance)
        for operation, rule in RULES.items()
        if rule.offered(instance) and possible(reader, operation, instance)
    )


def possible(reader: Reader, operation: Operation, instance: Instance) -> bool:
    """Whether this person may do it there, and the scheduler can."""
    return reader.person.may(operation, instance.task) and reader.offered(operation, instance.task.scheduler)


def mending(reader: Reader, instance: Instance) -> tuple[Button, ...]:
    """The operation that most likely gets a stuck instance going, where it is allowed."""
    return changing(reader, instance)[:1] if instance.status in STUCK else ()


def propose(reader: Reader, operation: Operation, instance: Instance) -> Button:
    """A button that asks for a proposal; nothing happens before that one is confirmed."""
    label = reader.words(f"operations.{operation}.name")
    return Button(label, "propose", {"operation": operation.value, "target": instance.ref})


def promising(reader: Reader, instance: Instance) -> Iterator[Button]:
    """To be told what becomes of an instance; and of one that failed, to hear no more of it, where that is allowed."""
    if not instance.status.succeeded:
        yield from about(reader, instance, "follow")
    if instance.status.failed and reader.person.operates(instance.task):
        yield from about(reader, instance, "mute")


def mute_table(reader: Reader, table: DataTable) -> Iterator[Button]:
    """To hear no more of a table, where that is allowed."""
    if reader.person.has("operator") and reader.person.covers(table.scheduler, table.project):
        yield command(reader, "mute", target=f"table:{table.scheduler}:{table.name}")


def page(reader: Reader, instance: Instance) -> tuple[Button, ...]:
    """A link to the scheduler's own page, when it is a web address."""
    if not instance.url.startswith(("https://", "http://")):
        return ()
    return (Button(reader.words("views.button.page"), url=instance.url),)


def row(*buttons: Button) -> Iterator[Buttons]:
    """A row of buttons, unless there are none."""
    if buttons:
        yield Buttons(buttons)
