"""A data service resource."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import Any, Self

import httpx

from .._answers import Properties
from .._connect import Options
from .._operations import Operations
from .._protocol import Protocol
from .._transport import AsyncTransport
from ._performer import AsyncPerformer
from ._session import AsyncSession


class AsyncDataService(AsyncPerformer):
    """A data service resource. Requests that are made here have a session of their own each, which ends with them.

    >>> async with rejoin.connect_async(url, "demo") as service:
    ...     (await service.properties()).product
    'SQLite'
    """

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
