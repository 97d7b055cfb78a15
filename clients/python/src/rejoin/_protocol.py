"""The conversations with one data service resource: what is sent, what is sent again, and what the answers mean.

What may be sent again (`docs/guarantees.md` of the service):

- A request that may change something has an idempotency key. When its answer is lost it is sent again, byte by byte, under the
  same key, until there is an answer: the service runs it once.
- A request that only reads has none at first, so that the service stops it when its client leaves. From the second time on it
  has one too: if it fails midway, the third time tells why. One whose answer is read as it comes never has one, and is sent again
  until that answer begins.
- A fault that says `retryable` is obeyed, after the time that it advises; but not `TransactionConflict`, after which the whole
  transaction is to be done anew.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from ._answers import Properties, Response, SessionStatus, parse_fault, parse_properties, parse_response, parse_status
from ._exchange import Answer, Conversation, Exchange, Lost, Pause, header_value
from ._secret import Secret
from .errors import (
    Fault,
    Forbidden,
    LostAnswer,
    RejoinError,
    ResultsNotKept,
    SessionEnded,
    SessionInUse,
    SessionNotFound,
    TransactionConflict,
    Unauthenticated,
    UnexpectedAnswer,
)

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_GATEWAY = (502, 503, 504)

#: What is said of a request without looking whether it was answered before.
_BEFORE_IT_RUNS = (UnexpectedAnswer, Unauthenticated, Forbidden, SessionEnded, SessionNotFound)


@dataclass(frozen=True)
class Document:
    """A perform document, ready to be sent, and what is known of it."""

    text: str
    # Whether it may change anything: the session, the database.
    changes: bool
    session_id: str | None = field(default=None, repr=False)
    progress: str | None = None
    # Whether the caller said how long to wait for the session: then that is that.
    waits: bool = True


@dataclass(frozen=True)
class Protocol:
    """What is known of the resource, and how patient its clients are."""

    path: str
    session_header: str = "Rejoin-Session"
    patience: float = 30.0

    def perform(self, document: Document, *, key: str | None = None) -> Conversation[Response]:
        """Performs a document; gives the response document."""
        answer = yield from self._post(document, {}, {}, key)
        response = parse_response(answer.content, document.text)
        if not response.results_kept and not document.changes:
            # Told again without its results; reading once more does no harm.
            answer = yield from self._post(document, {}, {}, None)
            response = parse_response(answer.content, document.text)
        return response

    def raw(self, document: Document, returns: str, *, key: str | None = None) -> Conversation[Answer]:
        """Performs a document; gives the bytes of one end-point."""
        answer = yield from self._post(document, {"return": returns}, {}, key)
        if "rejoin-request-id" not in answer.headers:
            raise UnexpectedAnswer("something else answers in place of the service; is this the address of a Rejoin service?")
        return answer

    def submit(self, document: Document, *, key: str | None = None) -> Conversation[tuple[str, Response]]:
        """Performs a document without waiting for its end; gives the id of its session, too."""
        headers = {"Prefer": "respond-async"}
        answer = yield from self._post(replace(document, changes=True), {}, headers, key)
        response = parse_response(answer.content, document.text)
        return Secret(answer.headers.get(self.session_header.lower(), response.session_id or "")), response

    def properties(self) -> Conversation[Properties]:
        """What the resource says of itself."""
        answer = yield from self._repeat(Exchange("GET", self.path), None)
        return parse_properties(answer.content)

    def status(self, session_id: str, document: str | None = None) -> Conversation[SessionStatus]:
        """How a session stands; what its request failed of is shown in this document."""
        exchange = Exchange("GET", f"{self.path}/session", headers=self._carrier(session_id))
        answer = yield from self._repeat(exchange, None)
        return parse_status(answer.content, document)

    def end(self, session_id: str) -> Conversation[None]:
        """Ends a session; one that is not there any more has ended."""
        exchange = Exchange("DELETE", f"{self.path}/session", headers=self._carrier(session_id))
        try:
            yield from self._repeat(exchange, None)
        except SessionNotFound:
            return

    def cancel(self, session_id: str) -> Conversation[bool]:
        """Stops the request that holds a session; tells whether there was one. Asked again, it might stop another one."""
        exchange = Exchange("DELETE", f"{self.path}/session/request", headers=self._carrier(session_id))
        answer = yield from self._once(exchange)
        return answer.status == 202

    def stream(self, session_id: str, name: str) -> Conversation[Answer]:
        """Reads a stream of a session whole, as it comes."""
        return self._once(Exchange("GET", self._stream_path(name), headers=self._carrier(session_id)))

    def read_blocks(self, session_id: str, name: str, blocks: int) -> Conversation[tuple[bytes, bool]]:
        """Reads so many blocks of a stream; tells whether it goes on. What is lost on the way is lost."""
        exchange = Exchange("GET", self._stream_path(name), {"blocks": str(blocks)}, self._carrier(session_id))
        answer = yield from self._once(exchange)
        return answer.content, answer.headers.get("rejoin-stream") == "open"

    def write_block(self, session_id: str, name: str, block: bytes, content_type: str) -> Conversation[None]:
        """Writes one block into a stream."""
        headers = {**self._carrier(session_id), "Content-Type": content_type}
        yield from self._once(Exchange("POST", self._stream_path(name), headers=headers, content=block))

    def close_stream(self, session_id: str, name: str) -> Conversation[None]:
        """Says that a stream is complete."""
        yield from self._once(Exchange("PUT", self._stream_path(name), headers=self._carrier(session_id)))

    def drop_stream(self, session_id: str, name: str) -> Conversation[None]:
        """Drops a stream."""
        yield from self._once(Exchange("DELETE", self._stream_path(name), headers=self._carrier(session_id)))

    def streamed(self, document: Document, returns: str) -> Conversation[Answer]:
        """Performs a document whose end-point is read as it comes."""
        exchange = self._exchange(document, {"return": returns}, {})
        if document.changes:
            return self._once(exchange, document.text)
        return self._repeat(exchange, document.text, waits=document.waits)

    def _stream_path(self, name: str) -> str:
        return f"{self.path}/session/streams/{quote(name, safe='')}"

    def _carrier(self, session_id: str | None) -> dict[str, str]:
        return {} if session_id is None else {self.session_header: session_id}

    def _exchange(self, document: Document, params: Mapping[str, str], headers: Mapping[str, str]) -> Exchange:
        return Exchange(
            "POST",
            self.path,
            params=params,
            headers={"Content-Type": "application/xml", **self._carrier(document.session_id), **headers},
            content=document.text.encode("utf-8"),
            progress=document.progress,
        )

    def _post(
        self, document: Document, params: Mapping[str, str], headers: Mapping[str, str], key: str | None
    ) -> Conversation[Answer]:
        exchange = self._exchange(document, params, headers)
        if document.changes:
            key = Secret(key) if key else new_key()
            exchange = _with_key(exchange, key)
        return (yield from self._repeat(exchange, document.text, key=key, reads=not document.changes, waits=document.waits))

    def _once(self, exchange: Exchange, document: str | None = None) -> Conversation[Answer]:
        try:
            answer = yield exchange
        except Lost as lost:
            problem = LostAnswer(lost.why, may_have_run=lost.sent)
        else:
            if answer.succeeded:
                return answer
            raise parse_fault(answer, document)
        raise problem

    def _repeat(
        self, exchange: Exchange, document: str | None, *, key: str | None = None, reads: bool = False, waits: bool = True
    ) -> Conversation[Answer]:
        """Sends until there is an answer, or patience ends. What is given here may be sent again."""
        patience = Patience(self.patience)
        may_have_run = False
        while True:
            problem: RejoinError
            advice = None
            try:
                answer = yield exchange
            except Lost as lost:
                may_have_run = may_have_run or lost.sent
                problem = LostAnswer(lost.why, may_have_run=may_have_run, key=None if reads else key)
                if not may_have_run and not lost.met:
                    # Nobody was ever there: the address is wrong, more likely than not.
                    raise problem from None
            else:
                if answer.succeeded:
                    return answer
                problem = parse_fault(answer, document)
                if reads and isinstance(problem, ResultsNotKept):
                    exchange = _with_key(exchange, new_key())
                elif not _may_succeed_later(problem, waits):
                    if key is not None and may_have_run and isinstance(problem, _BEFORE_IT_RUNS):
                        raise _lost_before(problem, key)
                    raise problem
                advice = problem.retry_after if isinstance(problem, Fault) else None
            pause = patience.next(advice)
            if pause is None:
                if key is not None and may_have_run and not isinstance(problem, LostAnswer):
                    raise _lost_before(problem, key)
                raise problem
            yield Pause(pause)
            if reads and "Idempotency-Key" not in exchange.headers:
                exchange = _with_key(exchange, new_key())


def _lost_before(problem: RejoinError, key: str) -> LostAnswer:
    """That a request is turned away now says nothing of the time before, whose answer was lost."""
    lost = LostAnswer(f"an answer was lost: the request may have run; since then: {problem}", may_have_run=True, key=key)
    lost.__cause__ = problem
    return lost


def _may_succeed_later(problem: Fault | UnexpectedAnswer, waits: bool) -> bool:
    match problem:
        case TransactionConflict():
            return False
        case SessionInUse():
            return problem.retryable and waits
        case Fault():
            return problem.retryable
        case _:
            # A gateway in between, whose service is being started, say.
            return problem.status in _GATEWAY


class Patience:
    """How long to go on, and how long to wait in between. The time begins with the first mishap: a request may take long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None
        self._pause = _FIRST_PAUSE

    def next(self, advice: float | None) -> float | None:
        """The next pause, as advised or twice the last; None when patience is at its end."""
        if self._end is None:
            self._end = time.monotonic() + self._seconds
        # Clients that were turned away together should not come back together.
        pause = advice if advice is not None else self._pause * random.uniform(0.5, 1.0)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return pause if time.monotonic() + pause < self._end else None


def new_key() -> str:
    """A new idempotency key."""
    return Secret(uuid.uuid4())


def _with_key(exchange: Exchange, key: str) -> Exchange:
    # As a quoted string, which has its own quotes escaped.
    quoted = header_value("an idempotency key", key).replace("\\", "\\\\").replace('"', '\\"')
    return replace(exchange, headers={**exchange.headers, "Idempotency-Key": Secret(f'"{quoted}"')})
