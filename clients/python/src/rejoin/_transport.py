"""Carries conversations out over httpx: blocking, and asynchronous."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import httpx

from ._answers import parse_fault
from ._exchange import Answer, Conversation, Exchange, Lost, Pause
from ._progress import bar
from .errors import LostAnswer, TransferBroken

T = TypeVar("T")

#: These fail before anything is sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def _lost(error: httpx.TransportError, met: bool) -> Lost:
    what = (
        "the service can't be reached" if isinstance(error, _NOT_SENT) else "the connection broke before the whole answer was there"
    )
    return Lost(f"{what} ({type(error).__name__}: {error})", sent=not isinstance(error, _NOT_SENT), met=met)


def _total(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


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

    def run(self, conversation: Conversation[T]) -> T:
        """Carries a conversation to its end."""
        try:
            step = next(conversation)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(conversation)
                    continue
                outcome = self._send(step)
                step = conversation.throw(outcome) if isinstance(outcome, Lost) else conversation.send(outcome)
        except StopIteration as end:
            value: T = end.value
            return value

    def _send(self, exchange: Exchange) -> Answer | Lost:
        # What was lost is given, not raised: exceptions of httpx hold the request, and with it secrets.
        try:
            with self._open(exchange) as response:
                chunks = []
                with bar(exchange.progress, _total(response), self._progress) as shown:
                    for chunk in response.iter_bytes():
                        chunks.append(chunk)
                        shown.update(len(chunk))
                return Answer(response.status_code, dict(response.headers), b"".join(chunks))
        except httpx.TransportError as error:
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
    def stream(self, exchange: Exchange, document: str | None) -> Iterator[Iterator[bytes]]:
        """Reads an answer as it comes: the service goes on as fast as the reader does."""
        opened = self._open(exchange)
        try:
            response = opened.__enter__()
        except httpx.TransportError as error:
            lost: Lost | None = _lost(error, self._met)
        else:
            lost = None
        if lost is not None:
            raise LostAnswer(lost.why, may_have_run=lost.sent)
        try:
            if response.status_code >= 400:
                raise parse_fault(Answer(response.status_code, dict(response.headers), response.read()), document)
            yield self._chunks(exchange, response)
        finally:
            opened.__exit__(None, None, None)

    def _chunks(self, exchange: Exchange, response: httpx.Response) -> Iterator[bytes]:
        broken = ""
        with bar(exchange.progress, _total(response), self._progress) as shown:
            try:
                for chunk in response.iter_bytes():
                    shown.update(len(chunk))
                    yield chunk
            except httpx.TransportError as error:
                broken = f"the result broke off: the request failed midway, or the connection did ({type(error).__name__})"
        if broken:
            raise TransferBroken(broken)


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

    async def run(self, conversation: Conversation[T]) -> T:
        """Carries a conversation to its end."""
        try:
            step = next(conversation)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = next(conversation)
                    continue
                outcome = await self._send(step)
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
                return Answer(response.status_code, dict(response.headers), b"".join(chunks))
        except httpx.TransportError as error:
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
    async def stream(self, exchange: Exchange, document: str | None) -> AsyncIterator[AsyncIterator[bytes]]:
        """Reads an answer as it comes: the service goes on as fast as the reader does."""
        opened = self._open(exchange)
        try:
            response = await opened.__aenter__()
        except httpx.TransportError as error:
            lost: Lost | None = _lost(error, self._met)
        else:
            lost = None
        if lost is not None:
            raise LostAnswer(lost.why, may_have_run=lost.sent)
        try:
            if response.status_code >= 400:
                content = await response.aread()
                raise parse_fault(Answer(response.status_code, dict(response.headers), content), document)
            yield self._chunks(exchange, response)
        finally:
            await opened.__aexit__(None, None, None)

    async def _chunks(self, exchange: Exchange, response: httpx.Response) -> AsyncIterator[bytes]:
        broken = ""
        with bar(exchange.progress, _total(response), self._progress) as shown:
            try:
                async for chunk in response.aiter_bytes():
                    shown.update(len(chunk))
                    yield chunk
            except httpx.TransportError as error:
                broken = f"the result broke off: the request failed midway, or the connection did ({type(error).__name__})"
        if broken:
            raise TransferBroken(broken)
