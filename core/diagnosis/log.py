"""What a log says by itself: its root error, which is seldom the last and seldom the loudest.

Every line that a signature knows is a *sighting*. They are put in order, and the first one is the root:

1. before all that a later line says was recovered (a retry that worked, or another attempt with an end of its own), and
   before what the run survived: it went on making progress until something else stopped it;
2. what states a cause, before what may be the consequence of another (a connection reset), before the words of an engine
   that nothing else in the log speaks of, before words that no engine owns, before what only says that code raised;
3. errors before warnings;
4. the earliest, since failures cascade downward; within one Java trace the deepest `Caused by`;
5. on one line, the rules that people here wrote themselves, and the one that knows more of the line.

Comments, and lines about another day's run, are no errors whatever words they hold.

A log that ends well is healthy whatever errors it survived, with one exception: a shell that went on after a command had
failed, and returned 0. A log ends well when its last word is success: an error after it leaves the end open.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, takewhile
from re import Match

from core.diagnosis.model import Cause, LogFinding, Place, Proof
from core.diagnosis.places import Sight, own_place
from core.diagnosis.rulebook import MarkKind, Rules, Signature, marks, packaged
from core.diagnosis.text import Text, bounded
from core.redact import injections, mask
from core.schedulers.base import LogPage

PROOFS = 6
PROOF_LENGTH = 400
GOES_ON = 2
"""Lines of progress after an error that show the run survived it."""
WEIGHTS = ("root", "symptom", "foreign", "words", "generic")
"""Those of signatures; `foreign` is what a signature is worth where another engine than its own is shown."""

_WARNED = re.compile(
    r"\bWARN(?:ING)?\b|\bretrying\b|will (?:be )?retr|\bignor(?:ed|ing)\b|non-?fatal"
    r"|(?:将|將|正在|准备|準備)(?:自动|自動)?(?:重试|重試)|忽略",
    re.IGNORECASE,
)
_LOGGED = re.compile(r"^\W{0,3}\d{2,4}[-/:]\d\d.{0,60}?\b(?:ERROR|WARN|WARNING|FATAL|CRITICAL|SEVERE)\b")
_CALL = re.compile(r"^\s*(?:at\s+[\w.$/<>@-]+\(|\.\.\. \d+ (?:more|common frames))")
_COMMENT = re.compile(  # but for the report of a Java machine that died, every line of which begins with #
    r"^\W{0,2}(?:\d{2,4}[-/]\d\d[-/]\d\d[T ][\d:.,]{5,15}\s)?"
    r"(?:--|//|/\*|\*\s|REM\s|#(?!\s+(?:java\.|A fatal|There is insuff|Out of"
    r" Memory|Native memory|SIG|-XX:|Possible reasons|  )))"
)
_OTHER_RUN = re.compile(
    r"\b(?<!compared to )(?<!compared with )(?<!than )"
    r"(?:yesterday|last (?:night|week|month)|the (?:day|night) before|previous(?:ly)? (?:day|night|failed)|known issue)\b"
    r"|(?:昨天|昨晚|上周|上週|上个月|前天)[^,，。;；]{0,24}(?:失败|失敗|报错|异常|異常|错误|錯誤|挂|掛|OOM|溢出)",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"error(?:Code|Message|_code|_msg)|\b(?:exceed(?:ed|s)?|not found|no such|unavailable|expired|unexpected(?:ly)?|timed out"
    r"|invalid|rejected|not (?:ready|exist)|lost)\b",
    re.IGNORECASE,
)
"""With it, plain words are believed too."""
_TRACE = re.compile(r"^(?:\s+\S|Traceback \(|Caused by: )")
TRACE_LENGTH = 60
"""Lines looked at above an error for the line that reports its trace."""
_QUOTES = str.maketrans("", "", "'\"`“”‘’「」")
_LINK = re.compile(r"Caused by: ")
_ERROR_LIKE = re.compile(
    r"\b(?:error|exception|fatal|fail(?:ed|ure|s)?|traceback|denied|cannot|refused|abort(?:ed)?|killed|panic|rejected)\b"
    r"|\w(?:Error|Exception)\b|错误|錯誤|异常|異常|失败|失敗|报错|拒绝|拒絕",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A line that a signature knows.

    Attributes:
        weight: of the signature, or `foreign`.
        recovered: whether a later line says that it was overcome.
        survived: whether the run went on making progress until something else was sighted.
        head: first line of the trace it belongs to; its own position outside traces.
    """

    position: int
    match: Match[str]
    signature: Signature
    weight: str
    recovered: bool = False
    survived: bool = False
    warned: bool = False
    head: int = 0

    @property
    def order(self) -> tuple[bool, bool, int, bool, int, int, bool, int]:
        """The smallest is the root."""
        weight = WEIGHTS.index(self.weight)
        depth = -self.position if self.head < self.position else 0
        span = self.match.start() - self.match.end()
        return self.recovered, self.survived, weight, self.warned, self.head, depth, not self.signature.own, span


