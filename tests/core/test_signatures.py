"""What is known about logs is whole: every rule recognises its own example, and every piece of advice can be said."""

import pytest

from core.diagnosis.model import Cause
from core.diagnosis.patterns import hazard
from core.diagnosis.rulebook import MarkKind, Signature, Trait, marks, packaged
from core.i18n import LANGUAGES, words

KINDS: tuple[MarkKind, ...] = ("success", "failure", "recovery", "again", "progress", "harmless", "wrapper")
TRAITS = [
    *((signature.id, signature.trait) for signature in packaged().signatures),
    *((f"{kind}-{number}", trait) for kind in KINDS for number, trait in enumerate(marks(kind))),
]


@pytest.mark.parametrize(("name", "trait"), TRAITS, ids=[name for name, _ in TRAITS])
def test_every_rule_recognises_its_own_example(name: str, trait: Trait) -> None:
    """Both steps do: the words find the line, the pattern matches it."""
    assert any(word in trait.example.lower() for word in trait.contains)
    assert trait.pattern.search(trait.example)


@pytest.mark.parametrize(("name", "trait"), TRAITS, ids=[name for name, _ in TRAITS])
def test_every_rule_is_searched_for_in_lower_case_and_cannot_backtrack_far(name: str, trait: Trait) -> None:
    """A word in capitals would never be found; a repeat of a repeat is what bait strings are made for."""
    assert all(word and word == word.lower() for word in trait.contains)
    assert hazard(trait.pattern.pattern, trait.example) == ""


@pytest.mark.parametrize("signature", packaged().signatures, ids=lambda signature: signature.id)
def test_every_advice_can_be_said_in_every_language(signature: Signature) -> None:
    """A rule names advice that the catalogues have, and says where its message is known from."""
    assert all(f"diagnosis.advice.{signature.advice}" in words(language) for language in LANGUAGES)
    assert signature.source


def test_ids_are_unique_and_every_cause_is_known_from_somewhere() -> None:
    """Two rules of one name would hide each other; a cause without a rule could never be found."""
    ids = [signature.id for signature in packaged().signatures]
    assert len(ids) == len(set(ids))
    found = {signature.cause for signature in packaged().signatures}
    assert set(Cause) - found == {Cause.SUCCESS_OR_HEALTHY, Cause.UNKNOWN}


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", "(a+a)+$", r"(\w+\s?)+:", ".*a.*b.*c", "x.*a.*b.*c", "(.{1,100}){1,9}x", "[(]+([a]+)+", "("],
)
def test_a_pattern_that_could_stall_the_reader_is_refused(pattern: str) -> None:
    """Repeats in repeats by their structure, many wide repeats by trial, and what is no pattern at all."""
    assert hazard(pattern, "xaaa xab: aaaa")


@pytest.mark.parametrize(
    "pattern", [r"(?:\w++\s)+:", "(?>a+)+b", "(?:a|b){3}", r"FAILED: .{0,300}? table (?P<object>\w+)"]
)
def test_a_quick_pattern_is_let_through(pattern: str) -> None:
    """What cannot be given back, or comes a fixed number of times, multiplies nothing."""
    assert hazard(pattern, "aab aab: table") == ""
