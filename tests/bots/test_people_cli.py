"""`xops people` and `xops audit`, as an administrator on the server uses them."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bots.cli import app
from core.access import Access, Person
from core.audit import Audit
from core.settings import PersonSettings
from core.store import Store
from core.switches import Switches
from tests.fakes.wall_clock import WallClock


class Shell:
    """The commands, on a database of their own."""

    def __init__(self, database: Path) -> None:
        self.database = database

    def run(self, *arguments: str) -> Result:
        """One command to its end."""
        return CliRunner().invoke(app, list(arguments), catch_exceptions=False)

    def done(self, *arguments: str) -> str:
        """One command that must work; what it printed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *arguments: str) -> str:
        """One command that must not; why."""
        result = self.run(*arguments)
        assert result.exit_code != 0
        return result.stderr


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The demonstration's settings, over an empty database."""
    database = tmp_path / "xops.sqlite"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XOPS_STORAGE__URL", f"sqlite:///{database}")
    return Shell(database)


def test_someone_is_added_given_rights_linked_and_disabled(shell: Shell) -> None:
    """What is shown in the end is what was done."""
    shell.done("people", "add", "li", "--role", "operator", "--owner", "李雷", "--language", "zh-TW")
    shell.done("people", "projects", "li", "--give", "demo:trade", "--give", "crm", "--until", "7d")
    shell.done("people", "projects", "li", "--take", "crm")
    shell.done("people", "groups", "li", "oncall", "leads")
    shell.done("people", "role", "li", "ops_admin", "--break-glass")
    shell.done("people", "link", "li", "feishu", "ou_li", "--tenant", "acme")
    shown = json.loads(shell.done("people", "show", "li", "--json"))
    assert list(shown["projects"]) == ["demo:trade"]
    assert (shown["role"], shown["break_glass"], shown["groups"], shown["owners"]) == (
        "ops_admin",
        True,
        ["leads", "oncall"],
        ["李雷"],
    )
    assert shown["identities"]["feishu"] == "ou_li"
    shell.done("people", "unlink", "li", "feishu")
    shell.done("people", "disable", "li")
    listed = [json.loads(line) for line in shell.done("people", "list", "--json").splitlines()]
    assert [(one["name"], one["origin"], bool(one["disabled_at"])) for one in listed] == [
        ("demo", "settings", False),
        ("li", "tables", True),
    ]
    shell.done("people", "enable", "li")
    assert "li" in shell.done("people", "list")


def test_a_code_is_printed_for_someone_who_is_known_nowhere(shell: Shell) -> None:
    """As the line that they send."""
    shell.done("people", "add", "li")
    assert shell.done("people", "link", "li").startswith("/link ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("role", "demo", "admin"),
        ("role", "nobody", "admin"),
        ("add", "demo"),
        ("add", "a:b"),
        ("link", "demo", "web", "root"),
        ("unlink", "demo", "feishu"),
        ("projects", "demo", "--give", "x", "--until", "tomorrow"),
        ("role", "demo", "owner"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(shell: Shell, arguments: tuple[str, ...]) -> None:
    """Without a traceback, and with an exit code that scripts see."""
    assert "Traceback" not in shell.refused("people", *arguments)
    assert [json.loads(line)["name"] for line in shell.done("people", "list", "--json").splitlines()] == ["demo"]


def test_the_trail_is_checked_searched_and_exported(shell: Shell) -> None:
    """By the name of whoever holds the server; and a change of it is found and named."""
    shell.done("people", "add", "li")
    shell.done("people", "disable", "li")
    assert json.loads(shell.done("audit", "verify", "--json")) == {"ok": True, "entries": 2, "problem": ""}
    (found,) = [
        json.loads(line) for line in shell.done("audit", "search", "--action", "people.add", "--json").splitlines()
    ]
    assert (found["target"], found["outcome"]) == ("li", "done")
    assert found["actor"].startswith("console:")
    assert shell.done("audit", "search", "--since", "1h", "--until", "2000-01-01") == ""
    assert "people.disable" in shell.done("audit", "search", "--target", "li", "--limit", "1")
    *entries, head = [json.loads(line) for line in shell.done("audit", "export").splitlines()]
    assert (head["entries"], head["hash"]) == (len(entries), entries[-1]["hash"]) == (2, entries[-1]["hash"])
    with sqlite3.connect(shell.database) as connection:
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE number = 2")
    connection.close()
    result = shell.run("audit", "verify")
    assert result.exit_code == 1
    assert "entry 2" in result.stdout


def test_doctor_counts_people_and_says_who_switched_the_assistant_off(shell: Shell) -> None:
    """Also the people that the settings do not list."""
    shell.done("people", "add", "root", "--role", "ops_admin")

    def people() -> dict[str, str]:
        checks = json.loads(shell.done("doctor", "--json"))["checks"]
        return next(check for check in checks if check["check"] == "people")

    assert people()["grade"] == "ok"
    assert "2" in people()["found"]
    asyncio.run(_switch_off(shell.database))
    assert (people()["grade"], "root" in people()["todo"]) == ("warning", True)


async def _switch_off(database: Path) -> None:
    store, clock = Store(f"sqlite:///{database}"), WallClock()
    access = Access((PersonSettings(name="root", role="ops_admin"),))
    await Switches(store, access, Audit(store, clock=clock), (), clock=clock).turn_assistant(
        Person("root", "ops_admin"), "off"
    )
    await store.stop()
