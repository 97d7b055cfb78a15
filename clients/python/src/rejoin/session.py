"""Sessions as objects, their transactions and cursors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from ._answers import Response, SessionStatus
from ._operations import Operations, SessionState, TransactionState
from ._performer import Performer
from ._protocol import Protocol
from ._transport import Transport
from .background import SessionStream
from .errors import Fault, RejoinError, TransactionConflict
from .result import Result

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


class Transaction:
    """A transaction of a session. All statements of the session run in it until it ends.

    >>> with session.transaction() as transaction:
    ...     transaction.query("SELECT count(*) FROM orders").scalar()
    25000
    >>> transaction.state().state
    'committed'
    """

    def __init__(self, session: Session, isolation: str | None, read_only: bool) -> None:
        self._session = session
        self._begin: dict[str, str | None] = {"isolation": isolation, "readOnly": "true" if read_only else None}
        self._open = False
        self.id: str | None = None

    def _step(self, step: str, **attributes: str | None) -> TransactionState:
        return self._session._run(self._session._operations.transaction(step, attributes))

    def begin(self) -> Transaction:
        """Begins it.

        >>> transaction = session.transaction().begin()
        >>> transaction.state().state
        'active'
        """
        try:
            self.id = self._step("begin", **self._begin).id
        except Fault:
            raise
        except BaseException:
            # It may have begun all the same, and what follows in the session is not meant to be part of it.
            self._leave()
            raise
        self._open = True
        return self

    def commit(self) -> None:
        """Makes it hold. An answer that is lost is asked for again: it is committed once.

        >>> transaction = session.transaction().begin()
        >>> transaction.commit()
        """
        self._open = False
        self._step("commit")

    def rollback(self) -> None:
        """Takes everything back.

        >>> transaction = session.transaction().begin()
        >>> transaction.rollback()
        """
        self._open = False
        self._step("rollback")

    def state(self) -> TransactionState:
        """How it stands, or what became of it.

        >>> with session.transaction() as transaction:
        ...     transaction.state().state
        'active'
        """
        return self._step("state", id=self.id)

    @contextmanager
    def savepoint(self, name: str) -> Iterator[None]:
        """Marks a place: what is done in the block is taken back when it raises.

        >>> with session.transaction() as transaction, transaction.savepoint("here"):
        ...     transaction.update("UPDATE customer SET credit = 0 WHERE id = 7")
        1
        """
        self._step("savepoint", name=name)
        try:
            yield
        except BaseException as error:
            try:
                self._step("rollbackTo", name=name)
                self._step("releaseSavepoint", name=name)
            except RejoinError as problem:
                error.add_note(f"the savepoint could not be gone back to ({problem})")
            raise
        self._step("releaseSavepoint", name=name)

    def query(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None) -> Result:
        """The rows of a query, as the transaction sees them.

        >>> with session.transaction() as transaction:
        ...     transaction.query("SELECT id FROM customer WHERE id < ?", [2]).rows
        [(1,)]
        """
        return self._session.query(sql, parameters, resource=resource)

    def update(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None) -> int:
        """Runs a statement that writes; tells how many rows it changed.

        >>> with session.transaction() as transaction:
        ...     transaction.update("UPDATE customer SET credit = credit + ? WHERE id = ?", [5, 7])
        1
        """
        return self._session.update(sql, parameters, resource=resource, key=key)

    def update_returning(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None
    ) -> Result:
        """Runs a statement that writes and gives rows itself, by `RETURNING`; gives those.

        >>> with session.transaction() as transaction:
        ...     transaction.update_returning("UPDATE customer SET credit = 9 WHERE id = 7 RETURNING credit").scalar()
        9.0
        """
        return self._session.update_returning(sql, parameters, resource=resource, key=key)

    def update_many(self, sql: str, rows: Iterable[Sequence[Any]], *, resource: str | None = None) -> int:
        """Runs a statement that writes once for each row of parameters.

        >>> with session.transaction() as transaction:
        ...     transaction.update_many("UPDATE customer SET credit = ? WHERE id = ?", [(1, 1), (2, 2)])
        2
        """
        return self._session.update_many(sql, rows, resource=resource)

    def __enter__(self) -> Transaction:
        return self.begin()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._open:
            return
        if error is None:
            try:
                self.commit()
            except BaseException:
                # Whatever came in its way, the session is not left in a transaction that nobody knows of.
                self._leave()
                raise
            return
        if not isinstance(error, Exception):
            # A statement that was given up (Ctrl-C, a cancelled task) would go on at the service, and hold the session.
            with suppress(RejoinError):
                self._session.cancel()
        try:
            self.rollback()
        except RejoinError as problem:
            error.add_note(f"the transaction could not be rolled back by request ({problem}); it ends with its session")

    def _leave(self) -> None:
        with suppress(RejoinError):
            self._session._run(self._session._operations.impatient.transaction("rollback", {}))

    def __repr__(self) -> str:
        return f"<Transaction {self.id or 'not begun'}{', open' if self._open else ''}>"


class Cursor:
    """A query that is open in a session. Iterating gives its rows, fetched in pages.

    >>> sum(row[0] for row in session.cursor("SELECT id FROM orders"))
    312512500
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name
        self.at_end = False
        self._last: Result | None = None
        # One for all loops: whoever leaves one goes on with the next row.
        self._rows = self._every_row()

    def fetch(self, rows: int = 1000) -> Result:
        """The next rows; fewer than asked for: that was the end, and the cursor is closed. Behind the end there are none.

        >>> cursor = session.cursor("SELECT id FROM orders ORDER BY id")
        >>> cursor.fetch(2).rows, cursor.fetch(1).rows
        ([(1,), (2,)], [(3,)])
        """
        if self.at_end and self._last is not None:
            return self._last._without_rows()
        page = self._session._run(self._session._operations.fetch_cursor(self.name, rows))
        self.at_end, self._last = len(page) < rows, page
        return page

    def pages(self, rows: int = 1000) -> Iterator[Result]:
        """Page after page.

        >>> [len(page) for page in session.cursor("SELECT id FROM orders").pages(10_000)]
        [10000, 10000, 5000]
        """
        while not self.at_end:
            yield self.fetch(rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def _every_row(self) -> Iterator[tuple[Any, ...]]:
        for page in self.pages():
            yield from page

    def close(self) -> None:
        """Closes it before its end.

        >>> cursor = session.cursor("SELECT id FROM orders")
        >>> cursor.close()
        """
        if not self.at_end:
            self._session._run(self._session._operations.close_cursor(self.name))
            self.at_end = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.close()
        except RejoinError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<Cursor {self.name!r}{', at its end' if self.at_end else ''}>"
