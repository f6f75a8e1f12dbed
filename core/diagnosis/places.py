"""Where in the user's own code a fault is: the frame of a Python or Java trace that is theirs, or the line of their SQL.

Frames of libraries and engines tell a platform's developer something; the on-call engineer needs the file they can open.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REACH = 200
"""Lines looked at, up or down, for the trace or the statement that a root error belongs to."""

_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
_PYTHON = re.compile(r'File "(?P<file>[^"\n]{1,300})", line (?P<line>\d{1,7})(?:, in (?P<function>[\w<>.]{1,120}))?')
_PYTHON_LIBRARY = re.compile(
    r"(?:site|dist)-packages/|/lib(?:64)?/python\d|\bpython\d?\d?\.zip/|<frozen |/py4j/|/pyspark/|^<"
)
_JAVA = re.compile(r"^\s*at (?P<function>[\w.$/<>]{3,200})\((?P<file>\w{1,120}\.(?:java|scala|kt)):(?P<line>\d{1,7})\)")
_JAVA_TRACE = re.compile(r"^\s*(?:at [\w.$/<>]{3,}\(|\.\.\. \d+ (?:more|common)|Caused by: |Suppressed: )")
_JAVA_LIBRARY = re.compile(
    r"^(?:[\w.]+/)?(?:java|javax|jakarta|jdk|sun|scala|kotlin|akka|groovy|oracle|com\.(?:sun|oracle|mysql|mongodb|microsoft|ibm"
    r"|google|fasterxml|alibaba|aliyun|aliyuncs|amazonaws|zaxxer|facebook|ververica|starrocks|clickhouse|databricks)"
    r"|org\.(?:apache|postgresql|springframework|mybatis|hibernate|junit|slf4j|eclipse|codehaus|mariadb|sparkproject)"
    r"|io\.(?:netty|grpc|trino|prestosql|delta|confluent|debezium)|ru\.yandex|dm\.jdbc)\."
)
_SHELL = re.compile(
    r"^(?:\S{0,40} )?(?P<file>[\w./-]{1,200}\.(?:sh|bash|hql|sql|py)): (?:line |第 ?)?(?P<line>\d{1,6})(?::| ?行)"
)
_POSITION = re.compile(
    r"\[(?P<a>\d{1,4}),(?P<b>\d{1,4})\]|\bline (?P<c>\d{1,4})(?:[:,] ?(?:pos(?:ition)? |column |char )?(?P<d>\d{1,4}))?",
    re.IGNORECASE,
)
_STATEMENT = re.compile(r"^\s{0,8}(?:INSERT|SELECT|WITH|CREATE|MERGE|UPDATE|DELETE|ALTER|REPLACE)\b", re.IGNORECASE)
_STAMPED = re.compile(r"^\W{0,2}\d{2,4}[-/:]\d\d")
_QUOTED = re.compile(
    r"\[SQL: (?P<a>.+)|^(?:STATEMENT|LINE \d+|QUERY|Query|SQL)\s?[:：]\s*(?P<b>\S.+)"
    r"|(?:执行的? ?SQL|SQL ?语句)\s?[:：]\s?(?P<c>\S.+)"
)


@dataclass(frozen=True, slots=True)
class Sight:
    """A place, and the positions of the lines that show it.

    Attributes:
        file: as the trace names it; empty for a statement.
        line: number within the file or the statement; 0 when only the statement is known.
        code: what stands there, if the log shows it.
    """

    positions: tuple[int, ...]
    file: str = ""
    line: int = 0
    function: str = ""
    code: str = ""


def own_place(lines: Sequence[str], root: int) -> Sight | None:
    """The place in the user's own code that a root error leads to; None when the log does not show one.

    Args:
        lines: of the log; lines that must not be believed are given empty.
        root: position of the root error.
    """
    return (
        _script(lines, root) or _python(lines, root) or _java(lines, root) or _sql(lines, root) or _quoted(lines, root)
    )


def _script(lines: Sequence[str], root: int) -> Sight | None:
    """The error names the file and the line itself."""
    found = _SHELL.search(lines[root])
    return Sight((root,), found["file"], int(found["line"])) if found else None


def _python(lines: Sequence[str], root: int) -> Sight | None:
    """The innermost own frame of the traceback above the error."""
    for position in range(root - 1, max(-1, root - REACH), -1):
        if _TRACEBACK.search(lines[position]):
            return None
        frame = _PYTHON.search(lines[position])
        if frame and not _PYTHON_LIBRARY.search(frame["file"]):
            shown = position + 1 < root and not _PYTHON.search(lines[position + 1])
            code = lines[position + 1].strip() if shown else ""
            at = (position, position + 1) if code else (position,)
            return Sight(at, frame["file"], int(frame["line"]), frame["function"] or "", code)
    return None


def _java(lines: Sequence[str], root: int) -> Sight | None:
    """The first own frame of the trace below the error, or else of the trace that it is the cause in."""
    for position in (*_trace(lines, range(root + 1, len(lines))), *_trace(lines, range(root - 1, -1, -1))):
        frame = _JAVA.search(lines[position])
        if frame and not _JAVA_LIBRARY.search(frame["function"]):
            return Sight((position,), frame["file"], int(frame["line"]), frame["function"].rpartition("/")[2])
    return None


def _trace(lines: Sequence[str], positions: range) -> Iterator[int]:
    """Positions as long as they belong to a trace."""
    for position in positions[:REACH]:
        if lines[position] and not _JAVA_TRACE.search(lines[position]):
            return
        yield position


def _sql(lines: Sequence[str], root: int) -> Sight | None:
    """The line of the statement above that the error points at; only where that line is long enough to be it."""
    pointed = _POSITION.search(lines[root])
    start = _start(lines, root)
    if pointed is None or start is None:
        return None
    number, column = int(pointed["a"] or pointed["c"]), int(pointed["b"] or pointed["d"] or 0)
    at = start + number - 1
    if number < 1 or at >= root or column > len(lines[at]) + 1 or not lines[at].strip():
        return None
    return Sight((at,), line=number, code=lines[at].strip())


def _start(lines: Sequence[str], root: int) -> int | None:
    """Where the statement above begins: a SELECT may be the second line of an INSERT."""
    above = range(root - 1, max(-1, root - REACH), -1)
    nearest = next((position for position in above if _STATEMENT.search(lines[position])), None)
    if nearest is None:
        return None
    start = nearest
    for position in range(nearest - 1, max(-1, nearest - REACH), -1):
        if not lines[position].strip() or _STAMPED.search(lines[position]):
            break
        start = position if _STATEMENT.search(lines[position]) else start
    return start


def _quoted(lines: Sequence[str], root: int) -> Sight | None:
    """The statement that the error quotes below itself."""
    for position in range(root, min(len(lines), root + 8)):
        if found := _QUOTED.search(lines[position]):
            return Sight((position,), code=next(filter(None, found.groups())).strip())
    return None
