"""Promises asked for in a sentence: "dws_x 好了告诉我，8:30 还没好就叫王蕾", "follow load_orders", "mute x for 2h".

A sentence counts only as a whole and only with the name spelt out; any other is for the agent. No model is asked: what
calls people at night, or hides alerts, is read by rules alone. The first pattern that fits decides.
"""

import re
from functools import cache

from core.agent.rules.text import fold

LONGEST = 200
"""Characters of a sentence; what is longer was pasted."""

_NAME = r"(?P<target>[a-z_][a-z0-9_.:/-]{1,120}[a-z0-9_])"
_AT = r"(?P<at>(?:(?:上午|早上|下午|晚上) ?)?\d{1,2}(?::\d{2}|点(?:半|\d{1,2}分?)?))"
_WHO = r"(?P<call>[\w·.@-]{1,80}(?: ?[,、和] ?[\w·.@-]{1,80}){0,4})"
_SPAN = r"(?P<duration>\d{1,4}(?:\.\d)? ?(?:分钟|分|小时|个小时|天|minutes?|mins?|hours?|days?|m|h|d))"
_DAYS = r"(?P<days>每天|每个工作日)"
_PLEASE = r"(?:请|麻烦|帮我|please )*"
_READY = r"(?:就绪|好|更新|产出|出来)"
_NOT_READY = rf"(?:前|之前)?还?没有?{_READY}?,?(?:的话)?,?就?"
_TELL = r"(?:告诉|通知|提醒|叫|喊)"
_ALERTS = r"(?: ?的?(?:告警|报警))?"
_SEND = r"(?:给我)?(?:发|推)(?:一?份)?"
_END = r"(?:给我)?[ 。.!~]*"

PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "ready",
        rf"{_NAME} ?{_READY}了?(?:就|的话)?,?请?{_TELL}(?:我|一下)(?:一下|一声)?"
        rf"[, ]*(?:如果|要是)?{_AT} ?{_NOT_READY}{_TELL} ?{_WHO}",
    ),
    (
        "ready",
        rf"(?:tell me|let me know) when {_NAME} is (?:ready|there|updated|done)"
        rf"[,;. ]+if (?:it is |it's )?not (?:ready |there )?by {_AT},? ?(?:please )?(?:call|tell|notify|ping) {_WHO}",
    ),
    ("ready", rf"{_NAME} ?{_AT} ?{_NOT_READY}{_TELL} ?(?:我|{_WHO})"),
    ("unfollow", rf"(?:取消关注|取消追踪|不再关注|不用盯|别盯|unfollow|stop following)[着了]? ?{_NAME}了?"),
    ("follow", rf"(?:关注(?:一下)?|[跟追]踪(?:一下)?|盯(?:着|住|一下|紧)|follow(?! up)|keep an eye on) ?{_NAME}"),
    ("unmute", rf"(?:取消屏蔽|解除屏蔽|取消静音|unmute) ?{_NAME}{_ALERTS}"),
    ("mute", rf"(?:屏蔽|静音|mute|silence) ?{_NAME}{_ALERTS} ?(?:for )?{_SPAN}"),
    ("mute", rf"[把将]? ?{_NAME}{_ALERTS} ?(?:屏蔽|静音) ?{_SPAN}"),
    ("digest", rf"{_DAYS} ?{_AT} ?{_SEND}(?:日报|早报)"),
    ("handover", rf"{_DAYS} ?{_AT} ?{_SEND}交接班?(?:卡片|清单)?"),
)
"""(command, the whole sentence but for politeness), over folded text."""


def wish(text: str) -> tuple[str, dict[str, str]] | None:
    """The command that a sentence stands for, and its arguments by name; None when it stands for none."""
    if len(text) > LONGEST:
        return None
    plain = " ".join(text.split())
    folded = fold(plain)
    for word, pattern in _patterns():
        if found := pattern.fullmatch(folded):
            named = {name: found.span(name) for name in found.groupdict() if found[name]}
            return word, {name: plain[start:end] for name, (start, end) in named.items()}
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((word, re.compile(_PLEASE + pattern + _END)) for word, pattern in PATTERNS)
