"""A model's words about a diagnosis, sentence by sentence: kept where they cite evidence that is there, dropped otherwise.

A sentence cites as `[L41]` or `[L41, S1]`, before or after its full stop. It is dropped when it cites nothing, cites what
the diagnosis does not rest on (or a line that tries to instruct the reader), names what nobody wrote, or speaks of
rerunning: whether that helps is the verdict, and a model adds to the verdict but never changes it. No LangChain here.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from core.agent.answer import Claim
from core.agent.rules.intents import intents
from core.agent.rules.names import identifiers
from core.agent.rules.text import fold
from core.diagnosis.model import Diagnosis, Proof
from core.redact import clean, mask

MOST = 5
"""Sentences shown: the card is the answer, this only explains it."""
SENTENCE = 200
READ = 4000
"""Characters of a sentence that is shown, and of all that is read."""

_CITES = r"[\[【(（] ?[A-Z]\d{1,7}(?: ?[,，、;；] ?[A-Z]\d{1,7}){0,9} ?[\]】)）]"
_CITATION, _ID = re.compile(_CITES, re.ASCII), re.compile(r"[A-Z]\d+", re.ASCII)
_SENTENCE = re.compile(rf"(?:[^。！？!?\n.]|\.(?!\s|\Z))++[。！？!?.]*+(?:\s*+{_CITES}[。.]?)*+", re.ASCII)


def claims(text: str, diagnosis: Diagnosis, knows: Callable[[str], bool]) -> tuple[Claim, ...]:
    """The sentences of a model that hold.

    Args:
        text: what it wrote.
        diagnosis: what it wrote about.
        knows: whether a name was written before, by a person or a tool.
    """
    suspect = set(diagnosis.injection)
    proofs = {proof.id: proof for proof in diagnosis.proofs if not proof.line or proof.line not in suspect}
    sentences = (match.group() for match in _SENTENCE.finditer(mask(clean(text[:READ]))))
    return tuple(_held(sentences, proofs, knows))[:MOST]


def _held(sentences: Iterator[str], proofs: Mapping[str, Proof], knows: Callable[[str], bool]) -> Iterator[Claim]:
    for sentence in sentences:
        cited = list(dict.fromkeys(_ID.findall(" ".join(_CITATION.findall(sentence)))))
        said = _CITATION.sub("", sentence).strip(" \t.。")
        made_up = any(not knows(name.text) for name in identifiers(said))
        if cited and said and proofs.keys() >= set(cited) and not made_up and not _judges(said):
            yield Claim(said[:SENTENCE], tuple(proofs[each] for each in cited))


def _judges(sentence: str) -> bool:
    """Whether a sentence speaks of rerunning."""
    folded = fold(sentence)
    return any(row.words.search(folded) for row in intents() if row.arguments.get("operation") == "rerun")
