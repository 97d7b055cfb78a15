"""Carries conversations out over httpx: blocking, and asynchronous."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

import httpx

from ._exchange import Answer, Conversation, Exchange, Lost, Pause
from ._progress import Bar, bar
from .errors import TransferBroken

T = TypeVar("T")

#: These fail before anything is sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

#: The connection broke, or what came through it can't be decompressed.
_BROKEN = (httpx.TransportError, httpx.DecodingError)


def _lost(error: httpx.RequestError, met: bool) -> Lost:
    what = (
        "the service can't be reached" if isinstance(error, _NOT_SENT) else "the connection broke before the whole answer was there"
    )
    return Lost(f"{what} ({type(error).__name__}: {error})", sent=not isinstance(error, _NOT_SENT), met=met)


def _broken(error: httpx.RequestError | httpx.StreamError, *, left: bool) -> Exception:
    if left:
        return ValueError("the stream was left: what comes through it is read within its `with` block")
    return TransferBroken(f"the result broke off: the request failed midway, or the connection did ({type(error).__name__})")


def _total(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


def _answer(response: httpx.Response, content: bytes) -> Answer:
    return Answer(response.status_code, dict(response.headers), content)


# What was lost is given on, not raised, and what broke is raised outside of `except`: exceptions of httpx hold the request, and
# with it secrets.


class Transport:
    """The blocking one."""

    def __init__(self, client: httpx.Client, progress: bool | None) -> None:
        self._client = client
        self._progress = progress
        # Whether somebody has ever answered.
        self._met = False

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def run(self, conversation: Conversation[T], send: Callable[[Exchange], Answer | Lost] | None = None) -> T:
        """Carries a conversation to its end."""
        send = send or self._send
        try:
            step = next(conversation)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(conversation)
                    continue
                outcome = send(step)
                step = conversation.throw(outcome) if isinstance(outcome, Lost) else conversation.send(outcome)
        except StopIteration as end:
            value: T = end.value
            return value

    def _send(self, exchange: Exchange) -> Answer | Lost:
        try:
            with self._open(exchange) as response:
                chunks = []
                with bar(exchange.progress, _total(response), self._progress) as shown:
                    for chunk in response.iter_bytes():
                        chunks.append(chunk)
                        shown.update(len(chunk))
                return _answer(response, b"".join(chunks))
        except _BROKEN as error:
            return _lost(error, self._met)

    @contextmanager
    def _open(self, exchange: Exchange) -> Iterator[httpx.Response]:
        with self._client.stream(
            exchange.method,
            exchange.path,
            params=dict(exchange.params),
            headers=dict(exchange.headers),
            content=exchange.content,
        ) as response:
            self._met = True
            yield response

    @contextmanager
    def stream(self, conversation: Conversation[Answer], progress: str | None) -> Iterator[Iterator[bytes]]:
        """Carries a conversation out whose last answer is read as it comes: the service goes on as fast as the reader does."""
        with ExitStack() as opened:

            def begin(exchange: Exchange) -> Answer | Lost:
                opened.close()
                try:
                    response = opened.enter_context(self._open(exchange))
                    responses.append(response)
                    return _answer(response, b"" if response.is_success else response.read())
                except _BROKEN as error:
                    return _lost(error, self._met)

            responses: list[httpx.Response] = []
            self.run(conversation, begin)
            response = responses[-1]
            yield self._chunks(response, opened.enter_context(bar(progress, _total(response), self._progress)))

    def _chunks(self, response: httpx.Response, shown: Bar) -> Iterator[bytes]:
        try:
            for chunk in response.iter_bytes():
                shown.update(len(chunk))
                yield chunk
        except (*_BROKEN, httpx.StreamError) as error:
            problem = _broken(error, left=response.is_closed)
        else:
            return
        raise problem


class AsyncTransport:
    """The asynchronous one."""

    def __init__(self, client: httpx.AsyncClient, progress: bool | None) -> None:
        self._client = client
        self._progress = progress
        # Whether somebody has ever answered.
        self._met = False

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def run(self, conversation: Conversation[T], send: Callable[[Exchange], Awaitable[Answer | Lost]] | None = None) -> T:
        """Carries a conversation to its end."""
        send = send or self._send
        try:
            step = next(conversation)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = next(conversation)
                    continue
                outcome = await send(step)
                step = conversation.throw(outcome) if isinstance(outcome, Lost) else conversation.send(outcome)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _send(self, exchange: Exchange) -> Answer | Lost:
        try:
            async with self._open(exchange) as response:
                chunks = []
                with bar(exchange.progress, _total(response), self._progress) as shown:
                    async for chunk in response.aiter_bytes():
                        chunks.append(chunk)
                        shown.update(len(chunk))
                return _answer(response, b"".join(chunks))
        except _BROKEN as error:
            return _lost(error, self._met)

    @asynccontextmanager
    async def _open(self, exchange: Exchange) -> AsyncIterator[httpx.Response]:
        async with self._client.stream(
            exchange.method,
            exchange.path,
            params=dict(exchange.params),
            headers=dict(exchange.headers),
            content=exchange.content,
        ) as response:
            self._met = True
            yield response

    @asynccontextmanager
    async def stream(self, conversation: Conversation[Answer], progress: str | None) -> AsyncIterator[AsyncIterator[bytes]]:
        """Carries a conversation out whose last answer is read as it comes: the service goes on as fast as the reader does."""
        async with AsyncExitStack() as opened:

            async def begin(exchange: Exchange) -> Answer | Lost:
                await opened.aclose()
                try:
                    response = await opened.enter_async_context(self._open(exchange))
                    responses.append(response)
                    return _answer(response, b"" if response.is_success else await response.aread())
                except _BROKEN as error:
                    return _lost(error, self._met)

            responses: list[httpx.Response] = []
            await self.run(conversation, begin)
            response = responses[-1]
            yield self._chunks(response, opened.enter_context(bar(progress, _total(response), self._progress)))

    async def _chunks(self, response: httpx.Response, shown: Bar) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                shown.update(len(chunk))
                yield chunk
        except (*_BROKEN, httpx.StreamError) as error:
            problem = _broken(error, left=response.is_closed)
        else:
            return
        raise problem
