"""Things that running text names: a noun with a name beside it (任务 x, "flow 'x'", x 作业), or a name that looks like one.

The nouns are those of `[noun]` in `keys.toml`. A name stands in quotes or brackets, or is shaped as no word is: it has an
underscore, a digit, capitals inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from core.alerts.tables import meaning, nouns
from core.i18n.script import simplified

WORDS = 5
"""Most spaces in a name."""

_LETTERS = r"A-Za-z0-9_.*:/@-"
_QUOTED = (
    "|".join(
        rf"{first}[^{first}{last}\n]{{2,120}}{last}"
        for first, last in ("「」", "『』", "【】", "《》", "“”", "””", "‘’", "``", "''", '""')
    )
    + r"|\[[^\[\]\n]{2,120}\]|[*]{1,2}[^*\n]{2,120}[*]{1,2}"
)
_SPOKEN = "|".join(
    rf"{first}[^{first}{last}\n]{{2,120}}{last}" for first, last in ("「」", "『』", "“”", "””", "''", '""')
)
_NAME = rf"(?:{_QUOTED}|[{_LETTERS}]{{2,200}}|(?<=[\s:：])[\u4e00-\u9fff]{{1,20}}_[\w\u4e00-\u9fff-]{{1,60}})"
_IDENTITY = re.compile(
    r"\s?(?:[(（\[]\s?(?:(?P<of>实例|instance|run)|节点|任务|作业|task|node|job)?\s?(?:id|编号)?"
    r"[:： ]{0,3}#?(?P<id>\d{3,20})[)）\]]"
    r"|\s(?:job|task)id[ :=]{1,3}(?P<job>\d{3,20}))",
    re.IGNORECASE,
)
_NUMBERED = re.compile(rf"(?<![{_LETTERS}])(?P<name>[A-Za-z][\w./-]{{2,120}}) [\[(]?#\d{{1,12}}\b")
_BARE = re.compile(rf"(?<![{_LETTERS}])[A-Za-z][{_LETTERS}]{{2,200}}")
_CLOUD = re.compile(r"(?<![\w-])(?:rm|i|r|pc|pg|dds|lb|slb|eip|ngw|gp|hb|es-cn|emr|c|j)-[a-z0-9]{5,30}\*{0,8}(?![\w-])")
_STATED = r"(?:(?:运行|执行|调度)?(?:失败|异常|超时|出错|报错)| (?:has )?(?:failed|errored|failure|killed))?"
_ADDRESS = re.compile(
    r"(?:https?|hdfs|oss|s3|ftp)://\S+|[\w.+-]{1,60}@[\w-]{1,60}\.[\w.]{2,20}|(?<![\w/])/(?:[\w.-]+/)+[\w.-]*"
)
_QUOTES_AN_ERROR = re.compile(
    r"(?:\b(?:error ?(?:message|code|msg)?|err_?msg|exception|message|msg|reason|caused by)"
    r"|(?:错误|报错)(?:信息|讯息|原因|日志|详情)?|(?:异常|失败)(?:信息|讯息|原因|日志|详情)"
    r"|原因|日志|报错)\s?[:：=]|[\w.]{3,100}(?:Exception|Error): ",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"\s?[=<>≥≤]")
_SHAPED = re.compile(r"[_\d]|[a-z][A-Z]|[A-Za-z]{2}[-./:][A-Za-z]|^[A-Z]{2,}$")
_NO_NAME = re.compile(
    r"[\d.:,%/-]+[a-z%]{0,2}|(?-i:[A-Z]{2,6}-\d+)|(?:P|S|SEV-?|V)\d|\d[\d.:/-]*[TZ]\S*|(?:java|org|com|sun)\.[\w.]+|[\w.]*(?:Exception|Error)"
    r"|[\w.-]+\.(?:sql|py|sh|log|java|scala|html|json|txt|ya?ml|md|csv|jar)(?::\d+)?|(?:exit|error|return)[-_]?code\S*"
    r"|https?|utf-8|n/a|e\.g\.?|i\.e\.?",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5})?|(?=[^_]*\d)[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9*]+)+(?::\d{2,5})?|[\w.-]+:\d{2,5}"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name, with the label that its noun stands for, where it stands, and whether a noun stands beside it."""

    label: str
    name: str
    start: int
    end: int
    noun: bool = False


