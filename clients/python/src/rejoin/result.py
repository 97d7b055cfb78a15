"""What a query gives: rows, as Python values, Arrow, or data frames."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .arrow import Batch, Column, read_stream

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["Column", "Result", "RowStream"]

_SHOWN = 20


def pyarrow_module(what: str) -> Any:
    """The package pyarrow, or an error that says how to get it."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise ImportError(f"{what} needs pyarrow: pip install 'rejoin[arrow]'") from error
    return pyarrow


class Result:
    """The rows of a query, as they came: an Arrow IPC stream.

    It is a sequence of rows, each a tuple. NULL is None; decimals are exact, times with a zone are in UTC.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._rows: list[tuple[Any, ...]] | None = None
        self._columns: tuple[Column, ...] | None = None
        self._length: int | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is known of each column."""
        if self._columns is None:
            self._columns, _ = read_stream(io.BytesIO(self._data).read)
        return self._columns

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """All rows."""
        if self._rows is None:
            self._rows = [row for batch in self._batches() for row in batch.rows()]
        return self._rows

    def _batches(self) -> Iterator[Batch]:
        return read_stream(io.BytesIO(self._data).read)[1]

    def _head(self) -> list[tuple[Any, ...]]:
        """The first rows, without making values of all others."""
        rows: list[tuple[Any, ...]] = []
        for batch in self._batches():
            rows += batch.rows(_SHOWN - len(rows))
            if len(rows) >= _SHOWN:
                break
        return rows

    def __len__(self) -> int:
        if self._length is None:
            self._length = sum(batch.length for batch in self._batches())
        return self._length

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.rows[index]

    def dicts(self) -> list[dict[str, Any]]:
        """All rows as dictionaries, by the names of the columns."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def scalar(self) -> Any:
        """The only value of the only row."""
        if len(self.rows) != 1 or len(self.columns) != 1:
            raise ValueError(f"not one value but {len(self.rows)} rows of {len(self.columns)} columns")
        return self.rows[0][0]

    @property
    def nbytes(self) -> int:
        """How many bytes came."""
        return len(self._data)

    def to_arrow(self) -> pyarrow.Table:
        """The rows as an Arrow table, without a copy (needs pyarrow)."""
        pyarrow = pyarrow_module("to_arrow()")
        return pyarrow.ipc.open_stream(pyarrow.py_buffer(self._data)).read_all()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that reads Arrow's C stream interface."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self, **options: Any) -> pandas.DataFrame:
        """The rows as a pandas frame (needs pandas and pyarrow); options are those of `pyarrow.Table.to_pandas`."""
        pyarrow_module("to_pandas()")
        # Not `split_blocks`: its columns would be the bytes of the answer, which can't be written.
        frame: pandas.DataFrame = self.to_arrow().to_pandas(**options)
        return frame

    def to_polars(self) -> polars.DataFrame:
        """The rows as a polars frame (needs polars and pyarrow)."""
        try:
            import polars
        except ImportError as error:
            raise ImportError("to_polars() needs polars: pip install 'rejoin[polars]'") from error
        frame = polars.from_arrow(self.to_arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def __repr__(self) -> str:
        columns = self.columns
        head = [tuple("NULL" if value is None else str(value) for value in row) for row in self._head()]
        names = [column.name for column in columns]
        widths = [max(len(name), *(len(row[i]) for row in head), 0) for i, name in enumerate(names)]

        def line(cells: tuple[str, ...] | list[str]) -> str:
            return "  ".join(cell[:60].ljust(min(width, 60)) for cell, width in zip(cells, widths, strict=True)).rstrip()

        more = [f"… {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        size = f"[{len(self)} rows × {len(columns)} columns]"
        return "\n".join([line(names), *(line(row) for row in head), *more, size])

    def _repr_html_(self) -> str:
        from ._html import table

        caption = f"{len(self)} rows × {len(self.columns)} columns"
        return table([column.name for column in self.columns], self._head(), caption)


class _Reader:
    """Reads so many bytes at a time from chunks of any size."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, count: int = -1) -> bytes:
        pieces, have = [self._rest], len(self._rest)
        while count < 0 or have < count:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            pieces.append(chunk)
            have += len(chunk)
        whole = b"".join(pieces)
        taken = whole if count < 0 else whole[:count]
        self._rest = whole[len(taken) :]
        return taken

    def drain(self) -> None:
        """Reads to the end of the answer, where it shows whether the request has completed: the end of the rows says less."""
        for _ in self._chunks:
            pass

    closed = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


class RowStream:
    """Rows as they come. The service reads on as fast as this is read, so a result of any size takes little memory.

    Iterating gives rows; :meth:`batches` gives blocks of rows of Arrow. One of the two, once.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._reader = _Reader(chunks)
        self._opened: tuple[tuple[Column, ...], Iterator[Batch]] | None = None

    def _open(self) -> tuple[tuple[Column, ...], Iterator[Batch]]:
        if self._opened is None:
            self._opened = read_stream(self._reader.read)
        return self._opened

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is known of each column; not beside :meth:`batches`."""
        return self._open()[0]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for batch in self._open()[1]:
            yield from batch.rows()
        self._reader.drain()

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """The rows as record batches of Arrow (needs pyarrow)."""
        if self._opened is not None:
            raise ValueError("the rows of this stream are already being read")
        pyarrow = pyarrow_module("batches()")
        yield from pyarrow.ipc.open_stream(pyarrow.PythonFile(self._reader, mode="r"))
        self._reader.drain()
