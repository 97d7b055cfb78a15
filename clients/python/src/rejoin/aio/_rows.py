"""Rows as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from ..result import pyarrow_module

if TYPE_CHECKING:
    import pyarrow


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
        from ..arrow import body_length

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
