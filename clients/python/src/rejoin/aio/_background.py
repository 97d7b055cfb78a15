"""Requests that go on by themselves, and the streams of sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from .._answers import SessionStatus
from .._operations import SessionState
from .._protocol import Protocol
from .._submission import Submission
from .._transport import AsyncTransport
from ..background import as_block


class AsyncPendingRequest:
    """A request that goes on by itself; its session tells how far it has got.

    >>> from rejoin.activities import Sleep
    >>> async with rejoin.connect_async(url, "demo") as service:
    ...     pending = await service.submit(Sleep(duration="PT0.01S"))
    ...     (await pending.wait(60)).request.status
    'COMPLETED'
    """

    def __init__(self, transport: AsyncTransport, submission: Submission) -> None:
        self._transport = transport
        self._submission = submission

    @property
    def request_id(self) -> str:
        """What to name when asking the operator about it."""
        return self._submission.request_id

    @property
    def last(self) -> str:
        """How it stood when it was last asked for."""
        return self._submission.last

    async def status(self) -> SessionStatus:
        """How far it has got, and its session."""
        return await self._transport.run(self._submission.status())

    async def wait(self, timeout: float | None = None, *, poll: float = 0.2) -> SessionStatus:
        """Asks every so often until it is over; raises what it failed of, or `TimeoutError`."""
        return await self._transport.run(self._submission.wait(timeout, poll))

    async def cancel(self) -> bool:
        """Stops it; nothing that it changed in its session is kept."""
        return await self._transport.run(self._submission.protocol.cancel(self._submission.state.session_id))

    def session_stream(self, name: str) -> AsyncSessionStream:
        """One of its streams: every end-point is one, and so is every `inputStream` and `outputStream`."""
        return AsyncSessionStream(self._transport, self._submission.protocol, self._submission.state, name)

    def __repr__(self) -> str:
        return f"<AsyncPendingRequest {self.request_id} {self.last}>"


class AsyncSessionStream:
    """A stream of a session. What a client takes from it, or puts in, travels once; there is back-pressure both ways.

    >>> from rejoin.activities import Echo
    >>> async with rejoin.connect_async(url, "demo") as service:
    ...     pending = await service.submit(Echo(text="hello").named("say"))
    ...     await pending.session_stream("say.output").read_all()
    b'hello'
    """

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
        async with self._transport.stream(self._protocol.stream(self._state.session_id, self.name), self.name) as chunks:
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
