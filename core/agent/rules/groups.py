"""Projects and owners in a clause: "交易项目", "project finance", "供应链那边", "陈晓雯负责的任务", "alice's failures"."""

import re
from dataclasses import dataclass
from typing import Literal

from core.agent.rules.noise import bare

_PROJECTS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"([a-z0-9_.\u4e00-\u9fff-]{2,40}?) ?(?:这个)?(?:项目|工作空间|专案)",
        r"\b(?:project|workspace|dag)\b(?: ?[:=]| called| named)? ?([a-z0-9_.-]+)",
        r"(?:项目|工作空间|专案)(?: ?[:=]|名为|叫)? ?([a-z0-9_.-]+)",
        r"([a-z0-9_.-]{2,40}) (?:project|workspace|dag)\b",
    )
)
"""What a project is called by, the surest first."""
_OWNER = re.compile(
    r"([a-z0-9_.]{2,40}|[\u4e00-\u9fff]{2,4}?)(?:负责|名下)"
    r"|\bowned by ([a-z0-9_.\u4e00-\u9fff]{2,40})"
    r"|\b([a-z][a-z0-9_.]{1,40})'s (?:failed |running )?(?:tasks|jobs|failures|instances|runs)\b"
    r"|(?:^|[ ,看查下列出])((?!我)[\u4e00-\u9fff]{2,3}?)的(?:失败|报错|任务|作业|实例|运行)",
    re.ASCII,
)
_AREA = re.compile(
    r"(?:^|[^a-z0-9_.\u4e00-\u9fff]|[说指]的是|是指|[看查]一?下)([a-z0-9_.]{2,40}|[\u4e00-\u9fff]{2,8}?) ?"
    r"(?:那边|这边|那块|这块|域|业务线|产品线|(?:小)?组(?![织件合])|团队|部门)"
    r"|\b([a-z][a-z0-9_.]{1,40}) (?:team|domain|side)\b",
    re.ASCII,
)
"""What is called neither a project nor an owner: it may be either, or part of names."""
_NOBODY = frozenset(
    ("我", "我们", "what", "who", "it", "today", "yesterday", "let", "that", "there", "here", "how", "all")
)


@dataclass(frozen=True, slots=True)
class Group:
    """A project or an owner, and where its name stands. What may be either counts as an owner."""

    kind: Literal["project", "owner"]
    span: tuple[int, int]


def group(clause: str) -> Group | None:
    """The project or else the owner that a folded clause names."""
    for pattern in _PROJECTS:
        for match in pattern.finditer(clause):
            start, end = _name(clause, match)
            if start < end:
                return Group("project", (start, end))
    for match in (*_OWNER.finditer(clause), *_AREA.finditer(clause)):
        start, end = _name(clause, match)
        if start < end and clause[start:end] not in _NOBODY:
            return Group("owner", (start, end))
    return None


def _name(clause: str, match: re.Match[str]) -> tuple[int, int]:
    """Where the group that matched stands, without the words around the name."""
    begin, until = match.span(match.lastindex or 0)
    start, end = bare(clause[begin:until])
    return begin + start, begin + end
