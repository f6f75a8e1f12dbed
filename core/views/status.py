"""Statuses in words and tones. The words always say it; the tone only repeats it for those who see colours."""

from core.cards import Tone
from core.schedulers.base import Flags, Instance, Status
from core.views.reader import Reader

TONES: dict[Status, Tone] = {
    Status.FAILED: "danger",
    Status.KILLED: "danger",
    Status.UPSTREAM_FAILED: "warning",
    Status.FORCED_SUCCESS: "warning",
    Status.UNKNOWN: "warning",
    Status.SUCCESS: "success",
    Status.RUNNING: "info",
    Status.CHECKING: "info",
}
"""Statuses not listed are neutral."""

FLAGS = ("frozen", "dry_run", "forced", "off_cycle")


def tone(instance: Instance) -> Tone:
    """The tone of an instance; a success that wrote nothing is not shown as one."""
    if instance.status.succeeded and instance.flags.wrote_nothing:
        return "warning"
    return TONES.get(instance.status, "neutral")


def status_line(reader: Reader, instance: Instance) -> str:
    """`失败 · 已冻结`: the status word, then every flag in words."""
    named = (reader.words(f"status.flag.{name}") for name in flags(instance.flags))
    return " · ".join((reader.words(f"status.{instance.status}"), *named))


def status_and_run(reader: Reader, instance: Instance) -> str:
    """`失败 · 已冻结 · 第 2 次运行`: with the run number once there were several."""
    status = status_line(reader, instance)
    if instance.run_number <= 1:
        return status
    return f"{status} · {reader.words('status.run', number=instance.run_number)}"


def next_step(reader: Reader, instance: Instance) -> str:
    """What to do about an instance. Flags come first: a frozen one did not really fail, nor a dry run really succeed."""
    if instance.flags.frozen:
        return reader.words("status.next.frozen")
    if instance.status.succeeded and instance.flags.wrote_nothing:
        return reader.words("status.next.wrote_nothing")
    return reader.words(f"status.next.{instance.status}")


def flags(of: Flags) -> tuple[str, ...]:
    """Names of the flags that are set."""
    return tuple(name for name in FLAGS if getattr(of, name))
