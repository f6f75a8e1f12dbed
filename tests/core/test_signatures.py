"""What is known about logs is whole: every rule recognises its own example, and every piece of advice can be said."""

import re

import pytest

from core.diagnosis.model import Cause
from core.diagnosis.rulebook import Signature, Trait, marks, packaged
from core.i18n import LANGUAGES, words

KINDS = ("success", "failure", "recovery", "progress", "harmless")
TRAITS = [
    *((signature.id, signature.trait) for signature in packaged().signatures),
    *((f"{kind}-{number}", trait) for kind in KINDS for number, trait in enumerate(marks(kind))),
]
NESTED = re.compile(r"\((?:\?:)?[^()]*[^\\()][+*]\)[+*]")


@pytest.mark.parametrize(("name", "trait"), TRAITS, ids=[name for name, _ in TRAITS])
def test_every_rule_recognises_its_own_example(name: str, trait: Trait) -> None:
    """Both steps do: the words find the line, the pattern matches it."""
    assert any(word in trait.example.lower() for word in trait.contains)
    assert trait.pattern.search(trait.example)


@pytest.mark.parametrize(("name", "trait"), TRAITS, ids=[name for name, _ in TRAITS])
def test_every_rule_is_searched_for_in_lower_case_and_cannot_backtrack_far(name: str, trait: Trait) -> None:
    """A word in capitals would never be found; a repeat of a repeat is what bait strings are made for."""
    assert all(word and word == word.lower() for word in trait.contains)
    assert not NESTED.search(trait.pattern.pattern)


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
