"""Bulk answers: one line out for one in, in order, a bounded number at a time, and nothing else on standard output."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bots.bulk import AT_ONCE, Line, answers, parse
from bots.cli import app

ALERT = "任务 dim_store 因任务出错触发告警，从属项目retail_dataphin。"
LOG = "ok\nModuleNotFoundError: No module named 'pyarrow'\npassword=Sup3rS3cret exit 1"


def line(**values: object) -> str:
    """A line in."""
    return json.dumps(values)


def invoke(*arguments: str, given: str = "") -> Any:
    """What a command prints, as JSON: one value, or one a line with `--jsonl`."""
    result = CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return (
        [json.loads(text) for text in result.stdout.splitlines()]
        if "--jsonl" in arguments
        else json.loads(result.stdout)
    )


def test_a_file_that_is_not_there_is_a_line_and_no_trace() -> None:
    """As for any argument that is wrong."""
    result = CliRunner().invoke(app, ["alert", "no-such-file", "--jsonl"])
    assert result.exit_code == 2
    assert "no-such-file" in result.stderr


def test_what_an_alert_counts_and_does_not_list_is_told() -> None:
    text = "[ALERT] 9 tasks failed in project dw: dws_a_di, dws_b_di …and 7 more"
    assert invoke("alert", "-", "--json", given=text)["unlisted"] == 7
    assert "unlisted       7" in CliRunner().invoke(app, ["alert", "-"], input=text).stdout


async def collected(lines: Iterator[str], answer: Any) -> list[dict[str, Any]]:
    return [dict(result) async for result in answers(lines, answer)]


async def test_answers_come_in_the_order_of_the_questions() -> None:
    """The first question is the last to be done, and still the first to be answered."""
    last_done = asyncio.Event()

    async def answer(asked: Line) -> dict[str, object]:
        if asked.text == "first":
            await last_done.wait()
        else:
            last_done.set()
        return {"said": asked.text}

    found = await collected(iter([line(id=7, text="first"), line(id="b", text="last")]), answer)
    assert found == [{"id": 7, "said": "first"}, {"id": "b", "said": "last"}]


async def test_only_so_many_are_answered_at_once() -> None:
    """However many lines wait in the pipe."""
    under_way = most = 0

    async def answer(_asked: Line) -> dict[str, object]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return {}

    found = await collected(iter([line(id=n, text="x") for n in range(100)]), answer)
    assert [one["id"] for one in found] == list(range(100))
    assert most <= AT_ONCE + 2


async def test_a_line_that_cannot_be_read_is_answered_too() -> None:
    """Nesting, garbage and missing text cost one error each; blank lines are passed over."""

    async def answer(_asked: Line) -> dict[str, object]:
        return {"ok": True}

    lines = ["{", "[" * 100_000, line(id=1), "", line(id=2, text="x")]
    found = await collected(iter(one + "\n" for one in lines), answer)
    assert [("error" in one, one["id"]) for one in found] == [(True, None), (True, None), (True, None), (False, 2)]


@given(st.text())
def test_any_line_is_parsed_or_refused_with_one_kind_of_error(text: str) -> None:
    with suppress(ValueError):
        assert parse(text).text == json.loads(text)["text"]


def test_history_is_what_was_asked_and_what_was_answered_last() -> None:
    said = ["哪些失败了", {"role": "user", "content": "第一个"}, {"role": "assistant", "text": "dws_a_di 失败"}]
    assert parse(line(text="为什么", history=said)) == Line(None, "为什么", ("哪些失败了", "第一个"), "dws_a_di 失败")
    assert parse(line(text="为什么", history="nonsense")) == Line(None, "为什么")


def test_an_alert_as_json() -> None:
    found = invoke("alert", "-", "--json", given=ALERT)
    assert found["kind"] == "alert"
    assert set(found["alerts"][0]) == {
        *("source", "status", "kind", "objects", "project", "business_date", "times", "severity", "rule", "values"),
        "error",
    }
    assert found["alerts"][0]["objects"] == [{"type": "task", "name": "dim_store", "id": ""}]


def test_alerts_in_bulk(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    file.write_text(f"{line(id=1, text=ALERT)}\n{line(id=2, text='谢谢')}\n", "utf-8")
    assert [(one["id"], one["kind"]) for one in invoke("alert", str(file), "--jsonl")] == [(1, "alert"), (2, "chat")]


def test_a_log_as_json() -> None:
    """The cause, the line that proves it, and the log as it may be stored."""
    found = invoke("diagnose", "--log", "-", "--json", given=LOG)
    assert (found["cause"], found["object"], found["evidence"][0]["line"]) == ("environment", "pyarrow", 2)
    assert found["rerun_helps"] == "after_fix"
    assert found["actions"]
    assert found["injection"] is False
    assert "Sup3rS3cret" not in json.dumps(found)
    assert found["masked"].splitlines()[0] == "ok"


def test_logs_in_bulk() -> None:
    given_lines = "".join(f"{line(id=n, text=LOG)}\n" for n in range(3))
    found = invoke("diagnose", "--log", "-", "--jsonl", given=given_lines)
    assert [(one["id"], one["cause"]) for one in found] == [(n, "environment") for n in range(3)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own to keep the database in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_questions_in_bulk_have_a_history(here: Path) -> None:
    """What was listed in answer to the question before can be pointed at."""
    asked = line(id="a", text="第二个为什么失败", history=["昨晚哪些失败了"])
    (found,) = invoke("ask", "--jsonl", given=asked)
    assert found["id"] == "a"
    assert [call["name"] for call in found["tools"]] == ["diagnose"]
    assert found["cards"]


def test_an_instance_as_json(here: Path) -> None:
    """The demonstration's table: all five checks, who is held up, and how it went before."""
    found = invoke("diagnose", "dws_shop_comment_di", "--json")
    assert found["cause"] == "sql_error"
    assert [check["name"] for check in found["checks"]] == [
        "upstream",
        "schedule",
        "throttling",
        "resources",
        "execution",
    ]
    assert found["impact"]["downstream"] >= len(found["impact"]["waiting"]) > 0
    assert len(found["history"]) > 1
    assert found["blockers"] == []


def test_an_unknown_instance_ends_with_an_error(here: Path) -> None:
    result = CliRunner().invoke(app, ["diagnose", "no_such_task_at_all", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "not_found"
