"""Alerts in the rows of a table: Markdown's, or HTML's turned into the same lines. The heading row labels the cells."""

import re
from collections.abc import Iterator, Sequence

_RULE = re.compile(r"^[\s|:+-]{3,}$")
LONGEST_CELL = 2000


def grids(text: str) -> tuple[list[dict[str, str]], str]:
    """The rows of all tables as labels and values, and the text without these tables.

    Args:
        text: without HTML (`core.alerts.facts.plain`).
    """
    found: list[dict[str, str]] = []
    rest: list[str] = []
    table: list[Sequence[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.count("|") > 1 and len(line) < LONGEST_CELL * 10:
            table.append(_cells(line))
            continue
        found += _rows(table)
        rest += [] if _is_table(table) else [" | ".join(cells) for cells in table]
        rest.append(line)
        table = []
    return found, "\n".join(rest)


def _cells(line: str) -> Sequence[str]:
    return [cell.strip(" *`")[:LONGEST_CELL] for cell in line.strip().strip("|").split("|")]


def _is_table(table: Sequence[Sequence[str]]) -> bool:
    """Whether all rows are as wide as the first, which holds words and no `label: value`."""
    wide = len(table) > 1 and all(len(row) == len(table[0]) for row in table)
    return wide and all(cell and not re.search(r"[:：=]|\d{4}", cell) for cell in table[0])


def _rows(table: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    if _is_table(table):
        for row in table[1:]:
            if not _RULE.match("|".join(row)):
                yield dict(zip(table[0], row, strict=True))
