"""Every failure X-Ops can name.

    XOpsError
    ├── BadInput            the person or the caller must change something; never retried
    │   ├── NotFound        no such instance, task, table, command; carries the nearest names
    │   ├── Ambiguous       several match; carries the choices
    │   └── BadSignature    a webhook that is not who it says it is; answered 401 without detail
    ├── Denied              this person may not do this here
    │   └── NotApprover     not a candidate of the ticket's present node, or the one who asked
    ├── Stale               the thing changed, expired or was already decided between card and click
    ├── Busy                too much at once; the queue is bounded on purpose
    ├── ConfigurationError  settings that cannot work; said once, at start, with what to change
    ├── Tampered            the audit trail is not what was written
    └── RemoteError         another system failed us
        ├── Unreachable     no answer: refused, timed out, reset
        ├── Throttled       it told us to slow down; carries how long
        ├── Unauthorized    our credentials were refused
        └── Refused         it answered no, with a code; trying again will not help
            ├── NoFlow      no approval flow lets this be asked for, whoever would approve
            └── Frozen      nothing may be changed there at that time; says until when

Each class says whether trying again can help (`retryable`) and which catalogue text (`core/i18n`, area `errors`) tells
the person what to do. The message given to the constructor is for logs and engineers; `details` fills the text.
"""

from typing import ClassVar


class XOpsError(Exception):
    """Root of the tree.

    Attributes:
        text: key of the sentence for the person, `errors.<text>` in the catalogues.
        retryable: whether the same request may work if it is sent again unchanged.
        details: named values for the sentence, already safe to show.
    """

    text: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **details: str) -> None:
        super().__init__(message)
        self.details = details

    @property
    def said(self) -> dict[str, str]:
        """What a person is told of it, to be kept: the `text` that names the sentence, and the sentence's values."""
        return {"text": self.text, **self.details}


class BadInput(XOpsError):
    """The request itself cannot be answered as it stands."""

    text = "bad_input"


class NotFound(BadInput):
    """Nothing has this name.

    Args:
        message: for logs.
        kind: what was looked for: `instance`, `task`, `table`, `project`, `group` (of any kind), `command`, `proposal`.
        name: what was asked for.
        nearest: names that do exist, best first.
    """

    text = "not_found"

    def __init__(self, message: str, *, kind: str, name: str, nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, kind=kind, name=name)
        self.kind = kind
        self.name = name
        self.nearest = nearest


class Ambiguous(BadInput):
    """Several things have this name.

    Args:
        message: for logs.
        kind: what was looked for, as in `NotFound`.
        name: what was asked for.
        choices: (reference, label) of each candidate, best first.
    """

    text = "ambiguous"

    def __init__(self, message: str, *, kind: str, name: str, choices: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message, kind=kind, name=name)
        self.kind = kind
        self.name = name
        self.choices = choices


class BadSignature(BadInput):
    """A webhook whose signature, token or timestamp does not hold. The caller learns nothing more."""

    text = "bad_signature"


class Denied(XOpsError):
    """The person is known (or not) and may not do this."""

    text = "denied"


class NotApprover(Denied):
    """The person may not decide this ticket now."""

    text = "not_approver"


class Stale(XOpsError):
    """What the card showed is no longer true, so the click is void."""

    text = "stale"


class Busy(XOpsError):
    """A bounded queue is full, or a budget is spent."""

    text = "busy"
    retryable = True


class ConfigurationError(XOpsError):
    """Settings that cannot work. The message says which one, and what to do."""

    text = "configuration"


class Tampered(XOpsError):
    """The audit trail is not what was written. The message says where it first differs."""


class RemoteError(XOpsError):
    """Another system failed. `system` is its configured name, shown to the person.

    Args:
        message: for logs; must not hold credentials.
        system: configured name of the other side, e.g. `airflow` or `feishu`.
        code: the other side's own error code, when it gave one.
    """

    text = "remote"

    def __init__(self, message: str, *, system: str, code: str = "") -> None:
        super().__init__(message, system=system, code=code)
        self.system = system
        self.code = code


class Unreachable(RemoteError):
    """No answer came: refused, reset or timed out."""

    text = "unreachable"
    retryable = True


class Throttled(RemoteError):
    """The other side asked us to wait.

    Args:
        message: for logs.
        system: as in `RemoteError`.
        retry_after: seconds it asked us to wait; 0 when it did not say.
        code: as in `RemoteError`.
    """

    text = "throttled"
    retryable = True

    def __init__(self, message: str, *, system: str, retry_after: float = 0.0, code: str = "") -> None:
        super().__init__(message, system=system, code=code)
        self.retry_after = retry_after


class Unauthorized(RemoteError):
    """Our credentials were refused, also after a fresh log-in."""

    text = "unauthorized"


class Refused(RemoteError):
    """A clear no from the other side."""

    text = "refused"


class NoFlow(Refused):
    """Nothing says who would approve this, so nobody can."""

    text = "no_flow"


class Frozen(Refused):
    """A freeze: nothing is carried out there at that time, whoever approves.

    Args:
        message: for logs.
        system: as in `RemoteError`.
        window: name of the freeze.
        until: when it ends, as people read it.
        by: who decided it, and can be asked.
        reason: why.
    """

    text = "frozen"

    def __init__(self, message: str, *, system: str, window: str, until: str, by: str, reason: str) -> None:
        super().__init__(message, system=system)
        self.details |= {"window": window, "until": until, "by": by, "reason": reason}
