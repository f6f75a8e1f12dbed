"""Words that point at what was shown before: 它, 第二个, "the second one", "rerun it"."""

import re

from core.agent.past import Item, Past, Turn

_ORDINAL = re.compile(
    r"第 ?([一二三四五六七八九十]|\d{1,2}) ?(?:个|条|项|行|张|只|名)?(?!次)"
    r"|(?<![a-z0-9])(?:#|no\.? ?|number )(\d{1,2})(?![\d.])"
    r"|\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|[1-9]\d?(?:st|nd|rd|th))\b(?: one| task| job)?"
    r"|^ ?(\d{1,2}) ?[.。]?$",
    re.ASCII,
)
_FIRST_FEW = re.compile(
    r"前 ?([一二两三四五六七八九十]|\d{1,2}) ?(?:个|条|项)|\b(?:first|top) (two|three|four|five|\d)\b", re.ASCII
)
_LAST = re.compile(r"最后(?:一|那)?(?:个|条)|最下面|\b(?:the )?last (?:one|task|job)\b", re.ASCII)
_IT = re.compile(
    r"它|这个|那个|这条|那条|这任务|该(?:任务|实例|节点|表)|此(?:任务|实例|表)|刚才(?:那|的|说)?|上面(?:那|的)?|同一个"
    r"|\b(?:it|its|that|this)\b(?! (?:morning|night|week|day|month|time))|\bthe (?:task|job|instance|table|one|same)\b"
    r"|^(?:那|现在|目前|那现在)?(?:跑(?:完|好|成功)?|完成|结束|好|成功|怎么样)了?(?:吗|没有?|么|呢)?$",
    re.ASCII,
)
_THESE = re.compile(
    r"它们|这些|那些|这几个|那几个|全都|分别|各自|\b(?:all|each) of them\b|\b(?:them|they|these|those)\b", re.ASCII
)
_NUMBERS = {character: place for place, character in enumerate("一二三四五六七八九十", 1)} | {"两": 2}
_WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_FEW = {"two": 2, "three": 3, "four": 4, "five": 5}
SEVERAL = 5
"""Most things that "these" or "the first few" are looked up one by one."""


def points(clause: str) -> bool:
    """Whether a folded clause points at something shown before."""
    return any(pattern.search(clause) for pattern in (_ORDINAL, _FIRST_FEW, _LAST, _THESE, _IT))


def points_at_one(clause: str) -> bool:
    """Whether a folded clause speaks of "it"."""
    return bool(_IT.search(clause))


def pointed(clause: str, past: Past, *, table: bool = False) -> tuple[Item, ...]:
    """What a clause points at; with no such words, what the conversation is about. Empty when that is not clear.

    Args:
        clause: folded.
        past: the conversation.
        table: whether a table is meant rather than an instance.
    """
    listed = next((turn.items for turn in reversed(past.turns) if turn.items), ())
    if few := _FIRST_FEW.search(clause):
        return listed[: min(_count(few[1] or few[2]), SEVERAL)]
    if places := [_place(next(filter(None, match.groups()))) for match in _ORDINAL.finditer(clause)]:
        return tuple(listed[place - 1] for place in places if 0 < place <= len(listed))
    if _LAST.search(clause):
        return listed[-1:]
    if _THESE.search(clause):
        return listed[:SEVERAL]
    return _current(past.turns, table=table)


def picked(clause: str, past: Past) -> tuple[Turn, Item] | None:
    """The answer to "which one did you mean?": the turn that asked, and the item a bare number or name picks."""
    last = past.turns[-1] if past.turns else Turn("")
    if not last.again:
        return None
    answer = clause.strip().removeprefix("the ")
    if _ORDINAL.fullmatch(answer) or _LAST.fullmatch(answer):
        found = pointed(answer, Past((last,)))
        return (last, found[0]) if found else None
    named = [item for item in last.items if answer and answer in item.label.lower()]
    return (last, named[0]) if len(named) == 1 else None


def _current(turns: tuple[Turn, ...], *, table: bool) -> tuple[Item, ...]:
    """The thing the conversation is about: that of the last turn that was about anything."""
    for turn in reversed(turns):
        wanted = [item for item in turn.focus if (item.kind == "table") == table]
        if wanted or turn.focus:
            return tuple(wanted[-1:])
        if turn.items:  # a list of several: none of them is "it"
            return ()
    return ()


def _count(word: str) -> int:
    return _FEW.get(word) or _NUMBERS.get(word) or int(word)


def _place(word: str) -> int:
    if word in _WORDS:
        return _WORDS.index(word) + 1
    return _NUMBERS.get(word) or int(re.sub(r"\D", "", word))
