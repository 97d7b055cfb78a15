"""What a query gives: rows, as Python values, Arrow, or data frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from .arrow import Batch, Column, Schema, messages, reader_of
from .errors import UnexpectedAnswer

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["Column", "Result"]

#: How many rows are shown, and how much of a value.
_SHOWN = 20
_WIDEST = 60

#: Pandas' own types of integers that may be missing.
_NULLABLE: dict[str, Any] = {"int64": "Int64", "uint64": "UInt64"}

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def pyarrow_module(what: str) -> Any:
    """The package pyarrow, or an error that says how to get it."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise ImportError(f"{what} needs pyarrow: pip install 'rejoin[arrow]'") from error
    return pyarrow


class Result(Sequence[tuple[Any, ...]]):
    """The rows of a query, as they came: an Arrow IPC stream.

    It is a sequence of rows, each a tuple. NULL is None; decimals are exact, times with a zone are in UTC.

    >>> result = session.query("SELECT id, town FROM customer WHERE town = 'Wick' ORDER BY id LIMIT 2")
    >>> result
    id  town
    8   Wick
    14  Wick
    [2 rows × 2 columns]
    >>> len(result), result[0][1], [column.name for column in result.columns]
    (2, 'Wick', ['id', 'town'])
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._messages = list(messages(data))
        if not self._messages:
            raise UnexpectedAnswer("this is no Arrow IPC stream: it has no schema")
        self._schema = Schema(self._messages[0])
        self._rows: list[tuple[Any, ...]] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is known of each column."""
        return self._schema.columns

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """All rows."""
        if self._rows is None:
            self._rows = [row for batch in self._batches() for row in batch.rows()]
        return self._rows

    def _batches(self) -> Iterator[Batch]:
        return map(self._schema.batch, self._messages[1:])

    def _head(self) -> list[tuple[Any, ...]]:
        """The first rows, without making values of all others."""
        rows: list[tuple[Any, ...]] = []
        for batch in self._batches():
            rows += batch.rows(_SHOWN - len(rows))
            if len(rows) >= _SHOWN:
                break
        return rows

    def __len__(self) -> int:
        return sum(batch.length for batch in self._batches())

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> tuple[Any, ...]: ...

    @overload
    def __getitem__(self, index: slice) -> list[tuple[Any, ...]]: ...

    def __getitem__(self, index: int | slice) -> tuple[Any, ...] | list[tuple[Any, ...]]:
        return self.rows[index]

    def _without_rows(self) -> Result:
        """The columns alone."""
        return Result(bytes(self._messages[0]) + _END_OF_STREAM)

    def dicts(self) -> list[dict[str, Any]]:
        """All rows as dictionaries, by the names of the columns, which have to differ.

        >>> session.query("SELECT 1 AS one, 'x' AS other").dicts()
        [{'one': 1, 'other': 'x'}]
        """
        names = [column.name for column in self.columns]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"more than one column has the name {twice[0]!r}: give them names in the query (AS …), or take rows")
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def scalar(self) -> Any:
        """The only value of the only row.

        >>> session.query("SELECT count(*) FROM orders").scalar()
        25000
        """
        if len(self) != 1 or len(self.columns) != 1:
            raise ValueError(f"not one value but {len(self)} rows of {len(self.columns)} columns")
        return self.rows[0][0]

    @property
    def nbytes(self) -> int:
        """How many bytes came."""
        return len(self._data)

    def to_arrow(self) -> pyarrow.Table:
        """The rows as an Arrow table, without a copy (needs pyarrow).

        >>> session.query("SELECT id FROM orders").to_arrow().num_rows
        25000
        """
        pyarrow = pyarrow_module("to_arrow()")
        return pyarrow.ipc.open_stream(pyarrow.py_buffer(self._data)).read_all()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that reads Arrow's C stream interface."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self, **options: Any) -> pandas.DataFrame:
        """The rows as a pandas frame (needs pandas and pyarrow); options are those of `pyarrow.Table.to_pandas`.

        Integers beside NULL become floats, as ever in pandas, but not where they would be rounded: then the type is `Int64`.
        Decimals are objects.

        >>> session.query("SELECT id, item FROM orders").to_pandas().shape
        (25000, 2)
        """
        pyarrow_module("to_pandas()")
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install 'rejoin[pandas]'") from error
        table = self.to_arrow()
        # Not `split_blocks`: its columns would be the bytes of the answer, which can't be written.
        frame: pandas.DataFrame = table.to_pandas(**options)
        if not options:
            for i, column in enumerate(self.columns):
                read = reader_of(column)
                if read is not None and column.type_name != "uuid":
                    values = [None if value is None else read(value) for value in table.column(i).to_pylist()]
                    frame.isetitem(i, pandas.array(values, dtype=object))
                elif column.type in _NULLABLE and _would_be_rounded(table.column(i)):
                    frame.isetitem(i, pandas.array(table.column(i).to_pylist(), dtype=_NULLABLE[column.type]))
        return frame

    def to_polars(self) -> polars.DataFrame:
        """The rows as a polars frame (needs polars and pyarrow); names of columns have to differ.

        >>> session.query("SELECT id, item FROM orders").to_polars().shape
        (25000, 2)
        """
        pyarrow_module("to_polars()")
        try:
            import polars
        except ImportError as error:
            raise ImportError("to_polars() needs polars: pip install 'rejoin[polars]'") from error
        frame = polars.from_arrow(self.to_arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def __repr__(self) -> str:
        from ._html import plain

        names = [_cut(plain(column.name)) for column in self.columns]
        head = [["NULL" if value is None else _cut(plain(value)) for value in row] for row in self._head()]
        widths = [max(map(len, cells)) for cells in zip(names, *head, strict=True)]

        def line(cells: list[str]) -> str:
            return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

        more = [f"… {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        return "\n".join([line(names), *map(line, head), *more, f"[{self._size()}]"])

    def _size(self) -> str:
        return f"{len(self)} rows × {len(self.columns)} columns"

    def _repr_html_(self) -> str:
        from ._html import table

        more = f", {_SHOWN} of which are shown" if len(self) > _SHOWN else ""
        return table([column.name for column in self.columns], self._head(), self._size() + more)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _would_be_rounded(column: pyarrow.ChunkedArray) -> bool:
    """Whether there is NULL in a column of integers, and one that floats don't have."""
    if column.null_count in (0, len(column)):
        return False
    import pyarrow.compute

    bounds = pyarrow.compute.min_max(column).as_py()
    rounded: bool = max(abs(bounds["min"]), abs(bounds["max"])) > 2**53
    return rounded
