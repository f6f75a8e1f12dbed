"""What a model adds to a diagnosis: after everything that was found, under a line that says whose words these are."""

from collections.abc import Iterator, Sequence

from core.agent.answer import Claim
from core.cards import Block, Field, Item, Text
from core.i18n import Words
from core.views.reader import plain, plain_line

SENTENCE = 200


def claims(words: Words, said: Sequence[Claim]) -> Iterator[Block]:
    """Each sentence with the lines it rests on; nothing when nothing was said."""
    if said:
        yield Text(words("agent.claims"), "strong")
    for claim in said:
        proofs = tuple(Field(proof.id, plain_line(proof.text)) for proof in claim.proofs)
        yield Item(plain(claim.text, SENTENCE), fields=proofs)
