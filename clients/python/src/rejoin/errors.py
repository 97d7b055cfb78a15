"""What can go wrong, one class for each code of a fault.

Everything is a :class:`RejoinError`. What the service says is a :class:`Fault`, and of the subclass that is named after its
code; a code that this version does not know is a plain :class:`Fault`. What happens on the way is a :class:`LostAnswer` or a
:class:`TransferBroken`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = [
    "ActivityFailed",
    "AttributeReadOnly",
    "AttributeTooLarge",
    "Conflict",
    "DataResourceUnavailable",
    "DocumentInvalid",
    "DocumentMalformed",
    "DocumentTooLarge",
    "Draining",
    "Fault",
    "FaultDetails",
    "Forbidden",
    "HttpVersionNotSupported",
    "IdempotencyKeyReused",
    "Internal",
    "InvalidRequest",
    "LostAnswer",
    "MethodNotAllowed",
    "NotFound",
    "OutcomeUnknown",
    "RejoinError",
    "RequestInvalid",
    "RequestTerminated",
    "RequestTimedOut",
    "ResourceNotFound",
    "ResultsNotKept",
    "ServerBusy",
    "SessionConflict",
    "SessionEnded",
    "SessionInUse",
    "SessionNotFound",
    "SessionQueueFull",
    "SessionQuotaExceeded",
    "SessionRefused",
    "SessionRequirementInvalid",
    "SessionsDisabled",
    "StoreUnavailable",
    "StreamBroken",
    "StreamInUse",
    "StreamInvalid",
    "StreamNameTaken",
    "StreamNotFound",
    "TooManyStreams",
    "TransactionCommitted",
    "TransactionConflict",
    "TransactionRolledBack",
    "TransferBroken",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "UnknownActivity",
    "UnsupportedMediaType",
]


class RejoinError(Exception):
    """Anything that goes wrong between a program and the service."""


class LostAnswer(RejoinError):
    """The connection broke, or could not be made, as often as the request was sent.

    ``may_have_run`` says whether the request may have reached the service. If it has a key, ``perform`` may be called again with
    that ``key``: it is run once.

    >>> nobody = rejoin.connect("http://127.0.0.1:9", "demo")
    >>> try:
    ...     nobody.update("UPDATE customer SET credit = 0")
    ... except rejoin.LostAnswer as lost:
    ...     lost.may_have_run
    False
    """

    def __init__(self, message: str, *, may_have_run: bool, key: str | None = None) -> None:
        super().__init__(message)
        self.may_have_run = may_have_run
        self._key = key

    @property
    def key(self) -> str | None:
        """The idempotency key of the request. It is a secret: who has it can ask for the answer."""
        return None if self._key is None else str(self._key)

    def __reduce__(self) -> tuple[object, ...]:
        return _lost_answer, (str(self), self.may_have_run, self._key)


def _lost_answer(message: str, may_have_run: bool, key: str | None) -> LostAnswer:
    return LostAnswer(message, may_have_run=may_have_run, key=key)


class TransferBroken(RejoinError):
    """A result broke off before its end: the request failed midway, or the connection did.

    >>> rejoin.Result(session.query("SELECT 1")._data[:-8])
    Traceback (most recent call last):
    rejoin.errors.TransferBroken: the rows broke off before their end
    """


class UnexpectedAnswer(RejoinError):
    """What came back is not an answer of the service: something else listens there, or a proxy stands between.

    >>> rejoin.Result(b"<html/>...")
    Traceback (most recent call last):
    rejoin.errors.UnexpectedAnswer: this is no Arrow IPC stream: a message does not begin with its mark
    """

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class FaultDetails:
    """The members of a fault document.

    >>> FaultDetails(code="ServerBusy", message="as much to do as it takes", retryable=True).retryable
    True
    """

    code: str
    message: str
    status: int = 0
    request_id: str = ""
    retryable: bool = False
    retry_after: float | None = None
    recreate_session: bool = False
    reason: str | None = None
    time: str | None = None
    line: int | None = None
    column: int | None = None
    document: str | None = field(default=None, repr=False)


# (Of an answer that is told again, the message says so behind it.)
_ACTIVITY_CODE = re.compile(r" \((?P<code>[A-Z][A-Za-z]+)\)(?:$|; this is the answer)")
_SQLSTATE = re.compile(r"\(SQLSTATE (?P<state>[0-9A-Z]{5})\b")


class Fault(RejoinError):
    """The service refused a request, or it failed; the members are those of the fault document.

    ``str()`` shows the message and, where the service names a place, the line of the document with a mark under the column.

    >>> try:
    ...     session.query("SELECT * FROM nowhere")
    ... except rejoin.Fault as fault:
    ...     print(fault)
    ActivityFailed: the activity `query` failed: no such table: nowhere (SqlError)
      2 | <sqlQueryStatement name="query"><expression>SELECT * FROM nowhere</expression><resultStream name="rows"/></sqlQueryState…
        | ^
    """

    def __init__(self, details: FaultDetails) -> None:
        super().__init__(details.message)
        self.details = details

    @property
    def code(self) -> str:
        """The code of the fault, such as ``SessionEnded``: programs look at this or at the class, not at the message."""
        return self.details.code

    @property
    def message(self) -> str:
        """What happened, for people."""
        return self.details.message

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.details.status

    @property
    def request_id(self) -> str:
        """What to name when asking the operator about the request."""
        return self.details.request_id

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.details.retryable

    @property
    def retry_after(self) -> float | None:
        """After how many seconds to try again, where the service advises."""
        return self.details.retry_after

    @property
    def recreate_session(self) -> bool:
        """Whether a new session would help."""
        return self.details.recreate_session

    @property
    def line(self) -> int | None:
        """The line of the perform document, from 1."""
        return self.details.line

    @property
    def column(self) -> int | None:
        """The column of the perform document, from 1."""
        return self.details.column

    @property
    def activity_code(self) -> str | None:
        """The code of the activity that failed, such as ``SqlError``."""
        found = _ACTIVITY_CODE.search(self.message)
        return found["code"] if found else None

    @property
    def sqlstate(self) -> str | None:
        """The SQLSTATE that the database gave, if it did."""
        found = _SQLSTATE.search(self.message)
        return found["state"] if found else None

    @property
    def document_line(self) -> str | None:
        """The line of the perform document that the fault is about."""
        document, line = self.details.document, self.line
        if document is None or line is None:
            return None
        # Not `splitlines`: XML knows fewer ends of lines.
        lines = document.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return lines[line - 1] if 0 < line <= len(lines) else None

    @property
    def place(self) -> str | None:
        """The line of the document, and below it a mark under the column; of a long line the part around it."""
        line = self.document_line
        if line is None:
            return None
        column = (self.column or 1) - 1
        start = max(0, column - 60)
        # A tab is as wide as it likes, so it stands before the mark, too.
        mark = "".join("\t" if letter == "\t" else " " for letter in line[start:column])
        number = f"{self.line}"
        return f"{number} | {line[start : start + 120]}\n{' ' * len(number)} | {mark}^"

    def __str__(self) -> str:
        """Code and message, and the line of the document with the place marked."""
        place = self.place
        text = f"{self.code}: {self.message}"
        return text if place is None else text + "".join(f"\n  {line}" for line in place.split("\n"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, status={self.status}, {self.message!r})"

    def _repr_html_(self) -> str:
        from ._html import fault

        return fault(self)

    def __reduce__(self) -> tuple[type[Fault], tuple[FaultDetails]]:
        # Exceptions travel between processes by what their constructor takes.
        return type(self), (self.details,)


class InvalidRequest(Fault):
    """The request can't be as it is: 400, 405, 413, 415."""


