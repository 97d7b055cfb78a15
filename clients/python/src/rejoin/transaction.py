"""A transaction of a session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._operations import TransactionState
from .errors import Fault, RejoinError
from .result import Result

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Transaction"]


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
        # Whether its end was asked for: one that was refused, or whose answer was lost, leaves it open.
        self._ending = False
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
        self._open, self._ending = True, False
        return self

    def _end(self, step: str) -> None:
        self._ending = True
        self._step(step)
        self._open = False

    def commit(self) -> None:
        """Makes it hold. An answer that is lost is asked for again: it is committed once.

        >>> transaction = session.transaction().begin()
        >>> transaction.commit()
        """
        self._end("commit")

    def rollback(self) -> None:
        """Takes everything back.

        >>> transaction = session.transaction().begin()
        >>> transaction.rollback()
        """
        self._end("rollback")

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
            self._stop(error)
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
        if error is None and not self._ending:
            try:
                self.commit()
            except BaseException:
                # Whatever came in its way, the session is not left in a transaction that nobody knows of.
                self._leave()
                raise
            return
        if error is not None:
            self._stop(error)
        if error is None or self._ending:
            # The block tried to end it, and failed.
            self._leave()
            return
        try:
            self.rollback()
        except RejoinError as problem:
            error.add_note(f"the transaction could not be rolled back by request ({problem}); it ends with its session")

    def _stop(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            # A statement that was given up (Ctrl-C, a cancelled task) would go on at the service, and hold the session.
            with suppress(RejoinError):
                self._session.cancel()

    def _leave(self) -> None:
        self._open = False
        with suppress(RejoinError):
            self._session._run(self._session._operations.impatient.transaction("rollback", {}))

    def __repr__(self) -> str:
        return f"<Transaction {self.id or 'not begun'}{', open' if self._open else ''}>"
