"""Text in DingTalk's markdown, so that it shows exactly what somebody wrote.

The documented syntax ("markdown-variable-new") names no escape and every client has its own parser. So what could do
harm (tags, links, mentions) is broken with an invisible character, which no parser can misread, and what would only look
odd (emphasis, headings) with a backslash, as CommonMark has it. Names such as `dws_trade_order_di` stay untouched.
"""

import re

INVISIBLE = "\u200b"
SPACE = "\u00a0"
DOTS = {"neutral": "", "info": "🔵 ", "success": "🟢 ", "warning": "🟠 ", "danger": "🔴 "}
"""A tone as a sign before the text: colours of text differ between clients and versions."""

PIECE = 180
"""Most characters escaped at once: at most five bytes each, so a piece and its decoration fit a variable."""

_SPECIAL = re.compile(r"<|\[|\](?=[(:\[])|&(?=#?\w+;)|[*`\\|]|~(?=~)|(?<!\w)_|_(?!\w)|^(?:[#>+=-]|\d+(?=[.)]))")
_TAG = re.compile(r"<(?=/?(?:a|font|img|br)\b|@)|`(?=``)", re.IGNORECASE)


def escape(text: str) -> str:
    """One line as markdown that shows this line."""
    indent = len(text) - len(text.lstrip(" \t"))
    return SPACE * indent + _SPECIAL.sub(_broken, text[indent:])


def code(line: str) -> str:
    """One line within a fence, which can neither end the fence nor start a tag."""
    return _TAG.sub(lambda found: found[0] + INVISIBLE, line)


def pieces(line: str) -> list[str]:
    """A line in parts that each fit; an empty line is one empty part."""
    return [line[start : start + PIECE] for start in range(0, len(line), PIECE)] or [""]


def _broken(found: re.Match[str]) -> str:
    text = found[0]
    if text in "<[]&":
        return text + INVISIBLE
    return f"{text}\\" if text[0].isdigit() else f"\\{text}"
