"""The bench itself works: `make bench` is not run by the tests, so its driver is tried on the floor."""

import subprocess
import sys


def test_the_floor_answers_every_message() -> None:
    """In a process of its own, since the bench chooses the cores it runs on."""
    command = (sys.executable, "-m", "tests.bench", "--quick", "--only", "floor")
    table = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| floor")]
    assert [row[1] for row in rows] == ["1", "32"]
    assert all(row[-1] == "100% |" for row in rows)
