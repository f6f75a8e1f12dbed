"""The page of DataWorks' events is what the models say; `python -m tests.core.test_events_table` writes it anew."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from core.effects import meaning
from core.events.dataworks import MODULES, TYPES, base, quality_parts
from core.events.dataworks.base import DataWorksEvent, Part
from core.events.values import Word
from core.extensions.points import callback
from core.schedulers.dataworks.extensions import ACTIONS
from core.schedulers.mirror import dataworks

PAGE = Path(__file__).parents[2] / "docs/events-dataworks.md"
HEAD = """# DataWorks' events

The 51 event types of DataWorks as X-Ops knows them; made from `core/events/dataworks`. [Events](events.md) tells how they get
here. *waits*: sent before the operation, which an extension may allow or refuse. *about*: what an event can be found by.
Any field may be missing; fields, words and types that are not listed are kept as they came.

*What X-Ops does* comes from the code that does it, and each sentence is proven with the type's own sample message
(`tests/core/test_events_done.py`). *Mirror*: what a [mirror](mirror.md) of DataWorks then knows. A *change* stands under "what
changed before" in the diagnosis of a node, where it was of the node, its instances or the tables it reads or writes.
*People*: who is told. *Decision*: where an [extension](events.md#extension-points) is configured. Besides, every event is
stored and can be replayed.

"""
SHARED = (base, quality_parts)


def page() -> str:
    """The whole page."""
    rows = "".join(map(_row, TYPES.values()))
    head = ("type", "code", "model", "what happened, or is about to", "", "about", "what X-Ops does")
    table = f"| {' | '.join(head)} |\n{'|---' * len(head)}|\n{rows}"
    return HEAD + table + "\n## Fields\n" + "".join(_fields(model) for model in _declared())


def _row(model: type[DataWorksEvent]) -> str:
    cells = (f"`{model.type}`", f"`{model.code}`", f"`{model.__name__}`", _said(model))
    waits, done = "waits" if model.before else "", "<br>".join(deeds(model))
    return f"| {' | '.join(cells)} | {waits} | {_about(model)} | {done} |\n"


def deeds(model: type[DataWorksEvent]) -> tuple[str, ...]:
    """What X-Ops does with events of a model: the sentences of whoever reads them, and how a decision is told."""
    readers = {"Mirror": dataworks.reader(model), "People": meaning.reader(model)}
    said = [f"{whom}: {inspect.getdoc(reader)}" for whom, reader in readers.items() if reader]
    decided = f"Decision: by rule, approval or default, told by `{ACTIONS[callback(model)]}`."
    return (*said, decided) if model.before else tuple(said)


def _declared() -> Iterator[type[Part]]:
    """Every model, in the order of the modules."""
    for module in (*SHARED, *MODULES):
        yield from (found for found in vars(module).values() if _own(found, module))


def _own(found: object, module: ModuleType) -> bool:
    return isinstance(found, type) and issubclass(found, Part) and found.__module__ == module.__name__


def _fields(model: type[Part]) -> str:
    """What a model adds to the one it is made from; nothing where it adds nothing."""
    meanings = documented(model)
    if not meanings:
        return ""
    lines = "".join(
        f"| `{model.model_fields[name].alias}` | {meaning}{_words(model, name)} |\n"
        for name, meaning in meanings.items()
    )
    parents = [parent for parent in model.__bases__ if parent not in (Part, DataWorksEvent)]
    more = f" Besides: {', '.join(f'`{parent.__name__}`' for parent in parents)}." if parents else ""
    return f"\n### `{model.__name__}`\n{_said(model)}{more}\n\n| field | meaning |\n|---|---|\n{lines}"


def documented(model: type[Part]) -> dict[str, str]:
    """The fields a model itself declares, with the sentence that follows each; empty where there is none."""
    (tree,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id in model.model_fields
        ):
            said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            found[node.target.id] = " ".join(str(said).split())
    return found


def _words(model: type[Part], name: str) -> str:
    """The words a field may hold."""
    kinds = [kind for kind in _parts(model.model_fields[name].annotation) if issubclass(kind, Word)]
    words = ", ".join(_word(member) for kind in kinds for member in kind)
    return f" {words}." if words else ""


def _word(member: Word) -> str:
    meaning = member.name.lower().replace("_", " ")
    return f"`{member.value}`" + (f" {meaning}" if member.value.lower() != member.name.lower() else "")


def _parts(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _said(model: type[Part]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _about(model: type[DataWorksEvent]) -> str:
    kinds = dict.fromkeys(kind for kind, _ in model.about)
    own: Any = model.subjects  # a property, seen from the class
    return str(own.__doc__) if own is not DataWorksEvent.subjects else ", ".join(kinds)


def test_the_page_is_what_the_models_say() -> None:
    """51 rows, and every field; nothing of it is written by hand."""
    assert PAGE.read_text("utf-8") == page()


def test_every_field_has_a_meaning() -> None:
    """A field without a sentence is a field nobody looked up."""
    assert [
        (model.__name__, name) for model in _declared() for name, said in documented(model).items() if not said
    ] == []


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
