"""The table of docs/architecture.md on what comes in that is no question: each answer in it has the tests it names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
COLUMNS = {"feishu": 3, "dingtalk": 4, "wecom": 5}
"""Which column of the table is about which messenger."""


def rows() -> list[list[str]]:
    """The cells of each row."""
    section = PAGE.partition("## What comes in that is no question\n")[2].partition("\n## ")[0]
    return [line.split("|") for line in section.splitlines() if line.startswith("| ")][1:]


def test_every_test_the_table_names_is_there() -> None:
    """In the messenger's own files, so that a table which promises too much is found here."""
    for messenger, column in COLUMNS.items():
        files = (Path(__file__).parent).glob(f"test_{messenger}_*.py")
        tests = set(re.findall(r"def test_(\w+)", "".join(file.read_text("utf-8") for file in files)))
        named = [name for row in rows() for name in re.findall(r"`(\w+)…?`", row[column])]
        assert len(named) >= 10
        assert [name for name in named if not any(test.startswith(name) for test in tests)] == []
