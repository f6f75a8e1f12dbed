"""Flows as a YAML document, to keep them under version control and to carry them to another installation."""

from collections.abc import Iterator

import yaml
from pydantic import Field, ValidationError

from core.approvals.model import Definition, Frozen
from core.errors import BadInput

LARGEST = 1_000_000
"""Characters of a document."""
DEEPEST = 20
BEGIN = (
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
)
END = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


class Document(Frozen):
    """The whole of it."""

    flows: tuple[Definition, ...] = Field(max_length=1000)


def dump(definitions: tuple[Definition, ...]) -> str:
    """The document; what has its default is left out."""
    plain = Document(flows=definitions).model_dump(mode="json", exclude_defaults=True)
    return yaml.dump(plain, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)


def load(text: str) -> tuple[Definition, ...]:
    """Read a document; in a thread where others wait, since a hostile one takes a while.

    Raises:
        BadInput: not such a document; the message says where. Aliases are refused: a few lines of them expand to gigabytes.
    """
    if len(text) > LARGEST:
        raise BadInput(f"a document has at most {LARGEST} characters", argument="document")
    try:
        _refuse_bombs(text)
        return Document.model_validate(yaml.load(text, yaml.CSafeLoader)).flows
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{place}: {first['msg']}", argument="document") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadInput("not a YAML document", argument="document") from error


def _refuse_bombs(text: str) -> None:
    """Read token by token, and stop at an alias or too many brackets: both cost far more than their length."""
    depth = 0
    for token in _tokens(text):
        if isinstance(token, yaml.AliasToken):
            raise BadInput("a document has no aliases", argument="document")
        depth += isinstance(token, BEGIN) - isinstance(token, END)
        if depth > DEEPEST:
            raise BadInput("a document is not that deep", argument="document")


def _tokens(text: str) -> Iterator[object]:
    yield from yaml.scan(text, yaml.CSafeLoader)  # pyright: ignore[reportUnknownMemberType]
