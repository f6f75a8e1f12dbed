"""Half a sentence after another (前天呢, "what about the second one?", 我是说 b): the question before, about something else.

What was asked before is read again from the person's own words, so nothing needs to be remembered for this. A change is
never repeated so: it must be asked for in so many words.
"""

import re

from core.agent.answer import Call

LISTS = frozenset({"list_instances", "overview"})
PAGE = 20
"""As many as a list shows at once."""

_AGAIN = re.compile(
    r"呢|^(?:那|换|再?看看?|只看|改)|我(?:是)?(?:说|指|问)|不是.{0,8}(?:是|,)|同样|也(?:看|查)"
    r"|\b(?:what|how) about\b|^(?:and|or|no)\b|\bi mean|\bsame\b|\bonly\b|\bjust\b",
    re.ASCII,
)
_MINE = re.compile(r"我(?:的|负责|名下)|\bmine\b|\bmy own\b", re.ASCII)
_MORE = re.compile(
    r"^(?:还有(?:别的|其他|更多)?(?:的)?(?:吗|么|呢)?|更多|下一页|继续|(?:show )?more|next(?: page)?|any others?)[?。. ]*$",
    re.ASCII,
)


def repeated(said: str, before: Call, things: tuple[str, ...], day: str | None) -> tuple[Call, ...]:
    """The calls that half a sentence means; none when it is no such, or would repeat a change.

    Args:
        said: the message, folded; it has no intent of its own.
        before: the last call of the question before.
        things: what it names or points at.
        day: the day it names, empty for today; None when it names none.
    """
    if before.name == "list_instances" and _MORE.search(said):
        offset = int(before.arguments.get("offset", "0")) + PAGE
        return (Call(before.name, {**before.arguments, "offset": str(offset)}),)
    if before.name in {"propose_operation", "help"} or not _AGAIN.search(said):
        return ()
    if before.name == "list_instances" and _MINE.search(said):
        return (Call(before.name, {**before.arguments, "subject": "mine"}),)
    if things and before.name not in LISTS:
        about = "name" if "name" in before.arguments else "target"
        return tuple(_dated(Call(before.name, {**before.arguments, about: thing}), day) for thing in things)
    return () if things or day is None else (_dated(before, day),)


def _dated(call: Call, day: str | None) -> Call:
    if day is None:
        return call
    kept = {name: value for name, value in call.arguments.items() if name != "day"}
    return Call(call.name, kept | ({"day": day} if day else {}))
