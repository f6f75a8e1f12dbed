"""The rules of docs/architecture.md, executable: who imports what, how long things are, what start-up may load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for top in ("bots", "core") for path in (ROOT / top).rglob("*.py"))
MESSENGERS = {"dingtalk", "feishu", "web", "wecom"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60

BLANKET = {
    "bots/edge.py": "the edge of a request",
    "core/lanes.py": "the edge of a lane: log, and go on with the next",
    "core/background.py": "the edge of a background task: log, and come round again",
    "core/engine.py": "apologise, then raise",
    "core/inbox.py": "record the outcome, then raise",
    "core/work.py": "count, then raise",
    "core/events/journal.py": "sets aside the one event that cannot be applied",
    "core/store/database.py": "hands each failure of a shared commit to the caller it belongs to",
    "core/agent/provider.py": "a provider's client raises whatever it likes, and none of it may cost the answer",
}
"""The only files that may catch everything, and why."""

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "README.md",
    "bots",
    "core",
    "deploy",
    "docs",
    "prompts",
    "pyproject.toml",
    "tests",
}


def tree(path: Path) -> ast.Module:
    """A parsed source file."""
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Full names of all modules a file imports, also inside functions."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(path: Path) -> str:
    """Path below the repository, with slashes."""
    return path.relative_to(ROOT).as_posix()


def importers(*modules: str) -> set[str]:
    """Files that import one of the modules or anything below it."""
    prefixes = tuple(f"{module}." for module in modules)
    return {name(path) for path in SOURCES if any(f"{found}.".startswith(prefixes) for found in imports(path))}


def test_core_knows_no_messenger_and_no_web_framework() -> None:
    """Imports go one way: from bots to core."""
    assert {file for file in importers("bots") if file.startswith("core/")} == set()
    assert {file for file in importers("aiohttp.web") if file.startswith("core/")} == set()


def test_messengers_do_not_import_each_other() -> None:
    """A messenger's folder can be deleted without touching another."""
    for messenger in MESSENGERS:
        others = [f"bots.{other}" for other in MESSENGERS - {messenger}]
        assert {file for file in importers(*others) if file.startswith(f"bots/{messenger}/")} == set()


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("langchain", ("core/agent/", "core/tools/")),
        ("langchain_core", ("core/agent/", "core/tools/")),
        ("langchain_openai", ("core/agent/",)),
        ("langgraph", ("core/agent/",)),
        ("dbos", ("core/work.py",)),
        ("alembic", ("core/store/",)),
        ("dingtalk_stream", ("bots/dingtalk/stream.py",)),
        ("wechatpy", ("bots/wecom/envelope.py",)),
        ("xmltodict", ("bots/wecom/envelope.py",)),
        ("lark_oapi", ("bots/feishu/stream.py",)),
        ("alibabacloud_dataphin_public20230630", ("core/schedulers/dataphin/client.py",)),
        ("alibabacloud_dataworks_public20200518", ("core/schedulers/dataworks/client.py",)),
        ("alibabacloud_dataworks_public20240518", ("core/schedulers/dataworks/client.py",)),
        ("alibabacloud_credentials", ("core/schedulers/aliyun.py",)),
        ("alibabacloud_tea_openapi", ("core/schedulers/aliyun.py",)),
        ("darabonba", ("core/schedulers/aliyun.py",)),
    ],
)
def test_heavy_libraries_stay_where_they_belong(module: str, allowed: tuple[str, ...]) -> None:
    """Each library is known in one place, so that it can be replaced there."""
    assert {file for file in importers(module) if not file.startswith(allowed)} == set()


def test_sqlalchemy_is_known_only_to_the_store_and_to_owners_of_tables() -> None:
    """It declares a table, belongs to the store or to durable work, or asks a database not ours (`probes`)."""
    beside = ("core/store/", "core/work", "core/schedulers/probes.py")
    users = {file for file in importers("sqlalchemy") if not file.startswith(beside)}
    owners = {file for file in users if "metadata," in (ROOT / file).read_text("utf-8")}
    assert users - owners == set()


def test_starting_loads_no_agent_and_no_durable_work() -> None:
    """The server is ready before it has imported what only an answer needs."""
    heavy = (
        "langchain",
        "langchain_core",
        "langgraph",
        "openai",
        "dbos",
        "dingtalk_stream",
        "wechatpy",
        "lark_oapi",
        "alibabacloud_tea_openapi",
        "darabonba",
        "alembic",
        "playwright",
    )
    code = f"import sys, bots.app; print([m for m in {heavy!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_the_rules_load_no_client_of_a_provider() -> None:
    """Who configured no model does not pay for one: OpenAI's client is 13 MiB."""
    code = "import sys, core.agent.graph; print('openai' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_fit_a_screen(path: Path) -> None:
    """Files under 400 lines with a docstring, functions under 60."""
    length = len(path.read_text("utf-8").splitlines())
    assert length <= LONGEST_FILE
    module = tree(path)
    if "versions" in path.parts:  # a migration is one flat list of tables, written once
        return
    assert not module.body or ast.get_docstring(module), "a module starts by saying what it promises"
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def test_blanket_excepts_are_listed() -> None:
    """Everything is caught only where it is handed to somebody: at the edges."""
    found: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            kinds = node.type if isinstance(node, ast.ExceptHandler) else None
            if isinstance(node, ast.ExceptHandler) and (
                kinds is None or (isinstance(kinds, ast.Name) and kinds.id in {"Exception", "BaseException"})
            ):
                found.add(name(path))
    assert found <= set(BLANKET)


def test_the_top_level_is_what_the_architecture_says() -> None:
    """Nothing else is tracked at the top."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert {path.split("/")[0] for path in tracked if path} <= TOP_LEVEL


@pytest.mark.parametrize("lock", sorted([*ROOT.glob("deploy/*.txt"), *ROOT.glob("tests/*/*.txt")]), ids=name)
def test_locks_have_hashes_and_no_addresses(lock: Path) -> None:
    """What is installed is what was tested, from whichever index the machine uses."""
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert text.count("==") <= text.count("--hash=sha256:")
