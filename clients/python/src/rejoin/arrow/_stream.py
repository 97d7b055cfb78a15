"""What the messages of an Arrow IPC stream say: the schema, then batches of rows."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ..errors import UnexpectedAnswer
from ._flatbuffer import Table
from ._messages import HEAD
from ._values import Buffers, ColumnType, column_type

_SCHEMA, _BATCH = 1, 3


@dataclass(frozen=True)
class Column:
    """A column of a result: what is known of it.

    >>> session.query("SELECT town FROM customer WHERE id = 1").columns[0].type
    'text'
    """

    name: str
    type: str
    type_name: str | None
    table: str | None
    column: str | None
    nullable: bool | None
    precision: int | None
    scale: int | None
    auto_increment: bool = False


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        # SQLite keeps any text in a column of numbers.
        return text


def _uuid(text: str) -> uuid.UUID | str:
    try:
        return uuid.UUID(text)
    except ValueError:
        return text


_READERS: dict[str, Callable[[str], Any]] = {"numeric": _number, "decimal": _number, "uuid": _uuid}


def reader_of(column: Column) -> Callable[[str], Any] | None:
    """What makes Python's values of the database's text, where Python has a type that Arrow has not."""
    if column.type != "text" or column.type_name is None:
        return None
    return _READERS.get(column.type_name.partition("(")[0].strip().lower())


class Batch:
    """A block of rows; their values are made when they are asked for."""

    def __init__(self, message: Table, body: memoryview, schema: Schema) -> None:
        self._message = message
        self._body = body
        self._schema = schema

    @property
    def length(self) -> int:
        """How many rows it has."""
        return self._message.number(0, "q")

    def rows(self, count: int | None = None) -> list[tuple[Any, ...]]:
        """The rows, or the first of them."""
        buffers = (self._body[start : start + length] for start, length in self._message.structs(2, "qq"))
        taken = Buffers(self._message.structs(1, "qq"), buffers)
        columns = [taken.column(of_type)[:count] for of_type in self._schema.types]
        for i, read in self._schema.readers:
            columns[i] = [None if value is None else read(value) for value in columns[i]]
        return list(zip(*columns, strict=True)) if columns else [()] * self.length


class Schema:
    """What the first message says: the columns, and how the rows of the others are read."""

    def __init__(self, message: memoryview) -> None:
        described = _table(message)
        if described.number(1, "B") != _SCHEMA:
            raise UnexpectedAnswer("this is no Arrow IPC stream: it does not begin with a schema")
        schema = described.table(2)
        fields = schema.tables(1) if schema is not None else []
        self.types: list[ColumnType] = [column_type(each) for each in fields]
        self.columns = tuple(_column(each, of_type) for each, of_type in zip(fields, self.types, strict=True))
        self.readers = [(i, read) for i, column in enumerate(self.columns) if (read := reader_of(column)) is not None]

    def batch(self, message: memoryview) -> Batch:
        """The rows of a message."""
        described = _table(message)
        batch = described.table(2)
        if described.number(1, "B") != _BATCH or batch is None:
            raise UnexpectedAnswer("the Arrow stream has a message that is no batch of rows")
        if batch.table(3) is not None:
            raise UnexpectedAnswer("the batches of the Arrow stream are compressed, which needs pyarrow to be read")
        (length,) = struct.unpack_from("<i", message, 4)
        return Batch(batch, message[HEAD + length :], self)


def _table(message: memoryview) -> Table:
    return Table.root(message[HEAD:])


def _column(described: Table, of_type: ColumnType) -> Column:
    known = {entry.text(0): entry.text(1) for entry in described.tables(6)}
    nullable = known.get("rejoin.nullable")
    return Column(
        name=described.text(0),
        type=of_type.name,
        type_name=known.get("rejoin.typeName"),
        table=known.get("rejoin.table"),
        column=known.get("rejoin.column"),
        nullable=None if nullable is None else nullable == "true",
        precision=of_type.precision,
        scale=of_type.scale if of_type.precision is not None else None,
        auto_increment=known.get("rejoin.autoIncrement") == "true",
    )