def read_log(page: LogPage, *, succeeded: bool = False, kind: str = "", rules: Rules | None = None) -> LogFinding:
    """The root error of a log, with the lines that prove it.

    Args:
        page: any part of a log. Time is bounded whatever its size: `core.diagnosis.text` says what is left out.
        succeeded: whether the platform says that this run succeeded, so that the log need not say it.
        kind: the scheduler's word for what kind of task wrote it; empty when unknown.
        rules: what is known; by default what comes with X-Ops.
    """
    return _Reading(bounded(page), rules or packaged(), succeeded=succeeded, kind=kind).finding()


class _Reading:
    """One pass over one log.

    Args:
        text: its lines. Those that try to instruct are neither matched nor quoted: they are attacker-written.
        rules, succeeded, kind: as for `read_log`.
    """

    def __init__(self, text: Text, rules: Rules, *, succeeded: bool, kind: str) -> None:
        self._text = text
        self._rules = rules
        self._succeeded = succeeded
        self._foreign = _foreign(text, rules, kind)
        self._suspect = injections(text.lines)
        self._marked = {kind: self._marks(kind) for kind in ("success", "failure", "recovery", "again")}
        self._harmless = {*self._marks("harmless")}
        self._sightings = sorted(self._judged(list(self._seen())), key=lambda sighting: sighting.order)

    def finding(self) -> LogFinding:
        """What it comes to."""
        injection = tuple(self._text.numbers[position] for position in sorted(self._suspect))
        return replace(self._verdict(), injection=injection, unread=self._text.unread)

    def _verdict(self) -> LogFinding:
        if self._ended_well():
            root = next(filter(self._slipped, self._sightings), None)
            return self._named(root) if root else self._healthy()
        root = next((sighting for sighting in self._sightings if not sighting.recovered), None)
        return self._named(root) if root else self._unknown()

    def _ended_well(self) -> bool:
        """Whether the last word was success. What is only a symptom may come after it, as processes close down."""
        if self._succeeded:
            return True
        success, failure = (self._marked[kind][-1:] for kind in ("success", "failure"))
        stated = [one.position for one in self._sightings if one.weight == "root" and not one.warned]
        return bool(success) and success[0] > max([*failure, *stated, -1]) and not self._erred(success[0] + 1)

    def _erred(self, start: int) -> bool:
        """Whether a line from there on speaks of an error that is neither harmless nor a mere consequence."""
        excused = self._harmless.union(one.position for one in self._sightings if one.weight == "symptom")
        return any(
            _ERROR_LIKE.search(line) and not _WARNED.search(line)
            for position, line in enumerate(self._believed[start:], start)
            if position not in excused
        )

    def _slipped(self, sighting: Sighting) -> bool:
        """Whether a shell passed over it: no logger handled it, nothing recovered it, and it is no mere consequence."""
        passed = sighting.weight == "root" or (sighting.weight == "generic" and not sighting.survived)
        unhandled = not _LOGGED.search(self._text.lines[self._reported(sighting.position)])
        return passed and unhandled and not sighting.recovered and not sighting.warned

    def _named(self, root: Sighting) -> LogFinding:
        signature = root.signature
        sure = root.weight == "root" and not (root.survived or root.warned or self._ended_well())
        others = [sighting.position for sighting in self._sightings if not sighting.recovered]
        place = own_place(self._believed, root.position)
        shown = [root.position, *(place.positions if place else ()), *others, *self._marked["failure"][-1:]]
        return LogFinding(
            signature.cause,
            "confirmed" if sure else "likely",
            signature.rerun_helps,
            self._proofs(shown, root.match.start()),
            signature.id,
            self._object(root),
            signature.advice,
            place=self._place(place) if place else None,
        )

    @cached_property
    def _believed(self) -> Sequence[str]:
        """The lines, empty where they try to instruct."""
        return ["" if position in self._suspect else line for position, line in enumerate(self._text.lines)]

    def _place(self, sight: Sight) -> Place:
        cited = tuple(f"L{self._text.numbers[position]}" for position in sight.positions)
        file, function, code = (mask(part)[:PROOF_LENGTH] for part in (sight.file, sight.function, sight.code))
        return Place(file, sight.line, function, code, cited)

    def _object(self, root: Sighting) -> str:
        """What the root is about, if it says so, or else another line with the same cause."""
        alike = (one for one in self._sightings if one.signature.cause is root.signature.cause)
        same = (one for one in alike if not (one.recovered or one.warned))
        return next(filter(None, (_object(one.match) for one in (root, *same))), "")

    def _healthy(self) -> LogFinding:
        proofs = self._proofs(self._marked["success"][-1:])
        return LogFinding(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", proofs, advice="nothing_to_do")

    def _unknown(self) -> LogFinding:
        lines = [n for n, line in enumerate(self._text.lines) if n not in self._suspect and _ERROR_LIKE.search(line)]
        plain = [n for n in lines if n not in self._marked["failure"]]
        shown = [*plain[:2], *plain[:1:-1], *self._marked["failure"][-1:]]
        return LogFinding(Cause.UNKNOWN, "inconclusive", "unknown", self._proofs(shown), advice="read_log")

    def _proofs(self, positions: Sequence[int], start: int = 0) -> tuple[Proof, ...]:
        """The lines, each once; of the first one the part where the match begins."""
        return tuple(
            self._proof(position, 0 if rank else start)
            for rank, position in enumerate(list(dict.fromkeys(positions))[:PROOFS])
        )

    def _proof(self, position: int, start: int) -> Proof:
        number, line = self._text.numbers[position], mask(self._text.lines[position])
        first = max(0, start - PROOF_LENGTH // 4) if len(line) > PROOF_LENGTH else 0
        return Proof(f"L{number}", "log", line[first : first + PROOF_LENGTH].strip(), number)

    def _marks(self, kind: MarkKind) -> list[int]:
        found = chain.from_iterable(self._text.find(trait) for trait in marks(kind))
        return sorted({position for position, _ in found} - self._suspect)

    def _seen(self) -> Iterator[Sighting]:
        passed_over = self._harmless | self._suspect
        wrapped = set(self._marks("wrapper"))
        for signature in self._rules.signatures:
            foreign = signature.weight != "generic" and signature.engine in self._foreign
            weight = "foreign" if foreign else signature.weight
            for position, match in self._text.find(signature.trait):
                wraps = weight == "generic" and position in wrapped
                passed = position in passed_over or self._reported(position) in self._harmless
                if not wraps and not passed and not self._no_error(position, weight):
                    yield Sighting(position, match, signature, weight)

    def _reported(self, position: int) -> int:
        """The line that reports the trace whose error stands at a position; that position outside traces."""
        above = [one for one in range(position - 1, max(-1, position - TRACE_LENGTH), -1) if one not in self._suspect]
        trace = list(takewhile(lambda one: _TRACE.search(self._text.lines[one]), above))
        return above[len(trace)] if 0 < len(trace) < len(above) else position

    def _no_error(self, position: int, weight: str) -> bool:
        """Whether a line is part of a trace, a comment, about another run, or plain words without an error."""
        line = self._text.lines[position]
        if weight == "words" and not (_ERROR_LIKE.search(line) or _TROUBLE.search(line)):
            return True
        aside = _COMMENT.search(line) or (_OTHER_RUN.search(line) and not _LOGGED.search(line))
        return bool(aside or _CALL.search(line))

    def _judged(self, seen: Sequence[Sighting]) -> Iterator[Sighting]:
        """The same sightings, with what the rest of the log says about each."""
        end = max((sighting.position for sighting in seen), default=0)
        went_on, recovered = self._progress(), max(self._marked["recovery"][-1:] + self._last_attempt(seen), default=-1)
        for sighting in seen:
            after = bisect_left(went_on, end) - bisect_right(went_on, sighting.position)
            yield replace(
                sighting,
                recovered=sighting.position < recovered,
                survived=after >= GOES_ON,
                warned=bool(_WARNED.search(self._text.lines[sighting.position])),
                head=self._head(sighting.position),
            )

    def _last_attempt(self, seen: Sequence[Sighting]) -> list[int]:
        """Where the last attempt begins that has an end of its own: what came before it was given another chance."""
        ends = [*self._marked["success"], *(one.position for one in seen if one.weight == "root")]
        return [start for start in self._marked["again"] if any(end > start for end in ends)][-1:]

    def _progress(self) -> list[int]:
        return [position for position in self._marks("progress") if not _ERROR_LIKE.search(self._text.lines[position])]

    def _head(self, position: int) -> int:
        """Where the Java trace begins that a `Caused by` line belongs to; lines that instruct do not end a trace."""
        if _LINK.search(self._text.lines[position]):
            while position and self._continues(position):
                position -= 1
        return position

    def _continues(self, position: int) -> bool:
        line = self._text.lines[position]
        return position in self._suspect or bool(_LINK.search(line) or _CALL.search(line))


def _foreign(text: Text, rules: Rules, kind: str) -> frozenset[str]:
    """Engines that nothing speaks of, where something speaks of another. Where nothing speaks of any, none is foreign."""
    known = {engine.name for engine in rules.engines}
    shown = {
        engine.name
        for engine in rules.engines
        if any(part in kind.lower() for part in engine.kinds) or any(text.has(word) for word in engine.shows)
    }
    return frozenset(known - shown) if shown else frozenset()


def _object(match: Match[str]) -> str:
    """The name as people write it: without quotes, a MaxCompute resource as `project.table`."""
    found = (match.groupdict().get("object") or "").translate(_QUOTES).replace("/tables/", ".")
    return mask(found.strip(" \t.,:;[]()<>《》"))[:200]
