"""A request that goes on by itself, as both kinds of clients see it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ._answers import SessionStatus
from ._exchange import Conversation, Pause
from ._operations import Operations, Performable, SessionState
from ._protocol import Protocol


@dataclass
class Submission:
    """What is known of it. Its session tells the rest."""

    protocol: Protocol
    state: SessionState
    document: str
    request_id: str
    #: How it stood when it was last asked for.
    last: str

    def status(self) -> Conversation[SessionStatus]:
        """How far it has got, and its session."""
        status = yield from self.protocol.status(self.state.session_id, self.document)
        if status.request is not None:
            self.last = status.request.status
        return status

    def wait(self, timeout: float | None, poll: float) -> Conversation[SessionStatus]:
        """Asks every so often until it is over; raises what it failed of, or `TimeoutError`."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            status = yield from self.status()
            progress = status.request
            if progress is not None and progress.status not in ("PROCESSING", "UNSTARTED"):
                if progress.error is not None:
                    raise progress.error
                return status
            if end is not None and time.monotonic() + poll > end:
                raise TimeoutError(f"the request {self.request_id} is still {self.last} after {timeout} seconds")
            yield Pause(poll)


def submit(operations: Operations, what: Performable, key: str | None) -> Conversation[Submission]:
    """Performs a request without waiting for its end."""
    document = operations.prepare_submission(what)
    session_id, response = yield from operations.protocol.submit(document, key=key)
    # A session that has an object here may get another id by it.
    state = operations.state or SessionState(session_id)
    return Submission(operations.protocol, state, document.text, response.request_id, response.status)
