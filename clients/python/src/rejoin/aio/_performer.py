"""What a service and a session have in common: requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from .._answers import Response
from .._exchange import Conversation
from .._operations import Operations, Performable
from .._submission import submit
from .._transport import AsyncTransport
from ..activity import Stream
from ..result import Result
from ._background import AsyncPendingRequest
from ._rows import AsyncRowStream

T = TypeVar("T")


class AsyncPerformer:
    """What a service and a session have in common: requests."""

    def __init__(self, transport: AsyncTransport, operations: Operations) -> None:
        self._transport = transport
        self._operations = operations

    async def _run(self, conversation: Conversation[T]) -> T:
        return await self._transport.run(conversation)

    async def query(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        resource: str | None = None,
        wait: float | None = None,
        read: bool = False,
    ) -> Result:
        """Runs a statement that only reads, and gives all of its rows."""
        return await self._run(self._operations.query(sql, parameters, resource=resource, wait=wait, read=read))

    @asynccontextmanager
    async def stream_query(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, read: bool = False
    ) -> AsyncIterator[AsyncRowStream]:
        """Runs a query whose rows are read as they come, however many they are; the session is held meanwhile."""
        document = self._operations.query_document(sql, parameters, resource=resource, read=read)
        async with self._transport.stream(self._operations.protocol.streamed(document, "result"), "rows") as chunks:
            yield AsyncRowStream(chunks)

    @asynccontextmanager
    async def stream(self, what: Performable, returns: str | Stream[Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Performs a request of which the bytes of one end-point are read as they come. If it breaks, it is not sent again."""
        document = self._operations.prepare(what)
        name = returns.name if isinstance(returns, Stream) else returns
        conversation = self._operations.protocol.streamed(document, name)
        async with self._transport.stream(conversation, name) as chunks:
            yield chunks

    async def update(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None) -> int:
        """Runs a statement that writes; tells how many rows it changed."""
        return await self._run(self._operations.update(sql, parameters, resource=resource, key=key))

    async def update_returning(
        self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None, key: str | None = None
    ) -> Result:
        """Runs a statement that writes and gives rows itself, by `RETURNING`; gives those."""
        return await self._run(self._operations.update_returning(sql, parameters, resource=resource, key=key))

    async def update_many(self, sql: str, rows: Iterable[Sequence[Any]], *, resource: str | None = None) -> int:
        """Runs a statement once for each row of parameters; tells how many rows were changed."""
        return await self._run(self._operations.update_many(sql, rows, resource=resource))

    async def perform(
        self, what: Performable, *, wait: float | None = None, read: bool = False, key: str | None = None
    ) -> Response:
        """Performs any request: activities, or a perform document. What may change something is run once."""
        return await self._run(self._operations.perform(what, wait=wait, read=read, key=key))

    async def raw(self, what: Performable, returns: str | Stream[Any], *, key: str | None = None) -> bytes:
        """Performs any request, and gives the bytes of one end-point."""
        return await self._run(self._operations.raw(what, returns, key=key))

    async def submit(self, what: Performable, *, key: str | None = None) -> AsyncPendingRequest:
        """Performs a request without waiting for its end.

        Without a session of one's own it gets one, which ends when it has been idle for too long; a document has to ask for it
        itself (`<session/>`), or nobody can be asked how it ended.
        """
        return AsyncPendingRequest(self._transport, await self._run(submit(self._operations, what, key)))
