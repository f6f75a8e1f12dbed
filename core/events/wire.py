"""JSON from outside, made safe: parsed to the last digit, not too deep, cleaned, and with its secrets masked.

An event is masked value by value, not as one text: that keeps it JSON, keeps its ids (eleven digits are an instance here,
not a telephone number), and costs a twentieth.
"""

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from core.errors import BadInput
from core.events.values import text_of
from core.redact import MASK, clean, mask

DEEPEST = 40
"""Levels of the deepest event; DataWorks' own have eight."""

_PLAIN = re.compile(r"[\d*.,:TZ+ /-]*|[A-Za-z._:-]{0,80}|[0-9a-f-]{36}")
"""Numbers, times, single words and UUIDs: nothing in them needs masking, and most of an event is made of them."""


def parse(body: bytes | str) -> object:
    """Read JSON without losing a digit: fractions become `Decimal`.

    Raises:
        BadInput: it is not JSON, or nested too deeply.
    """
    try:
        return _DECODER.decode(
            body if isinstance(body, str) else str(body, json.detect_encoding(body), "surrogatepass")
        )
    except (ValueError, RecursionError) as error:
        raise BadInput("not JSON") from error


def safe(value: object, key: str = "", depth: int = 0) -> Any:  # noqa: ANN401  # JSON: read by models
    """The value with every text cleaned and masked, and every number that a double would garble as text.

    Args:
        value: as `parse` returned it.
        key: the name it stands under; a value under `password` is masked whatever it looks like.
        depth: levels above.

    Raises:
        BadInput: nested too deeply.
    """
    if depth > DEEPEST:
        raise BadInput("nested too deeply")
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {_word(name): safe(entry, name, depth + 1) for name, entry in entries.items()}
    if isinstance(value, list):
        return [safe(entry, key, depth + 1) for entry in cast("list[object]", value)]
    if value is None or isinstance(value, bool):
        return value
    if _names_secret(key):
        return MASK
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else _word(value) if len(value) <= 100 else mask(clean(value))
    return value if isinstance(value, int) and abs(value) < 2**63 else text_of(value)


@lru_cache(8192)
def _word(text: str) -> str:
    return mask(clean(text))


@lru_cache(8192)
def _names_secret(key: str) -> bool:
    return bool(key) and MASK in mask(f"{key}: 0a1b2c3d4e5f6a7b")


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
"""Made once: making one takes as long as reading a small event."""
