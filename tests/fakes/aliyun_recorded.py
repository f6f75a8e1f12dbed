"""Exchanges with an Alibaba Cloud gateway, kept as files: one an operation, shortened, without what is secret."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.fakes.aliyun import KEY, SECRET, Exchange

DATA: Final = Path(__file__).parents[1] / "data"
LONGEST_LIST: Final = 2
"""Entries kept of a list: the third tells nothing new."""


def first_of_each(exchanges: Sequence[Exchange]) -> Mapping[str, Any]:
    """The first exchange of each operation, by its name, as it is kept."""
    recorded = {one.action: _shortened(asdict(one)) for one in reversed(exchanges)}
    return json.loads(json.dumps(dict(sorted(recorded.items()))))


def kept(folder: Path) -> Mapping[str, Any]:
    """What is in a folder, by operation."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def keep(folder: Path, exchanges: Mapping[str, Any]) -> None:
    """Write them anew."""
    folder.mkdir(exist_ok=True)
    for action, exchange in exchanges.items():
        text = json.dumps(exchange, ensure_ascii=False, indent=1)
        (folder / f"{action}.json").write_text(f"{text}\n", "utf-8")


def secrets(folder: Path) -> list[str]:
    """Credentials that are in a folder."""
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.json")).casefold()
    return [secret for secret in (KEY, SECRET, "authorization") if secret.casefold() in text]


def _shortened(value: Any) -> Any:  # whatever JSON holds
    """The same with only the first entries of each list."""
    match value:
        case dict():
            return {key: _shortened(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [_shortened(inner) for inner in value[:LONGEST_LIST]]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
