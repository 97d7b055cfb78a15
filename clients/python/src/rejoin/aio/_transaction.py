"""A transaction of a session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._operations import TransactionState
from ..errors import Fault, RejoinError
from ..result import Result

if TYPE_CHECKING:
    from ._session import AsyncSession

__all__ = ["AsyncTransaction"]


class AsyncTransaction:
    """A transaction of a session. All statements of the session run in it until it ends.

    >>> async with rejoin.connect_async(url, "demo") as service, service.session() as session:
    ...     async with session.transaction() as transaction:
    ...         await transaction.update("UPDATE customer SET credit = 1 WHERE id = 7")
    1
    """

    def __init__(self, session: AsyncSession, isolation: str | None, read_only: bool) -> None:
        self._session = session
        self._begin: dict[str, str | None] = {"isolation": isolation, "readOnly": "true" if read_only else None}
        self._open = False
        # Whether its end was asked for: one that was refused, or whose answer was lost, leaves it open.
        self._ending = False
        self.id: str | None = None

    async def _step(self, step: str, **attributes: str | None) -> TransactionState:
        return await self._session._run(self._session._operations.transaction(step, attributes))

    async def begin(self) -> AsyncTransaction:
        """Begins it."""
        try:
            self.id = (await self._step("begin", **self._begin)).id
        except Fault:
            raise
        except BaseException:
            # It may have begun all the same, and what follows in the session is not meant to be part of it.
            await self._leave()
            raise
        self._open, self._ending = True, False
        return self

    async def _end(self, step: str) -> None:
        self._ending = True
        await self._step(step)
        self._open = False

    async def commit(self) -> None:
        """Makes it hold. An answer that is lost is asked for again: it is committed once."""
        await self._end("commit")

    async def rollback(self) -> None:
        """Takes everything back."""
        await self._end("rollback")

    async def state(self) -> TransactionState:
        """How it stands, or what became of it."""
        return await self._step("state", id=self.id)

    @asynccontextmanager
    async def savepoint(self, name: str) -> AsyncIterator[None]:
        """Marks a place: what is done in the block is taken back when it raises."""
        await self._step("savepoint", name=name)
        try:
            yield
        except BaseException as error:
            await self._stop(error)
            try:
                await self._step("rollbackTo", name=name)
                await self._step("releaseSavepoint", name=name)
            except RejoinError as problem:
                error.add_note(f"the savepoint could not be gone back to ({problem})")
            raise
        await self._step("releaseSavepoint", name=name)

    async def query(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None) -> Result:
        """The rows of a query, as the transaction sees them."""
        return await self._session.query(sql, parameters, resource=resource)

    async def update(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None) -> int:
        """Runs a statement that writes; tells how many rows it changed."""
        return await self._session.update(sql, parameters, resource=resource, key=key)

    async def update_returning(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None
    ) -> Result:
        """Runs a statement that writes and gives rows itself, by `RETURNING`; gives those."""
        return await self._session.update_returning(sql, parameters, resource=resource, key=key)

    async def update_many(self, sql: str, rows: Iterable[Sequence[Any]], *, resource: str | None = None) -> int:
        """Runs a statement that writes once for each row of parameters."""
        return await self._session.update_many(sql, rows, resource=resource)

    async def __aenter__(self) -> AsyncTransaction:
        return await self.begin()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._open:
            return
        if error is None and not self._ending:
            try:
                await self.commit()
            except BaseException:
                # Whatever came in its way, the session is not left in a transaction that nobody knows of.
                await self._leave()
                raise
            return
        if error is not None:
            await self._stop(error)
        if error is None or self._ending:
            # The block tried to end it, and failed.
            await self._leave()
            return
        try:
            await self.rollback()
        except RejoinError as problem:
            error.add_note(f"the transaction could not be rolled back by request ({problem}); it ends with its session")

    async def _stop(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            # A statement that was given up (Ctrl-C, a cancelled task) would go on at the service, and hold the session.
            with suppress(RejoinError):
                await self._session.cancel()

    async def _leave(self) -> None:
        self._open = False
        with suppress(RejoinError):
            await self._session._run(self._session._operations.impatient.transaction("rollback", {}))

    def __repr__(self) -> str:
        return f"<AsyncTransaction {self.id or 'not begun'}{', open' if self._open else ''}>"
