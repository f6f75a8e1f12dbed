"""How values of other systems are read: ids to the last digit, times with a zone, words that may be new tomorrow.

What a platform sends is described more strictly than it behaves: ids come as numbers, texts or fractions, times in four
notations, words in any case. Nothing here refuses a value; what cannot be understood stays as it was given.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo

from core.store.types import EPOCH

LONGEST_NUMBER = 40
"""Digits of the longest number that is written out. `1E999999999` stays as it is."""

SECONDS_END = 100_000_000_000
"""Numbers below are seconds since 1970, numbers above milliseconds: the former would be after the year 5000."""

PLATFORM_ZONE = ZoneInfo("Asia/Shanghai")
"""Zone of times written without one, unless the caller of a model says another in its context as `zone`."""


def text_of(value: object) -> object:
    """A number as its digits, all of them; anything else as it is.

    `1.0E9` is `1000000000`. A number with a fraction keeps it: guessing what it stands for is not done here.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        whole = value.is_finite() and value.adjusted() < LONGEST_NUMBER and value == int(value)
        return str(int(value)) if whole else str(value)
    return value


def _texts_of(value: object) -> object:
    """A list, a comma-joined text or a single value, as a list of texts."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, Sequence):
        return tuple(text_of(entry) for entry in cast("Sequence[object]", value) if entry not in (None, ""))
    return (text_of(value),)


def moment(value: object, info: ValidationInfo) -> datetime | None:
    """A time: milliseconds or seconds since 1970, or text with or without a zone. None when it is none of these.

    `0` and an empty text mean that the time is not set. EventBridge ends some times with `PRC` for China's zone.
    """
    value = text_of(value)
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        if value.lstrip("-").isdecimal():
            return _since_1970(int(value))
        found = datetime.fromisoformat(value.strip().removesuffix("PRC"))
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=_zone(info))


def _since_1970(number: int) -> datetime | None:
    if number == 0:
        return None
    return EPOCH + (timedelta(seconds=number) if abs(number) < SECONDS_END else timedelta(milliseconds=number))


def _zone(info: ValidationInfo) -> ZoneInfo:
    context: Any = info.context
    return context["zone"] if context else PLATFORM_ZONE


class Word(StrEnum):
    """A word out of a list that a platform may lengthen at any time, read in any case.

    The first value of a member is the word on the wire; others are further spellings of it.
    """

    others: tuple[str, ...]

    def __new__(cls, value: str, *others: str) -> Self:
        """A member with its spellings."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.others = others
        return member

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls._spelled().get(str(value).casefold())

    @classmethod
    @cache
    def _spelled(cls) -> Mapping[str, Self]:
        """Members by all their spellings; of two with the same one, the first."""
        return {spelling.casefold(): member for member in reversed(cls) for spelling in (member.value, *member.others)}


W = TypeVar("W", bound=Word)

Id = Annotated[str, BeforeValidator(text_of)]
"""An id, exactly. One that was masked (`19***735`) stays so."""

Ids = Annotated[tuple[str, ...], BeforeValidator(_texts_of)]
"""Several ids: a list, or a text with commas between them."""

Time = Annotated[datetime | None, BeforeValidator(moment)]
"""A time with zone; None when it is not set, or written in a way nobody can read."""

Open = Annotated[W | str, Field(union_mode="left_to_right"), BeforeValidator(text_of)]
"""A word of the list `W`, or the raw text when the list does not have it."""
