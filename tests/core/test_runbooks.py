"""What people here wrote themselves: read at start or refused with file, rule and problem; used before what is packaged."""

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from core.diagnosis import diagnose, read_log
from core.diagnosis.model import Cause, Diagnosis, Evidence
from core.diagnosis.runbooks import STEPS, Knowledge, configured, load
from core.errors import ConfigurationError
from core.schedulers.base import LogPage, Status
from core.settings import Settings
from tests.samples import FAILED, NOW

DOCUMENT = Path(__file__).parents[2] / "docs/runbooks.md"
RULE = """
[{name}]
contains = ["crm gateway"]
pattern = 'CRM gateway refused batch (?P<object>\\w+)'
cause = "network"
rerun_helps = "yes"
advice = "retry_later"
source = "the gateway's README"
example = "2026-11-22 03:10:11 ERROR CRM gateway refused batch b42"
"""
BOOK = """\
+++
title = "CRM gateway refuses a batch"
{what}
+++
Call the gateway's team first.

1. Look at https://grafana.example.com/crm
2. password=Qz7Xw9Lk2Vb4 opens nothing
3. Rerun the batch
4. Tell sales
"""
LINES = ("start", "ERROR CRM gateway refused batch b42: java.net.ConnectException: Connection refused")


def folder(tmp_path: Path, **files: str) -> Path:
    """A folder with these files; `__` in a name stands for a dot."""
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text, "utf-8")
    return tmp_path


def failed(knowledge: Knowledge, *lines: str) -> Diagnosis:
    """A failure whose log has these lines, diagnosed."""
    instance = replace(FAILED, status=Status.FAILED)
    return diagnose(Evidence(instance, NOW, log=LogPage(1, lines)), knowledge)


def test_an_own_rule_goes_before_a_packaged_one_on_the_same_line(tmp_path: Path) -> None:
    """A shorter match of theirs outranks a longer one of ours; without it the packaged rule answers."""
    knowledge = load(folder(tmp_path, crm__toml=RULE.format(name="refused")))
    found = read_log(LogPage(1, LINES), rules=knowledge.rules)
    assert (found.rule, found.object, found.cause) == ("crm.refused", "b42", Cause.NETWORK)
    assert read_log(LogPage(1, LINES)).rule == "java.refused"
    assert knowledge.own == 1


def test_a_runbook_shows_its_first_steps_masked_and_where_the_rest_is(tmp_path: Path) -> None:
    what = 'rules = ["crm.*"]\nlink = "https://wiki.example.com/crm"'
    knowledge = load(folder(tmp_path, crm__toml=RULE.format(name="refused"), crm__md=BOOK.format(what=what)))
    (book,) = failed(knowledge, *LINES).runbooks
    assert book.title == "CRM gateway refuses a batch"
    assert book.steps[0] == "Look at https://grafana.example.com/crm"
    assert "Qz7Xw9Lk2Vb4" not in repr(book)
    assert (len(book.steps), book.more, book.where) == (STEPS, 1, "https://wiki.example.com/crm")


@pytest.mark.parametrize(
    ("what", "fits"),
    [
        ('causes = ["network"]', True),
        ('causes = ["timeout"]', False),
        ('tasks = ["*_order*"]', True),
        ('tasks = ["nightly_*"]', False),
        ('causes = ["network"]\ntasks = ["nightly_*"]', False),
        ('tables = ["B42"]', True),
    ],
)
def test_every_kind_of_name_that_is_given_must_fit(tmp_path: Path, what: str, fits: bool) -> None:
    knowledge = load(folder(tmp_path, crm__toml=RULE.format(name="refused"), crm__md=BOOK.format(what=what)))
    assert bool(failed(knowledge, *LINES).runbooks) == fits


def test_the_narrowest_runbook_comes_first(tmp_path: Path) -> None:
    wide, narrow = (
        BOOK.format(what='causes = ["network"]'),
        BOOK.format(what='tasks = ["*"]').replace("CRM", "One task"),
    )
    knowledge = load(folder(tmp_path, a__md=wide, b__md=narrow))
    titles = [book.title for book in failed(knowledge, *LINES).runbooks]
    assert titles == ["One task gateway refuses a batch", "CRM gateway refuses a batch"]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("crm.toml", RULE.format(name="r").replace('"network"', '"netwrk"'), "crm.toml: r: cause: "),
        ("crm.toml", RULE.format(name="r").replace("refused batch (", "(a+)+ ("), "crm.toml: r: pattern has a repeat"),
        ("crm.toml", RULE.format(name="r").replace("b42", ""), "crm.toml: r: pattern does not match the example"),
        ("crm.toml", RULE.format(name="r").replace('["crm', '["CRM'), "crm.toml: r: contains must be in lower case"),
        ("crm.toml", RULE.format(name="r").replace("retry_later", "pray"), "crm.toml: r: advice 'pray' is not known"),
        ("crm.toml", RULE.format(name="r") + "weihgt = 'root'\n", "crm.toml: r: weihgt: "),
        ("crm.toml", "[r\n", "crm.toml: "),
        ("java.toml", RULE.format(name="refused"), "java.toml: refused: a packaged rule has this name"),
        ("crm.md", "# no front matter", "crm.md: must begin with TOML"),
        ("crm.md", BOOK.format(what=""), "crm.md: name what it is for"),
        ("crm.md", BOOK.format(what='causes = ["netwrk"]'), "crm.md: causes"),
        ("crm.md", BOOK.format(what='tasks = ["*"]\nlink = "javascript:alert(1)"'), "crm.md: link"),
    ],
)
def test_what_is_wrong_is_told_at_start_with_file_and_rule(tmp_path: Path, file: str, text: str, told: str) -> None:
    (tmp_path / file).write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path)
    assert str(raised.value).startswith(told)


def test_a_file_that_is_no_text_or_too_large_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "b.md").write_text("x" * 300_000, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path)
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == ["a.toml", "b.md"]


def test_a_folder_that_is_not_there_is_told_and_none_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        load(tmp_path / "gone")
    assert load().own == 0
    assert configured(Settings()) is None


def test_the_examples_of_the_document_work_as_they_are_printed(tmp_path: Path) -> None:
    """An engineer copies them in a minute."""
    blocks = DOCUMENT.read_text("utf-8").split("```")
    signature, runbook = (next(block for block in blocks if block.startswith(kind)) for kind in ("toml\n[", "markdown"))
    folder(tmp_path, mine__toml=signature.partition("\n")[2], mine__md=dedent(runbook.partition("\n")[2]))
    knowledge = load(tmp_path)
    (example,) = (one.trait.example for one in knowledge.rules.signatures if one.own)
    assert [book.title for book in failed(knowledge, example).runbooks] == [knowledge.runbooks[0].book.title]