class NotFound(Fault):
    """There is no such thing: 404."""


class Conflict(Fault):
    """It does not go with what others do, or with what was done before: 409, 422 for keys, 423."""


class Unavailable(Fault):
    """Not now: 429, 502, 503, 504."""


class DocumentMalformed(InvalidRequest):
    """The document is not well-formed XML."""


class DocumentInvalid(InvalidRequest):
    """An element, attribute or value can't stand there."""


class DocumentTooLarge(InvalidRequest):
    """A bound of the document is broken."""


class AttributeTooLarge(InvalidRequest):
    """The session attribute, or the session with it, would be larger than it may be."""


class UnsupportedMediaType(InvalidRequest):
    """The content type is not taken."""


class SessionRequirementInvalid(InvalidRequest):
    """What is said of the session contradicts itself, or names an id that the service can't have issued."""


class SessionsDisabled(InvalidRequest):
    """Explicit sessions are switched off for this resource."""


class UnknownActivity(InvalidRequest):
    """The resource has no such activity."""


class StreamInvalid(InvalidRequest):
    """The streams of the document don't fit together."""


class RequestInvalid(InvalidRequest):
    """A query parameter or a header can't be as it is."""


class MethodNotAllowed(InvalidRequest):
    """An output is written, or an input read."""


class HttpVersionNotSupported(InvalidRequest):
    """The answer can't be given over HTTP/1.0."""


