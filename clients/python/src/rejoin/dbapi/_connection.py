"""A connection: a session, with a transaction in it from the first statement on."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from .. import errors
from .._answers import Response
from .._exchange import Conversation
from .._operations import Operations, transaction_step
from ..service import DataService
from ..session import Session
from . import _errors
from ._cursor import Cursor
from ._errors import Error, InterfaceError, OperationalError, raising

T = TypeVar("T")


#: After these the transaction is over, whatever has become of it.
_OVER = (
    errors.ActivityFailed,
    errors.TransactionConflict,
    errors.TransactionCommitted,
    errors.SessionEnded,
    errors.SessionNotFound,
)

#: After these it is as it was: the request was refused before it ran.
_REFUSED = (
    errors.InvalidRequest,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.ServerBusy,
    errors.SessionInUse,
    errors.SessionQueueFull,
)

_LOST = "an answer was lost, and with it what became of the transaction: roll it back"


class Connection:
    """A connection of PEP 249. Threads may share it: their statements run one after the other.

    >>> connection
    <rejoin.dbapi.Connection to 'demo', open>
    """

    Warning = _errors.Warning
    Error = _errors.Error
    InterfaceError = _errors.InterfaceError
    DatabaseError = _errors.DatabaseError
    DataError = _errors.DataError
    OperationalError = _errors.OperationalError
    IntegrityError = _errors.IntegrityError
    InternalError = _errors.InternalError
    ProgrammingError = _errors.ProgrammingError
    NotSupportedError = _errors.NotSupportedError

    def __init__(
        self,
        service: DataService,
        *,
        database: str | None,
        isolation: str | None,
        autocommit: bool,
        fetch_rows: int,
        session_timeout: float | None,
    ) -> None:
        self._service = service
        self._database = database
        self._isolation = isolation
        self._autocommit = autocommit
        #: Autocommit and isolation as they were, for pools.
        self.opened_with = autocommit, isolation
        self.fetch_rows = fetch_rows
        self._lock = threading.RLock()
        self._cursors = 0
        self._begun = False
        # Whether an answer was lost for good, so that nobody here knows whether a transaction is open.
        self._uncertain = False
        #: Counts the requests, so that a cursor knows whether its statement was the last one.
        self.requests = 0
        # Cursors of the session that nobody fetches from any more: the next request closes them.
        self._abandoned: list[str] = []
        #: Counts the transactions, so that a cursor knows whether its own is over.
        self.epoch = 0
        with raising():
            self.product = service.properties().product or ""
            self._session: Session | None = service.session(timeout=session_timeout)

    @property
    def is_mysql(self) -> bool:
        """Whether the database is MariaDB or MySQL."""
        return self.product in ("MariaDB", "MySQL")

    @property
    def autocommit(self) -> bool:
        """Whether each statement holds at once, without a transaction. Changing it commits what is open."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        with self._lock:
            if value and self._begun:
                self.commit()
            self._autocommit = value

    @property
    def session(self) -> Session:
        """The session, for what goes beyond PEP 249."""
        if self._session is None:
            raise InterfaceError("the connection is closed")
        return self._session

    def cursor(self) -> Cursor:
        """A new cursor.

        >>> connection.cursor().execute("SELECT 1 + ?", (2,)).fetchone()
        (3,)
        """
        self._open()
        return Cursor(self)

    def ping(self) -> None:
        """Asks whether the session is there, and keeps it alive.

        >>> connection.ping()
        """
        with self._lock, raising():
            self._open().renew()

    def commit(self) -> None:
        """Makes what was done since the last commit hold.

        >>> connection.cursor().execute("UPDATE customer SET credit = 1 WHERE id = 7").rowcount
        1
        >>> connection.commit()
        """
        self._end_transaction("commit")

    def rollback(self) -> None:
        """Takes back what was done since the last commit.

        >>> connection.cursor().execute("DELETE FROM orders").rowcount
        25000
        >>> connection.rollback()
        """
        self._end_transaction("rollback")

    def savepoint(self, name: str) -> None:
        """Marks a place in the transaction.

        >>> cursor = connection.cursor().execute("UPDATE customer SET credit = 1 WHERE id = 7")
        >>> connection.savepoint("here")
        >>> connection.rollback_to("here")
        """
        self._step("savepoint", name)

    def rollback_to(self, name: str) -> None:
        """Takes back what was done since that place.

        >>> connection.savepoint("here")
        >>> cursor = connection.cursor().execute("DELETE FROM orders")
        >>> connection.rollback_to("here")
        """
        self._step("rollbackTo", name)

    def release(self, name: str) -> None:
        """Forgets the place.

        >>> connection.savepoint("here")
        >>> connection.release("here")
        """
        self._step("releaseSavepoint", name)

    def _step(self, step: str, name: str) -> None:
        self._request([transaction_step(step, {"name": name})], returns="transactionState")

    @property
    def isolation(self) -> str | None:
        """The isolation of the transactions that begin from now on; None: what the database does by itself."""
        return self._isolation

    @isolation.setter
    def isolation(self, value: str | None) -> None:
        self._isolation = value

    def close(self) -> None:
        """Ends the session; what was not committed is rolled back.

        >>> connection.close()
        >>> connection
        <rejoin.dbapi.Connection to 'demo', closed>
        """
        with self._lock:
            session = self._open()
            self._session = None
            try:
                with raising():
                    session.end()
            finally:
                self._service.close()

    def _open(self) -> Session:
        if self._session is None:
            raise InterfaceError("the connection is closed")
        return self._session

    def _end_transaction(self, step: str) -> None:
        with self._lock, raising():
            operations = self._open()._operations
            if self._uncertain and step == "commit":
                raise OperationalError(_LOST)
            if not self._begun:
                return
            try:
                self._run(operations.transaction(step, {}))
            except BaseException as problem:
                if isinstance(problem, _OVER):
                    # Where nobody knew, there may have been none to roll back.
                    known = not self._uncertain
                    self._over()
                    if not known and isinstance(problem, errors.ActivityFailed):
                        return
                elif getattr(problem, "may_have_run", not isinstance(problem, _REFUSED)):
                    self._uncertain = True
                raise
            self._over()

    def _over(self) -> None:
        self._begun = self._uncertain = False
        self._abandoned = []
        self.epoch += 1

    # What follows is for cursors.

    def _new_name(self) -> str:
        """A name for a cursor in the session."""
        self._cursors += 1
        return f"cursor{self._cursors}"

    def _abandon(self, name: str, epoch: int) -> None:
        """Has a cursor closed with the next request, unless its transaction has done so."""
        if epoch == self.epoch:
            self._abandoned.append(name)

    @property
    def database(self) -> str | None:
        """The data resource that the statements run on; None: the first."""
        return self._database

    def _request(self, steps: Sequence[str], *, returns: str | None = None, outside: bool = False) -> Response | bytes:
        """Runs steps one after the other, in the transaction, which is begun if it has to be.

        With `returns`, the bytes of that end-point come back. A statement that would end the transaction in the database runs
        `outside`: what was done before is committed first, as the database itself would.
        """
        with self._lock, raising():
            operations = self._open()._operations
            if self._uncertain:
                raise OperationalError(_LOST)
            if outside:
                self._end_transaction("commit")
            begins = not outside and not self._begun and not self._autocommit
            before = [transaction_step("begin", {"isolation": self._isolation}, "before")] if begins else []
            closing, self._abandoned = self._abandoned, []
            before += [f'<closeCursor name="close-{name}"><cursor name="{name}"/></closeCursor>' for name in closing]
            content = _in_sequence([*before, *steps])
            self.requests += 1
            try:
                answer = self._run(_perform(operations, content, returns))
            except errors.Fault as fault:
                # What fails takes its transaction back if that began with it; but this was done, and its answer lost.
                self._begun = self._begun or (begins and isinstance(fault, errors.ResultsNotKept))
                if fault.activity_code == "CursorNotFound":
                    left = [name for name in closing if f"`close-{name}`" not in fault.message]
                    if left != closing:
                        # It is closed already. Nothing else was done.
                        self._abandoned += left
                        return self._request(steps, returns=returns, outside=outside)
                self._abandoned += closing
                raise
            except BaseException as problem:
                self._abandoned += closing
                if getattr(problem, "may_have_run", True) and not outside and not self._autocommit:
                    self._begun = self._uncertain = True
                if not isinstance(problem, Exception):
                    # It was given up (Ctrl-C), would go on at the service, and hold the session.
                    with suppress(errors.RejoinError):
                        self._run(operations.impatient.protocol.cancel(self.session.id))
                raise
            self._begun = self._begun or begins
            return answer

    def _run(self, conversation: Conversation[T]) -> T:
        return self._open()._run(conversation)

    def _adapted(self, value: Any) -> Any:
        """A parameter in the form that the database reads."""
        if isinstance(value, list | tuple) and self.product != "PostgreSQL":
            raise TypeError(f"{self.product} has no arrays: pass JSON as a text, or a value for each ?")
        if self.is_mysql:
            if isinstance(value, datetime.datetime) and value.tzinfo is not None:
                return value.astimezone(datetime.UTC).replace(tzinfo=None)
            if isinstance(value, datetime.timedelta):
                return _clock(value)
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commits, or rolls back what failed; then closes."""
        if self._session is None:
            return
        try:
            if error is None:
                self.commit()
        finally:
            try:
                self.close()
            except Error:
                if error is None:
                    raise

    def __repr__(self) -> str:
        state = "closed" if self._session is None else "in a transaction" if self._begun else "open"
        return f"<rejoin.dbapi.Connection to {self._service.name!r}, {state}>"


def _clock(span: datetime.timedelta) -> str:
    """A span as a `TIME` of MariaDB."""
    micros = abs(span) // datetime.timedelta(microseconds=1)
    seconds, micro = divmod(micros, 1_000_000)
    sign = "-" if span < datetime.timedelta() else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micro:06}"


def _in_sequence(steps: Sequence[str]) -> str:
    lines = "\n".join(steps)
    return f"<sequence>\n{lines}\n</sequence>" if len(steps) > 1 else lines


def _perform(operations: Operations, content: str, returns: str | None) -> Conversation[Response | bytes]:
    document = operations.document(content, changes=True, progress="rows" if returns == "result" else None)
    if returns is not None:
        return (yield from operations.protocol.raw(document, returns)).content
    return (yield from operations.protocol.perform(document))
