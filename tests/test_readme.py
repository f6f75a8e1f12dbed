"""The pages are true: the table of settings is the settings', links lead somewhere.

`python -m tests.test_readme` writes the table anew after a setting was added.
"""

import ast
import re
from collections.abc import Iterator
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from core.settings import Settings

ROOT = Path(__file__).parent.parent
CONFIGURATION = ROOT / "docs/configuration.md"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
HEAD = """# Configuration

Settings are read from `xops.toml` in the working directory, or from the file named by `XOPS_SETTINGS`; then from the
environment, which wins: `XOPS_FEISHU__APP_SECRET` is `feishu.app_secret`, and `XOPS_PEOPLE` is the whole list `people` as JSON.
[deploy/xops.example.toml](../deploy/xops.example.toml) is a whole file. Unknown keys, weak secrets and settings that cannot
work are refused at start. This table is made from `core/settings`.

"""


def table() -> str:
    """Every setting, its default, and what it means, as Markdown."""
    rows = "".join(f"| `{name}` | {default} | {meaning} |\n" for name, default, meaning in _rows("", Settings))
    return f"| setting | default | meaning |\n|---|---|---|\n{rows}"


def _rows(prefix: str, section: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        inner, several = _section(field.annotation)
        if inner is None:
            yield prefix + name, _default(field), " ".join(meanings.get(name, "").split())
        else:
            own = f"{prefix}{name}[]" if several else f"{prefix}{name}"
            yield own, "", " ".join((inner.__doc__ or "").split("\n\n")[0].split())
            yield from _rows(f"{own}.", inner)


def _meanings(section: type[BaseModel]) -> dict[str, str]:
    """What is written below each field. Pydantic could read it too, but would do so at every start (40 ms)."""
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__[: section.__mro__.index(BaseModel)]):
        for field, below in pairwise(ast.walk(ast.parse(dedent(getsource(kind))))):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                    found[name] = meaning
                case _:
                    pass
    return found


def _section(annotation: Any) -> tuple[type[BaseModel] | None, bool]:  # a type as written
    """The section a field holds, if it holds one, and whether it holds several."""
    kinds = get_args(annotation) if get_origin(annotation) in {tuple, Union, UnionType} else (annotation,)
    found = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return (found[0] if found else None), get_origin(annotation) is tuple


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if field.is_required():
        return "needed"
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    return f"`{value}`" if value not in ("", (), {}) else ""


def test_the_table_of_settings_is_true() -> None:
    """A setting without a row, or a row without a setting, cannot be."""
    assert CONFIGURATION.read_text("utf-8") == HEAD + table()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files that pages point to are there."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


if __name__ == "__main__":
    CONFIGURATION.write_text(HEAD + table(), "utf-8")
