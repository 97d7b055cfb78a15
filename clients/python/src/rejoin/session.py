"""Sessions as objects; they begin transactions and open cursors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from ._answers import Response, SessionStatus
from ._operations import Operations, SessionState
from ._performer import Performer
from ._protocol import Protocol
from ._transport import Transport
from .background import SessionStream
from .cursor import Cursor
from .errors import RejoinError, TransactionConflict
from .result import Result
from .transaction import Transaction

__all__ = ["Cursor", "Session", "Transaction"]

T = TypeVar("T")


class Session(Performer):
    """A session: what the service keeps between the requests of one client.

    As a context manager it is ended at the end of the block. Otherwise :meth:`end` does, or the service, when it has been idle
    for too long.

    >>> with service.session() as session:
    ...     session.increment("visits")
    1
    """

    def __init__(self, transport: Transport, protocol: Protocol, session_id: str, resource: str, created: Response | None) -> None:
        self._state = SessionState(session_id)
        super().__init__(transport, Operations(protocol, self._state))
        self._resource = resource
        self._created = created

    @property
    def id(self) -> str:
        """The id, which is a secret: who has it has the session. Keep it to join the session again."""
        return str(self._state.session_id)

    @property
    def timeout(self) -> float | None:
        """The idle time-out that was granted, in seconds; None if it has none or was joined."""
        milliseconds = self._created.session.timeout if self._created else None
        return None if milliseconds is None else milliseconds / 1000

    def status(self) -> SessionStatus:
        """How the session stands; this is no visit, its idle time runs on.

        >>> session.status().state
        'AVAILABLE'
        """
        return self._run(self._operations.protocol.status(self._state.session_id))

    def renew(self) -> None:
        """Keeps the session alive: its idle time begins anew.

        >>> session.renew()
        """
        self._run(self._operations.renew())

    def rotate(self) -> None:
        """Gives the session a new id; the old one holds for a short time only.

        >>> before = session.id
        >>> session.rotate()
        >>> session.id == before
        False
        """
        self._run(self._operations.rotate())

    def end(self) -> None:
        """Ends the session; ending it again does nothing.

        >>> session.end()
        >>> session
        <Session of 'demo', ended>
        """
        if not self._state.ended:
            self._run(self._operations.protocol.end(self._state.session_id))
            self._state.ended = True

    def cancel(self) -> bool:
        """Stops the request that holds the session; tells whether there was one.

        >>> session.cancel()
        False
        """
        return self._run(self._operations.protocol.cancel(self._state.session_id))

    def get(self, name: str) -> Any:
        """The value of a session attribute.

        >>> session.set("town", "Oban")
        >>> session.get("town")
        'Oban'
        """
        return self._run(self._operations.get(name))

    def set(self, name: str, value: Any) -> None:
        """Sets a session attribute: a text, a number, a truth value, or an XML element.

        >>> session.set("limit", 2.5)
        >>> session.get("limit")
        2.5
        """
        self._run(self._operations.set(name, value))

    def increment(self, name: str, by: int = 1) -> int:
        """Adds to a session attribute, which counts from 0; gives the sum.

        >>> session.increment("visits"), session.increment("visits", by=4)
        (1, 5)
        """
        return self._run(self._operations.increment(name, by))

    def remove(self, name: str) -> None:
        """Removes a session attribute.

        >>> session.set("town", "Oban")
        >>> session.remove("town")
        """
        self._run(self._operations.remove(name))

    def attributes(self) -> dict[str, str]:
        """Names and types of the session attributes.

        >>> session.set("town", "Oban")
        >>> session.attributes()
        {'town': 'text'}
        """
        return self._run(self._operations.attributes())

    def keep(
        self,
        attribute: str,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        append: bool = False,
        resource: str | None = None,
    ) -> None:
        """Keeps the rows of a query in the session, at the service.

        >>> session.keep("best", "SELECT id FROM customer WHERE id < ?", [4])
        >>> len(session.take("best"))
        3
        """
        self._run(self._operations.keep(attribute, sql, parameters, append, resource))

    def take(self, attribute: str) -> Result:
        """The rows that a session attribute keeps; they stay there.

        >>> session.keep("best", "SELECT id FROM customer WHERE id = ?", [7])
        >>> session.take("best").rows
        [(7,)]
        """
        return self._run(self._operations.take(attribute))

    def cursor(self, sql: str, parameters: Sequence[Any] = (), *, name: str | None = None, resource: str | None = None) -> Cursor:
        """Opens a query whose rows are fetched some at a time, by requests of any distance in time.

        >>> with session.cursor("SELECT id FROM orders ORDER BY id") as cursor:
        ...     cursor.fetch(2).rows
        [(1,), (2,)]
        """
        return Cursor(self, self._run(self._operations.open_cursor(name, sql, parameters, resource)))

    def session_stream(self, name: str) -> SessionStream:
        """A stream of the session, which an asynchronous request reads or writes.

        >>> from rejoin.activities import Echo
        >>> pending = session.submit(Echo(text="hello").named("say"))
        >>> session.session_stream("say.output").read_all()
        b'hello'
        """
        return SessionStream(self._transport, self._operations.protocol, self._state, name)

    def transaction(self, *, isolation: str | None = None, read_only: bool = False) -> Transaction:
        """A transaction: `with session.transaction():` begins it, and commits it at the end, or rolls it back.

        `isolation` is at least `readUncommitted`, `readCommitted`, `repeatableRead` or `serializable`.

        >>> with session.transaction(isolation="serializable") as transaction:
        ...     transaction.update("UPDATE customer SET credit = credit + 1 WHERE id = 7")
        1
        """
        return Transaction(self, isolation, read_only)

    def in_transaction(
        self,
        work: Callable[[Transaction], T],
        *,
        attempts: int = 5,
        isolation: str | None = None,
        read_only: bool = False,
    ) -> T:
        """Runs `work` in a transaction, and anew when others got in its way.

        >>> session.in_transaction(lambda transaction: transaction.update("UPDATE customer SET credit = 1 WHERE id = 7"))
        1
        """
        for attempt in range(1, attempts + 1):
            try:
                with self.transaction(isolation=isolation, read_only=read_only) as transaction:
                    return work(transaction)
            except TransactionConflict as conflict:
                if attempt == attempts:
                    raise
                time.sleep(conflict.retry_after or 0.02 * 2**attempt)
        raise ValueError("attempts has to be at least 1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.end()
        except RejoinError:
            # What went wrong in the block is what matters; the session ends when it is idle for too long.
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<Session of {self._resource!r}{', ended' if self._state.ended else ''}>"

    def _repr_html_(self) -> str:
        from html import escape

        if self._state.ended:
            return escape(repr(self))
        try:
            status = self._run(self._operations.impatient.protocol.status(self._state.session_id))
        except RejoinError as error:
            return escape(f"{self!r}: {error}")
        return status._repr_html_()
