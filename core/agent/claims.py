"""A model's words about a diagnosis, sentence by sentence: kept where they cite evidence that is there, dropped otherwise.

A sentence cites as `[L41]` or `[L41, S1]`, before or after its full stop. It is dropped when it cites nothing, cites what
the diagnosis does not rest on (or a line that tries to instruct the reader), names or counts what nobody wrote, speaks of
rerunning, disputes, or gives another cause that its evidence does not speak of: whether a rerun helps and what the cause is
are the verdict, and a model adds to the verdict but never changes it. No LangChain here.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from core.agent.answer import Claim
from core.agent.rules.intents import intents
from core.agent.rules.names import identifiers
from core.agent.rules.text import fold
from core.diagnosis.model import Cause, Diagnosis, Proof
from core.redact import clean, mask

MOST = 5
"""Sentences shown: the card is the answer, this only explains it."""
SENTENCE = 200
READ = 4000
"""Characters of a sentence that is shown, and of all that is read."""

_CITES = r"[\[【(（] ?[A-Z]\d{1,7}(?: ?[,，、;；] ?[A-Z]\d{1,7}){0,9} ?[\]】)）]"
_CITATION, _ID = re.compile(_CITES, re.ASCII), re.compile(r"[A-Z]\d+", re.ASCII)
_SENTENCE = re.compile(rf"(?:[^。！？!?\n.]|\.(?!\s|\Z))++[。！？!?.]*+(?:\s*+{_CITES}[。.]?)*+", re.ASCII)

_NUMBER = re.compile(r"\d{2,}", re.ASCII)
_DISPUTES = re.compile(
    r"不是|并非|并不是|而是|误判|误报|判断有误|结论|其实|实际上"
    r"|\b(?:isn't|wasn't|rather|instead|actually|wrong|incorrect|verdict|diagnosis)\b"
    r"|\bnot\b(?! (?:exist|found|there|enough|available))",
    re.ASCII,
)
_CAUSES: Mapping[Cause, re.Pattern[str]] = {
    Cause.SQL_ERROR: re.compile(r"语法|\bsyntax", re.ASCII),
    Cause.DATA_QUALITY: re.compile(r"脏数据|数据质量|\bdata quality|\bdirty", re.ASCII),
    Cause.PERMISSION: re.compile(r"权限|授权|\bpermission|\bunauthori[sz]ed|\bforbidden", re.ASCII),
    Cause.OUT_OF_MEMORY: re.compile(r"内存|\boom\b|\bmemory", re.ASCII),
    Cause.RESOURCE_SHORTAGE: re.compile(r"磁盘|资源不足|配额|\bdisk|\bquota", re.ASCII),
    Cause.TIMEOUT: re.compile(r"超时|\btime(?:d )?-?out", re.ASCII),
    Cause.LOCK_CONFLICT: re.compile(r"锁|\block(?:ed|s)?\b|\bdeadlock", re.ASCII),
    Cause.NETWORK: re.compile(r"网络|\bnetwork|\bconnection (?:refused|reset)", re.ASCII),
    Cause.KILLED: re.compile(r"被杀|人为终止|\bkilled by\b", re.ASCII),
}
"""Words that name a cause, folded; of causes that people name by words of their own."""


def claims(
    text: str, diagnosis: Diagnosis, knows: Callable[[str], bool], restore: Callable[[str], str] = str
) -> tuple[Claim, ...]:
    """The sentences of a model that hold.

    Args:
        text: what it wrote.
        diagnosis: what it wrote about.
        knows: whether a name was written before, by a person or a tool.
        restore: brings back names that were hidden from it.
    """
    suspect = set(diagnosis.injection)
    proofs = {proof.id: proof for proof in diagnosis.proofs if not proof.line or proof.line not in suspect}
    told = fold("\n".join(proof.text for proof in proofs.values()))
    sentences = (match.group() for match in _SENTENCE.finditer(restore(mask(clean(text[:READ])))))
    held = _held(sentences, proofs, lambda name: knows(name) or name in told)
    return tuple(claim for claim in held if not _contrary(fold(claim.text), diagnosis.cause, told))[:MOST]


def _held(sentences: Iterator[str], proofs: Mapping[str, Proof], knows: Callable[[str], bool]) -> Iterator[Claim]:
    for sentence in sentences:
        cited = list(dict.fromkeys(_ID.findall(" ".join(_CITATION.findall(sentence)))))
        said = _CITATION.sub("", sentence).strip(" \t.。")
        made_up = any(not knows(part) for part in (*(name.text for name in identifiers(said)), *_NUMBER.findall(said)))
        if cited and said and proofs.keys() >= set(cited) and not made_up and not _judges(said):
            yield Claim(said[:SENTENCE], tuple(proofs[each] for each in cited))


def _contrary(sentence: str, cause: Cause, told: str) -> bool:
    """Whether a folded sentence disputes the verdict, or gives another cause of which no evidence speaks."""
    others = (words for other, words in _CAUSES.items() if other is not cause and not words.search(told))
    return bool(_DISPUTES.search(sentence)) or any(words.search(sentence) for words in others)


def _judges(sentence: str) -> bool:
    """Whether a sentence speaks of rerunning."""
    folded = fold(sentence)
    return any(row.words.search(folded) for row in intents() if row.arguments.get("operation") == "rerun")
