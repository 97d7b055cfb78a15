"""Sessions as objects; they begin transactions and open cursors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from .._answers import Response, SessionStatus
from .._operations import Operations, SessionState
from .._protocol import Protocol
from .._transport import AsyncTransport
from ..errors import RejoinError, TransactionConflict
from ..result import Result
from ._background import AsyncSessionStream
from ._cursor import AsyncCursor
from ._performer import AsyncPerformer
from ._transaction import AsyncTransaction

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
