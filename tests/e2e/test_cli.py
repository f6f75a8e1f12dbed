"""The command line as scripts use it: stable keys, exit codes, one clear message."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from tests.e2e.process import ROOT


def xops(folder: Path, *arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one command in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XOPS_")}
    environment |= {"PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "bots.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, input=text, capture_output=True, text=True, check=False)


def test_ask_prints_text_tools_and_cards(tmp_path: Path) -> None:
    """`{"text", "tools": [{"name", "args"}], "cards": […]}`, and nothing else on standard output."""
    answer = xops(tmp_path, "ask", "dws_trade_order_di 为什么失败了", "--json")
    reply = json.loads(answer.stdout)
    assert set(reply) == {"text", "tools", "cards"}
    assert reply["tools"] == [{"name": "diagnose", "args": {"target": "dws_trade_order_di"}}]
    assert "ODPS-0010000" in reply["text"]
    assert reply["cards"][0]["title"].startswith("dws_trade_order_di")
    assert answer.returncode == 0


def test_ask_as_nobody_shows_nothing(tmp_path: Path) -> None:
    """Rights fail closed on the command line too."""
    reply = json.loads(xops(tmp_path, "ask", "昨晚怎么样", "--as", "nobody", "--json").stdout)
    assert "864" not in reply["text"]


def test_doctor_finds_nothing_wrong_with_the_demonstration(tmp_path: Path) -> None:
    """What is merely not configured is not a problem."""
    answer = xops(tmp_path, "doctor", "--json")
    found = json.loads(answer.stdout)
    assert found["ok"]
    assert {check["check"]: check["grade"] for check in found["checks"]}["scheduler demo"] == "ok"
    assert answer.returncode == 0


def test_doctor_says_what_to_do_about_a_scheduler_that_is_down(tmp_path: Path) -> None:
    """Exit 1, the connection's name, and a next step."""
    down = {"name": "prod", "kind": "airflow", "url": f"http://127.0.0.1:{unused_port()}", "token": "a-token"}
    answer = xops(tmp_path, "doctor", XOPS_SCHEDULERS=json.dumps([down]))
    assert answer.returncode == 1
    assert "✗ scheduler prod" in answer.stdout
    assert "→" in answer.stdout


def test_migrate_says_what_it_applied(tmp_path: Path) -> None:
    """Once, and then nothing."""
    assert json.loads(xops(tmp_path, "migrate", "--json").stdout)["applied"]
    assert json.loads(xops(tmp_path, "migrate", "--json").stdout) == {"applied": []}


@pytest.mark.parametrize("command", ["run", "ask x", "doctor", "migrate"])
def test_settings_that_cannot_work_end_in_one_message(tmp_path: Path, command: str) -> None:
    """The value, what is wrong with it, and no traceback."""
    answer = xops(tmp_path, *command.split(), XOPS_ZONE="Asia/Atlantis")
    assert answer.returncode in {1, 2}
    assert "Asia/Atlantis" in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr


def test_chat_presses_buttons_by_number(tmp_path: Path) -> None:
    """The same assistant, by typing."""
    answer = xops(tmp_path, "chat", text="/rerun dws_trade_order_di\n2\n")
    assert "确认重跑" in answer.stdout
    assert "已取消" in answer.stdout


def test_chat_prints_cards_as_lines_of_json(tmp_path: Path) -> None:
    """An edited card comes again under the same reference."""
    answer = xops(tmp_path, "chat", "--json", text="/rerun dws_trade_order_di\n2\n")
    cards = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [set(card) for card in cards] == [{"reference", "card"}] * 2
    assert cards[0]["reference"] == cards[1]["reference"]
    assert [card["card"]["tone"] for card in cards] != [cards[0]["card"]["tone"]] * 2
