"""Rows as they come, however many they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .arrow import Column, Schema, Splitter
from .errors import UnexpectedAnswer
from .result import pyarrow_module

if TYPE_CHECKING:
    import pyarrow

__all__ = ["RowStream"]


class ArrowReader:
    """Reads messages as they come: the first one is the schema, the others are rows."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._first: memoryview | None = None
        self._known: Schema | None = None
        self._pyarrow: Any = None

    def feed(self, chunk: bytes) -> Iterator[memoryview]:
        """The messages with rows that this piece completes."""
        for message in self._splitter.feed(chunk):
            if self._first is None:
                self._first = message
            else:
                yield message

    def finish(self) -> None:
        """Raises if the end of the answer is not the end of the rows."""
        self._splitter.finish()
        _ = self.schema

    @property
    def begun(self) -> bool:
        """Whether the schema is there."""
        return self._first is not None

    @property
    def schema(self) -> Schema:
        """What is known of the columns."""
        if self._known is None:
            if self._first is None:
                raise UnexpectedAnswer("this is no Arrow IPC stream: it has no schema")
            self._known = Schema(self._first)
        return self._known

    def rows(self, message: memoryview) -> list[tuple[Any, ...]]:
        """The rows of a message."""
        return self.schema.batch(message).rows()

    def record_batch(self, message: memoryview) -> pyarrow.RecordBatch:
        """The rows of a message as pyarrow has them."""
        pyarrow = pyarrow_module("batches()")
        if self._pyarrow is None:
            self._pyarrow = pyarrow.ipc.read_schema(pyarrow.py_buffer(self._first))
        return pyarrow.ipc.read_record_batch(pyarrow.ipc.read_message(message), self._pyarrow)


class RowStream:
    """Rows as they come. The service reads on as fast as this is read, so a result of any size takes little memory.

    Iterating gives rows, each once; :meth:`batches` gives blocks of rows of Arrow. One of the two.

    >>> with session.stream_query("SELECT id FROM orders ORDER BY id") as rows:
    ...     next(iter(rows)), next(iter(rows))
    ((1,), (2,))
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._reader = ArrowReader()
        self._messages = self._read(chunks)
        self._ahead: list[memoryview] = []
        # One for all loops: whoever leaves one goes on with the next row.
        self._rows = self._every_row()

    def _read(self, chunks: Iterator[bytes]) -> Iterator[memoryview]:
        # To the end of the answer, where it shows whether the request has completed: the end of the rows says less.
        for chunk in chunks:
            yield from self._reader.feed(chunk)
        self._reader.finish()

    def _all(self) -> Iterator[memoryview]:
        while self._ahead:
            yield self._ahead.pop()
        # Not `yield from`, which would close them together with this.
        for message in self._messages:  # noqa: UP028
            yield message

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is known of each column."""
        if not self._reader.begun:
            self._ahead += [message for message in [next(self._messages, None)] if message is not None]
        return self._reader.schema.columns

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def _every_row(self) -> Iterator[tuple[Any, ...]]:
        for message in self._all():
            yield from self._reader.rows(message)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """The rows as record batches of Arrow (needs pyarrow).

        >>> with session.stream_query("SELECT id FROM orders") as rows:
        ...     sum(batch.num_rows for batch in rows.batches())
        25000
        """
        pyarrow_module("batches()")
        return map(self._reader.record_batch, self._all())
