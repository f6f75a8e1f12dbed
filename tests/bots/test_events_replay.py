"""`xops events`: a file played once counts once, however often it is played; what was set aside is listed and tried."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots.replay import events
from tests.core.event_samples import cloud_event, status_changed

RUN = "01941ac4-0000-7000-8000-000000000001"


class Shell:
    """Runs `xops events` in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._runner = CliRunner()

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """What the command printed; its exit status must be this."""
        done = self._runner.invoke(events, arguments)
        assert done.exit_code == status, done.output
        return done.output

    def file(self, *lines: str) -> str:
        """A file with these lines."""
        path = self._directory / "events.jsonl"
        path.write_text("\n".join(lines), "utf-8")
        return str(path)


@pytest.fixture
def xops_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """`xops events` on an empty database, in English."""
    monkeypatch.setenv("XOPS_STORAGE__URL", f"sqlite:///{tmp_path}/xops.sqlite")
    monkeypatch.setenv("XOPS_LANGUAGE", "en")
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def lines(count: int) -> list[str]:
    """That many events."""
    return [json.dumps(status_changed(number, 6, 1000 + number, f"e{number}")) for number in range(count)]


def test_a_file_is_taken_in_once(xops_events: Shell) -> None:
    """Played dry nothing is stored; played twice the second time changes nothing."""
    file = xops_events.file(*lines(450), json.dumps(cloud_event("dataworks:New:One", {})))
    expected = {"events": 451, "new": 0, "unknown": 1, "dead": 0}
    assert json.loads(xops_events("replay", file, "--dry-run", "--json")) == expected
    assert json.loads(xops_events("replay", file, "--json")) == {**expected, "new": 451}
    assert json.loads(xops_events("replay", file, "--json")) == expected
    assert "Unknown type dataworks:New:One: 1" in xops_events("dead")
    since = json.loads(xops_events("replay", "--since", "2026-01-01", "--json"))
    assert since["events"] == 450


def test_lines_that_are_no_events_are_set_aside(xops_events: Shell) -> None:
    """The rest is taken in; the command says so by its status, and lists them with the reason."""
    file = xops_events.file(*lines(1), "{broken", "", "[]")
    said = "3 events: 3 new, 0 of unknown types, 2 unreadable."
    assert said in xops_events("replay", file, status=1)
    found = json.loads(xops_events("dead", "--json"))["dead"]
    assert {one["error"] for one in found} == {"not JSON", "not a JSON object"}
    assert json.loads(xops_events("retry", "--json", status=1)) == {"tried": 2, "well": 0}
    assert "1 tried again, 0 are well now." in xops_events("retry", found[0]["id"], status=1)


def test_nothing_is_said_plainly(xops_events: Shell) -> None:
    """An empty database."""
    assert xops_events("dead") == "Nothing was set aside.\n"
    assert xops_events("retry") == "0 tried again, 0 are well now.\n"


def test_lineage_has_its_own_files(xops_events: Shell) -> None:
    """As written by OpenLineage's file transport."""
    event = {"eventType": "COMPLETE", "eventTime": "2026-11-22T02:00:00Z", "run": {"runId": RUN}}
    file = xops_events.file(json.dumps({**event, "job": {"namespace": "a", "name": "b"}}))
    assert json.loads(xops_events("replay", file, "--lineage", "--json"))["new"] == 1


def test_a_rate_is_kept(xops_events: Shell) -> None:
    """Twenty events at a hundred a second take a fifth of a second at least."""
    from time import perf_counter

    began = perf_counter()
    xops_events("replay", xops_events.file(*lines(20)), "--rate", "100")
    assert perf_counter() - began >= 0.2


def test_a_file_or_a_time_never_both(xops_events: Shell) -> None:
    """Nor neither."""
    assert "either a file or --since" in xops_events("replay", status=2)
    xops_events("replay", "x", "--since", "2026-01-01", status=2)
