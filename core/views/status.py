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
    """`失败 · 冻结 · 第 2 次运行`: the status word, then every flag in words, then the run number once there were several."""
    parts = [reader.words(f"status.{instance.status}")]
    parts += [reader.words(f"status.flag.{name}") for name in flags(instance.flags)]
    if instance.run_number > 1:
        parts.append(reader.words("status.run", number=instance.run_number))
    return " · ".join(parts)


def flags(of: Flags) -> tuple[str, ...]:
    """Names of the flags that are set."""
    return tuple(name for name in FLAGS if getattr(of, name))
