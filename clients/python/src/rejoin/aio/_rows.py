"""Rows as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ..arrow import Column
from ..result import pyarrow_module
from ..rows import ArrowReader

if TYPE_CHECKING:
    import pyarrow


class AsyncRowStream:
    """Rows as they come. The service reads on as fast as this is read, so a result of any size takes little memory.

    Iterating gives rows, each once; :meth:`batches` gives blocks of rows of Arrow. One of the two.

    >>> async with rejoin.connect_async(url, "demo") as service:
    ...     async with service.stream_query("SELECT id FROM orders ORDER BY id LIMIT 2") as rows:
    ...         [row async for row in rows]
    [(1,), (2,)]
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._reader = ArrowReader()
        self._messages = self._read(chunks)
        self._ahead: list[memoryview] = []
        # One for all loops: whoever leaves one goes on with the next row.
        self._rows = self._every_row()

    async def _read(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[memoryview]:
        # To the end of the answer, where it shows whether the request has completed: the end of the rows says less.
        async for chunk in chunks:
            for message in self._reader.feed(chunk):
                yield message
        self._reader.finish()

    async def _all(self) -> AsyncIterator[memoryview]:
        while self._ahead:
            yield self._ahead.pop()
        async for message in self._messages:
            yield message

    async def columns(self) -> tuple[Column, ...]:
        """What is known of each column."""
        if not self._reader.begun:
            self._ahead += [message for message in [await anext(self._messages, None)] if message is not None]
        return self._reader.schema.columns

    def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        return self._rows

    async def _every_row(self) -> AsyncIterator[tuple[Any, ...]]:
        async for message in self._all():
            for row in self._reader.rows(message):
                yield row

    async def batches(self) -> AsyncIterator[pyarrow.RecordBatch]:
        """The rows as record batches of Arrow (needs pyarrow)."""
        pyarrow_module("batches()")
        async for message in self._all():
            yield self._reader.record_batch(message)