def mentions(line: str) -> list[Mention]:
    """What a line names, in its order; not what the error that it quotes names."""
    quoted = _QUOTES_AN_ERROR.search(line)
    own = _ADDRESS.sub(lambda match: " " * len(match[0]), line[: quoted.start()] if quoted else line)
    found: list[Mention] = []
    for mention in _candidates(own):
        if not any(mention.start < other.end and other.start < mention.end for other in found):
            found.append(mention)
            found += _identity(mention, own)
    return sorted(found, key=lambda one: one.start)


def without(line: str, names: list[str]) -> str:
    """The line without these names, so that `pay_success` tells of no success."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        line = line.replace(name, " ")
    return line


def is_host(name: str) -> bool:
    """Whether a name is shaped as that of a machine: an address, a port, a hyphen with digits and no underscore."""
    return len(name) < 200 and bool(_HOST.fullmatch(name))


def _candidates(line: str) -> Iterator[Mention]:
    """What may be a name, the surest first."""
    read_as = simplified(line)
    for match in _CLOUD.finditer(line):
        yield Mention("host", match[0], *match.span())
    for match in _NUMBERED.finditer(line):
        if _is_name(match["name"]):
            yield Mention("task", match["name"], *match.span("name"))
    for pattern in (_before(), _after()):
        for match in pattern.finditer(read_as):
            written = line[slice(*match.span("name"))]
            name = _cleaned(written)
            noun = nouns()[match["noun"].lower()]
            if (
                name
                and (pattern is _before() or not name.isalpha() or not name.isascii())
                and (written[0] in "「『【《“”‘`'\"[" or _is_name(name))
            ):
                yield Mention(
                    "host" if noun == "node" and is_host(name) else "task" if noun == "node" else noun,
                    name,
                    *match.span("name"),
                    noun=True,
                )
    for match in _BARE.finditer(line):
        name = _cleaned(match[0])
        if "_" in name and not _COMPARED.match(line, match.end()) and _is_name(name):
            yield Mention("task", name, *match.span())


def _identity(mention: Mention, line: str) -> Iterator[Mention]:
    """The number behind a name: of the thing itself, or of its run."""
    if match := _IDENTITY.match(line, mention.end):
        if match["of"]:
            yield Mention("instanceid", match["id"], *match.span())
        elif mention.label in {"task", "workflow"} and (match["id"] or match["job"]):
            yield Mention(f"{mention.label}id", match["id"] or match["job"], *match.span())


def _cleaned(written: str) -> str:
    """A name without its quotes, and without what stands in brackets behind it."""
    name = written.strip("「」『』【】《》“”‘’`'\"*[]")
    if name.count(" ") > WORDS or name.startswith("_"):  # a sentence; something of a program's own
        return ""
    return re.sub(r"\s[\[(（].*", "", name).strip().rstrip(".:/@-,").lstrip(":/@")


def _is_name(name: str) -> bool:
    shaped = _SHAPED.search(name) or "_" in name
    return (
        bool(shaped)
        and not _NO_NAME.fullmatch(name)
        and not (name.isalpha() and (meaning("status", name) or meaning("kind", name)))
    )


@cache
def _before() -> re.Pattern[str]:
    return re.compile(
        rf"(?<![A-Za-z_-])(?P<noun>{_alternatives()})(?:s|名称|名|[ _]?(?:name|id)| run)?{_STATED}"
        rf"(?:(?<![A-Za-z])|(?![A-Za-z0-9_-]))[\s:：=]{{0,3}}(?P<name>{_NAME})",
        re.IGNORECASE,
    )


@cache
def _after() -> re.Pattern[str]:
    return re.compile(
        rf"(?<![{_LETTERS}])(?P<name>{_SPOKEN}|[{_LETTERS}]{{2,200}})\s?(?P<noun>{_alternatives(apart=True)})(?![a-z])",
        re.IGNORECASE,
    )


def _alternatives(*, apart: bool = False) -> str:
    """The nouns, the longest first; English ones only after a space when they are to stand apart from what is before."""
    longest = sorted(nouns(), key=len, reverse=True)
    return "|".join((r"(?<=\s)" if apart and noun.isascii() else "") + re.escape(noun) for noun in longest)
