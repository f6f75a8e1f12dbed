"""The messengers there are. One line each; what is not configured is not built."""

from collections.abc import Callable, Mapping, Sequence

from bots.dingtalk.messenger import dingtalk
from bots.feishu.messenger import feishu
from bots.messenger import Messenger, Surroundings
from bots.wecom.messenger import wecom, wecom_bot

KNOWN: Mapping[str, Callable[[Surroundings], Messenger | None]] = {
    "feishu": feishu,
    "dingtalk": dingtalk,
    "wecom": wecom,
    "wecom_bot": wecom_bot,
}
"""Name of the channel, and what builds it; None when its settings are empty."""


def messengers(around: Surroundings) -> Sequence[Messenger]:
    """Those that the settings configure."""
    built = (build(around) for build in KNOWN.values())
    return tuple(messenger for messenger in built if messenger is not None)
