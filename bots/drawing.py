"""Markdown that our own renderers wrote, as HTML near enough to how a chat draws it: for `xops cards`, never for a page.

It knows what they write and no more: paragraphs, lines, bold, links, fenced code, tables, escapes.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

INVISIBLE = "\u200b"
"""What renderers put into a text to take its meaning away."""

_FENCE = re.compile(r"(?m)^```$\n?")
_LINES = re.compile(r"<br>|\n")
_RULE = re.compile(r"\|(?:---\|)+")
_CELL = re.compile(r"(?<!\\)\|")
_MARK = re.compile(r"\\([!-/:-@\[-`{-~])|(\*\*)|\[((?:[^\]\\]|\\.|\](?=\u200b))*)\]\(\S+?\)")


def drawn(markdown: str) -> str:
    """The HTML of some markdown; nothing in it is a tag that the markdown did not mean."""
    parts = enumerate(_FENCE.split(markdown))
    return "".join(f"<pre>{_literal(part.rstrip())}</pre>" if at % 2 else _paragraphs(part) for at, part in parts)


def _paragraphs(text: str) -> str:
    return "".join("".join(_paragraph(part)) for part in text.split("\n\n") if part.strip())


def _paragraph(text: str) -> Iterator[str]:
    for is_table, run in groupby(_LINES.split(text.strip("\n")), lambda line: line.startswith("|")):
        if is_table:
            rows = (_CELL.split(line[1:].removesuffix("|")) for line in run if not _RULE.fullmatch(line))
            cells = ("".join(f"<td>{_inline(cell.strip())}</td>" for cell in row) for row in rows)
            yield f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
        else:
            yield f"<p>{'<br/>'.join(map(_inline, run))}</p>"


def _inline(text: str) -> str:
    made, at, bold = "", 0, False
    for mark in _MARK.finditer(text):
        made += _literal(text[at : mark.start()])
        at = mark.end()
        if mark[2]:
            made, bold = made + ("</b>" if bold else "<b>"), not bold
        elif mark[3] is not None:
            made += f'<span class="link">{_inline(mark[3])}</span>'
        else:
            made += _literal(mark[1])
    return made + _literal(text[at:]) + ("</b>" if bold else "")


def _literal(text: str) -> str:
    return escape(text.replace(INVISIBLE, ""))
