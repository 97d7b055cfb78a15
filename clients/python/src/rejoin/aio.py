"""The asynchronous client: the same as :mod:`rejoin.service`, awaited.

>>> async with rejoin.connect_async("http://127.0.0.1:8080", "demo") as service, service.session() as session:
...     rows = await session.query("SELECT name FROM customer WHERE town = ?", ["Oban"])
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from ._answers import Properties, Response, SessionStatus
from ._connect import Options
from ._exchange import Conversation
from ._operations import Operations, Performable, SessionState, TransactionState
from ._protocol import Document, Protocol
from ._transport import AsyncTransport
from .activity import Stream
from .errors import RejoinError, TransactionConflict
from .result import Result, pyarrow_module
from .service import as_block

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "AsyncCursor",
    "AsyncDataService",
    "AsyncPendingRequest",
    "AsyncRowStream",
    "AsyncSession",
    "AsyncSessionStream",
    "AsyncTransaction",
]

T = TypeVar("T")


class AsyncRowStream:
    """Rows as they come, as record batches of Arrow (needs pyarrow). The service reads on as fast as this is read."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def batches(self) -> AsyncIterator[pyarrow.RecordBatch]:
        """Block after block."""
        pyarrow = pyarrow_module("batches()")
        splitter = _Messages()
        schema = None
        async for chunk in self._chunks:
            for message in splitter.feed(chunk):
                if schema is None:
                    schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(message))
                else:
                    yield pyarrow.ipc.read_record_batch(pyarrow.ipc.read_message(message), schema)

    async def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        async for batch in self.batches():
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                yield row


class _Messages:
    """Cuts an Arrow IPC stream into its messages, head and body together."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        from .arrow import body_length

        self._data += chunk
        while len(self._data) >= 8:
            head = int.from_bytes(self._data[4:8], "little")
            if head == 0 or len(self._data) < 8 + head:
                return
            end = 8 + head + body_length(bytes(self._data[8 : 8 + head]))
            if len(self._data) < end:
                return
            yield bytes(self._data[:end])
            del self._data[:end]


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
        async with self._open(document, "result") as chunks:
            yield AsyncRowStream(chunks)

    @asynccontextmanager
    async def stream(self, what: Performable, returns: str | Stream[Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Performs a request of which the bytes of one end-point are read as they come."""
        document = self._operations.prepare(what)
        async with self._open(document, returns.name if isinstance(returns, Stream) else returns) as chunks:
            yield chunks

    @asynccontextmanager
    async def _open(self, document: Document, returns: str) -> AsyncIterator[AsyncIterator[bytes]]:
        exchange = self._operations.protocol.streamed(document, returns)
        async with self._transport.stream(exchange, document.text) as chunks:
            yield chunks

    async def update(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None) -> int:
        """Runs a statement that writes; tells how many rows it changed."""
        return await self._run(self._operations.update(sql, parameters, resource=resource))

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
        prepared = self._operations.prepare_submission(what)
        session_id, response = await self._run(self._operations.protocol.submit(prepared, key=key))
        return AsyncPendingRequest(self._transport, self._operations.protocol, session_id, response)