class Unauthenticated(Fault):
    """The service wants to know who asks, or does not believe it."""


class Forbidden(Fault):
    """Who asks may not do this."""


class SessionRefused(Forbidden):
    """What prepares new sessions refused this one."""


class ResourceNotFound(NotFound):
    """Nothing is served at this path."""


class SessionNotFound(NotFound):
    """There is no such session, or it is somebody else's."""


class StreamNotFound(NotFound):
    """The session has no such stream, or its end has been told."""


class SessionEnded(Fault):
    """The session has ended.

    >>> session.end()
    >>> try:
    ...     session.get("town")
    ... except rejoin.errors.SessionEnded as ended:
    ...     ended.reason, ended.recreate_session
    ('terminated', True)
    """

    @property
    def reason(self) -> str | None:
        """Why: ``idle``, ``lifetime``, ``terminated``, ``killed``, ``drained`` or ``ownerLost``."""
        return self.details.reason

    @property
    def time(self) -> str | None:
        """When."""
        return self.details.time


class SessionConflict(Conflict):
    """The session was lost to another request; or the same request is still running."""


class TransactionConflict(Conflict):
    """Others changed what the transaction uses: nothing of it holds, and it may succeed if it is begun anew."""


class TransactionRolledBack(TransactionConflict):
    """The transaction was rolled back, or the service stopped while it ran the request: nothing of it holds; begin it anew."""


class TransactionCommitted(Conflict):
    """The service stopped while it ran the request, whose transaction is committed; what it changed in its session is lost."""


class OutcomeUnknown(Conflict):
    """The service stopped while it ran the request: what happened beyond the session is not known."""


class ResultsNotKept(Conflict):
    """The request was completed before; its result was too large to be kept."""


class RequestTerminated(Conflict):
    """The owner of the session stopped the request."""


class StreamNameTaken(Conflict):
    """The session still has a stream of that name."""


class TooManyStreams(Conflict):
    """The session would have too many streams."""


class StreamBroken(Conflict):
    """The other end of the stream failed or is over."""


class AttributeReadOnly(Conflict):
    """The attribute is static, or the session was joined with read access."""


class IdempotencyKeyReused(Conflict):
    """Another request had this key."""


class SessionInUse(Conflict):
    """Another request still held the session when the wait was over."""


class StreamInUse(Conflict):
    """Another client reads or writes the stream."""


class ActivityFailed(Fault):
    """An activity failed, and the request has to change. ``activity_code`` and ``sqlstate`` say more."""


class SessionQuotaExceeded(Unavailable):
    """You have as many sessions as you may."""


class DataResourceUnavailable(Unavailable):
    """The database, or the HTTP service behind, does not answer."""


class ServerBusy(Unavailable):
    """The service has as much to do as it takes."""


class SessionQueueFull(Unavailable):
    """As many requests wait for the session as may."""


class StoreUnavailable(Unavailable):
    """The sessions can't be read or written at this moment."""


class Draining(Unavailable):
    """The service is shutting down."""


class RequestTimedOut(Unavailable):
    """The request took longer than it may."""


class Internal(Fault):
    """The service failed; its log says more under the request id."""


_CLASSES: dict[str, type[Fault]] = {
    named.__name__: named
    for group in (InvalidRequest, NotFound, Conflict, TransactionConflict, Unavailable, Forbidden, Fault)
    for named in group.__subclasses__()
    if named not in (InvalidRequest, NotFound, Conflict, Unavailable)
}


def fault(details: FaultDetails) -> Fault:
    """The exception of a fault, of the class that its code names."""
    return _CLASSES.get(details.code, Fault)(details)
