"""Sessions as objects, their transactions and cursors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from .._answers import Response, SessionStatus
from .._operations import Operations, SessionState, TransactionState
from .._protocol import Protocol
from .._transport import AsyncTransport
from ..errors import Fault, RejoinError, TransactionConflict
from ..result import Result
from ._background import AsyncSessionStream
from ._performer import AsyncPerformer

T = TypeVar("T")


class AsyncSession(AsyncPerformer):
    """A session: what the service keeps between the requests of one client.

    >>> async with rejoin.connect_async(url, "demo") as service, service.session() as session:
    ...     await session.increment("visits")
    1
    """

    def __init__(
        self, transport: AsyncTransport, protocol: Protocol, session_id: str, resource: str, created: Response | None
    ) -> None:
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

    async def status(self) -> SessionStatus:
        """How the session stands; this is no visit, its idle time runs on."""
        return await self._run(self._operations.protocol.status(self._state.session_id))

    async def renew(self) -> None:
        """Keeps the session alive: its idle time begins anew."""
        await self._run(self._operations.renew())

    async def rotate(self) -> None:
        """Gives the session a new id; the old one holds for a short time only."""
        await self._run(self._operations.rotate())

    async def end(self) -> None:
        """Ends the session; ending it again does nothing."""
        if not self._state.ended:
            await self._run(self._operations.protocol.end(self._state.session_id))
            self._state.ended = True

    async def cancel(self) -> bool:
        """Stops the request that holds the session; tells whether there was one."""
        return await self._run(self._operations.protocol.cancel(self._state.session_id))

    async def get(self, name: str) -> Any:
        """The value of a session attribute."""
        return await self._run(self._operations.get(name))

    async def set(self, name: str, value: Any) -> None:
        """Sets a session attribute: a text, a number, a truth value, or an XML element."""
        await self._run(self._operations.set(name, value))

    async def increment(self, name: str, by: int = 1) -> int:
        """Adds to a session attribute, which counts from 0; gives the sum."""
        return await self._run(self._operations.increment(name, by))

    async def remove(self, name: str) -> None:
        """Removes a session attribute."""
        await self._run(self._operations.remove(name))

    async def attributes(self) -> dict[str, str]:
        """Names and types of the session attributes."""
        return await self._run(self._operations.attributes())

    async def keep(
        self,
        attribute: str,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        append: bool = False,
        resource: str | None = None,
    ) -> None:
        """Keeps the rows of a query in the session, at the service."""
        await self._run(self._operations.keep(attribute, sql, parameters, append, resource))

    async def take(self, attribute: str) -> Result:
        """The rows that a session attribute keeps; they stay there."""
        return await self._run(self._operations.take(attribute))

    async def cursor(
        self, sql: str, parameters: Sequence[Any] = (), *, name: str | None = None, resource: str | None = None
    ) -> AsyncCursor:
        """Opens a query whose rows are fetched some at a time, by requests of any distance in time."""
        return AsyncCursor(self, await self._run(self._operations.open_cursor(name, sql, parameters, resource)))

    def session_stream(self, name: str) -> AsyncSessionStream:
        """A stream of the session, which an asynchronous request reads or writes."""
        return AsyncSessionStream(self._transport, self._operations.protocol, self._state, name)

    def transaction(self, *, isolation: str | None = None, read_only: bool = False) -> AsyncTransaction:
        """A transaction: `async with session.transaction():` begins it, and commits it at the end, or rolls it back."""
        return AsyncTransaction(self, isolation, read_only)

    async def in_transaction(
        self,
        work: Callable[[AsyncTransaction], Awaitable[T]],
        *,
        attempts: int = 5,
        isolation: str | None = None,
        read_only: bool = False,
    ) -> T:
        """Runs `work` in a transaction, and anew when others got in its way."""
        for attempt in range(1, attempts + 1):
            try:
                async with self.transaction(isolation=isolation, read_only=read_only) as transaction:
                    return await work(transaction)
            except TransactionConflict as conflict:
                if attempt == attempts:
                    raise
                await asyncio.sleep(conflict.retry_after or 0.02 * 2**attempt)
        raise ValueError("attempts has to be at least 1")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self.end()
        except RejoinError:
            # What went wrong in the block is what matters; the session ends when it is idle for too long.
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<AsyncSession of {self._resource!r}{', ended' if self._state.ended else ''}>"


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
        self._open = True
        return self

    async def commit(self) -> None:
        """Makes it hold. An answer that is lost is asked for again: it is committed once."""
        self._open = False
        await self._step("commit")

    async def rollback(self) -> None:
        """Takes everything back."""
        self._open = False
        await self._step("rollback")

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
        if error is None:
            try:
                await self.commit()
            except BaseException:
                # Whatever came in its way, the session is not left in a transaction that nobody knows of.
                await self._leave()
                raise
            return
        if not isinstance(error, Exception):
            # A statement that was given up (Ctrl-C, a cancelled task) would go on at the service, and hold the session.
            with suppress(RejoinError):
                await self._session.cancel()
        try:
            await self.rollback()
        except RejoinError as problem:
            error.add_note(f"the transaction could not be rolled back by request ({problem}); it ends with its session")

    async def _leave(self) -> None:
        with suppress(RejoinError):
            await self._session._run(self._session._operations.impatient.transaction("rollback", {}))

    def __repr__(self) -> str:
        return f"<AsyncTransaction {self.id or 'not begun'}{', open' if self._open else ''}>"


class AsyncCursor:
    """A query that is open in a session. Iterating gives its rows, fetched in pages.

    >>> async with rejoin.connect_async(url, "demo") as service, service.session() as session:
    ...     async with await session.cursor("SELECT id FROM orders ORDER BY id") as cursor:
    ...         (await cursor.fetch(2)).rows
    [(1,), (2,)]
    """

    def __init__(self, session: AsyncSession, name: str) -> None:
        self._session = session
        self.name = name
        self.at_end = False
        self._last: Result | None = None
        # One for all loops: whoever leaves one goes on with the next row.
        self._rows = self._every_row()

    async def fetch(self, rows: int = 1000) -> Result:
        """The next rows; fewer than asked for: that was the end, and the cursor is closed. Behind the end there are none."""
        if self.at_end and self._last is not None:
            return self._last._without_rows()
        page = await self._session._run(self._session._operations.fetch_cursor(self.name, rows))
        self.at_end, self._last = len(page) < rows, page
        return page

    async def pages(self, rows: int = 1000) -> AsyncIterator[Result]:
        """Page after page."""
        while not self.at_end:
            yield await self.fetch(rows)

    def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        return self._rows

    async def _every_row(self) -> AsyncIterator[tuple[Any, ...]]:
        async for page in self.pages():
            for row in page:
                yield row

    async def close(self) -> None:
        """Closes it before its end."""
        if not self.at_end:
            await self._session._run(self._session._operations.close_cursor(self.name))
            self.at_end = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self.close()
        except RejoinError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<AsyncCursor {self.name!r}{', at its end' if self.at_end else ''}>"