class AsyncDataService(AsyncPerformer):
    """A data service resource. Requests that are made here have a session of their own each, which ends with them."""

    def __init__(self, options: Options, *, patience: float = 30.0, progress: bool | None = None) -> None:
        client = httpx.AsyncClient(**options.http())
        protocol = Protocol(options.path, options.session_header, patience)
        super().__init__(AsyncTransport(client, progress), Operations(protocol))
        self._options = options

    @property
    def url(self) -> str:
        """The address of the resource, without user and password."""
        return self._options.base + self._options.path

    @property
    def name(self) -> str:
        """The name of the resource."""
        return self._options.resource

    def session(self, *, timeout: float | None = None) -> _Beginning:
        """Creates a session: `async with service.session() as session`, or `session = await service.session()`."""
        return _Beginning(self, timeout)

    def join(self, session_id: str) -> AsyncSession:
        """The session of that id, which was kept from before. Nothing is asked until it is used."""
        return AsyncSession(self._transport, self._operations.protocol, session_id, self.name, None)

    async def properties(self) -> Properties:
        """What the resource says of itself: activities, databases."""
        return await self._run(self._operations.protocol.properties())

    async def close(self) -> None:
        """Closes the connections; sessions go on until they are idle for too long."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncDataService {self.url}>"


class _Beginning:
    """A session that is created when it is awaited or entered."""

    def __init__(self, service: AsyncDataService, timeout: float | None) -> None:
        self._service = service
        self._timeout = timeout
        self._session: AsyncSession | None = None

    async def _create(self) -> AsyncSession:
        service = self._service
        session_id, response = await service._run(service._operations.create(self._timeout))
        return AsyncSession(service._transport, service._operations.protocol, session_id, service.name, response)

    def __await__(self) -> Generator[Any, None, AsyncSession]:
        return self._create().__await__()

    async def __aenter__(self) -> AsyncSession:
        self._session = await self._create()
        return self._session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.__aexit__(kind, error, trace)


class AsyncSession(AsyncPerformer):
    """A session: what the service keeps between the requests of one client."""

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
        return self._state.session_id

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
        self, sql: str, parameters: Sequence[Any] = (), *, name: str = "cursor", resource: str | None = None
    ) -> AsyncCursor:
        """Opens a query whose rows are fetched some at a time, by requests of any distance in time."""
        await self._run(self._operations.open_cursor(name, sql, parameters, resource))
        return AsyncCursor(self, name)

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
    """A transaction of a session. All statements of the session run in it until it ends."""

    def __init__(self, session: AsyncSession, isolation: str | None, read_only: bool) -> None:
        self._session = session
        self._begin: dict[str, str | None] = {"isolation": isolation, "readOnly": "true" if read_only else None}
        self._open = False
        self.id: str | None = None

    async def _step(self, step: str, **attributes: str | None) -> TransactionState:
        return await self._session._run(self._session._operations.transaction(step, attributes))

    async def begin(self) -> AsyncTransaction:
        """Begins it."""
        self.id = (await self._step("begin", **self._begin)).id
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
        except BaseException:
            await self._step("rollbackTo", name=name)
            await self._step("releaseSavepoint", name=name)
            raise
        await self._step("releaseSavepoint", name=name)

    async def query(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None) -> Result:
        """The rows of a query, as the transaction sees them."""
        return await self._session.query(sql, parameters, resource=resource)

    async def update(self, sql: str, parameters: Sequence[Any] = (), *, resource: str | None = None) -> int:
        """Runs a statement that writes."""
        return await self._session.update(sql, parameters, resource=resource)

    async def update_many(self, sql: str, rows: Iterable[Sequence[Any]], *, resource: str | None = None) -> int:
        """Runs a statement that writes once for each row of parameters."""
        return await self._session.update_many(sql, rows, resource=resource)

    async def __aenter__(self) -> AsyncTransaction:
        return await self.begin()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._open:
            return
        if error is None:
            await self.commit()
            return
        try:
            await self.rollback()
        except RejoinError as problem:
            error.add_note(f"the transaction could not be rolled back by request ({problem}); it ends with its session")

    def __repr__(self) -> str:
        return f"<AsyncTransaction {self.id or 'not begun'}{', open' if self._open else ''}>"


class AsyncCursor:
    """A query that is open in a session. Iterating gives its rows, fetched in pages."""

    def __init__(self, session: AsyncSession, name: str) -> None:
        self._session = session
        self.name = name
        self.at_end = False

    async def fetch(self, rows: int = 1000) -> Result:
        """The next rows; fewer than asked for: that was the end, and the cursor is closed."""
        page = await self._session._run(self._session._operations.fetch_cursor(self.name, rows))
        self.at_end = len(page) < rows
        return page

    async def pages(self, rows: int = 1000) -> AsyncIterator[Result]:
        """Page after page."""
        while not self.at_end:
            yield await self.fetch(rows)

    async def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
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


class AsyncPendingRequest:
    """A request that goes on by itself; its session tells how far it has got."""

    def __init__(self, transport: AsyncTransport, protocol: Protocol, session_id: str, response: Response) -> None:
        self._transport = transport
        self._protocol = protocol
        self._state = SessionState(session_id)
        self.request_id = response.request_id
        self.last = response.status

    async def status(self) -> SessionStatus:
        """How far it has got, and its session."""
        status = await self._transport.run(self._protocol.status(self._state.session_id))
        if status.request is not None:
            self.last = status.request.status
        return status

    async def wait(self, timeout: float | None = None, *, poll: float = 0.2) -> SessionStatus:
        """Asks every so often until it is over; raises what it failed of, or `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while True:
                status = await self.status()
                progress = status.request
                if progress is not None and progress.status not in ("PROCESSING", "UNSTARTED"):
                    if progress.error is not None:
                        raise progress.error
                    return status
                await asyncio.sleep(poll)

    async def cancel(self) -> bool:
        """Stops it; nothing that it changed in its session is kept."""
        return await self._transport.run(self._protocol.cancel(self._state.session_id))

    def session_stream(self, name: str) -> AsyncSessionStream:
        """One of its streams: every end-point is one, and so is every `inputStream` and `outputStream`."""
        return AsyncSessionStream(self._transport, self._protocol, self._state, name)

    def __repr__(self) -> str:
        return f"<AsyncPendingRequest {self.request_id} {self.last}>"


class AsyncSessionStream:
    """A stream of a session. What a client takes from it, or puts in, travels once; there is back-pressure both ways."""

    def __init__(self, transport: AsyncTransport, protocol: Protocol, state: SessionState, name: str) -> None:
        self._transport = transport
        self._protocol = protocol
        self._state = state
        self.name = name
        self.at_end = False

    async def read(self, blocks: int = 1) -> bytes:
        """Waits for so many blocks, or the end; empty at the end."""
        if self.at_end:
            return b""
        conversation = self._protocol.read_blocks(self._state.session_id, self.name, blocks)
        content, goes_on = await self._transport.run(conversation)
        self.at_end = not goes_on
        return content

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Everything to the end, as it comes."""
        async with self._transport.stream(self._protocol.stream(self._state.session_id, self.name), None) as chunks:
            yield chunks

    async def read_all(self) -> bytes:
        """Everything to the end."""
        async with self.open() as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def write(self, block: bytes | str) -> None:
        """Writes one block, when the pipe has room for it."""
        content, kind = as_block(block)
        await self._transport.run(self._protocol.write_block(self._state.session_id, self.name, content, kind))

    async def write_all(self, blocks: Iterable[bytes | str]) -> None:
        """Writes every block, then the end."""
        for block in blocks:
            await self.write(block)
        await self.close()

    async def close(self) -> None:
        """Says that everything was written."""
        await self._transport.run(self._protocol.close_stream(self._state.session_id, self.name))

    async def drop(self) -> None:
        """Drops the stream: whoever writes it goes on without it, whoever reads it fails."""
        await self._transport.run(self._protocol.drop_stream(self._state.session_id, self.name))

    def __repr__(self) -> str:
        return f"<AsyncSessionStream {self.name!r}>"
