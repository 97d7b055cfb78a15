"""The messages of an Arrow IPC stream: the schema, then batches of rows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ._flatbuffer import Table
from ._values import Buffers, ColumnType, column_type

_SCHEMA, _BATCH = 1, 3


@dataclass(frozen=True)
class Column:
    """A column of a result: what is known of it."""

    name: str
    type: str
    type_name: str | None
    table: str | None
    column: str | None
    nullable: bool | None
    precision: int | None
    scale: int | None
    auto_increment: bool = False


class Batch:
    """A block of rows; their values are made when they are asked for."""

    def __init__(self, message: Table, body: memoryview, types: list[ColumnType]) -> None:
        self._message = message
        self._body = body
        self._types = types

    @property
    def length(self) -> int:
        """How many rows it has."""
        return self._message.number(0, "q")

    def rows(self, count: int | None = None) -> list[tuple[Any, ...]]:
        """The rows, or the first of them."""
        buffers = (self._body[start : start + length] for start, length in self._message.structs(2, "qq"))
        taken = Buffers(self._message.structs(1, "qq"), buffers)
        columns = [taken.column(of_type)[:count] for of_type in self._types]
        return list(zip(*columns, strict=True)) if columns else [()] * self.length


def read_stream(read: Callable[[int], bytes]) -> tuple[tuple[Column, ...], Iterator[Batch]]:
    """Reads a stream by `read(count)`, which gives so many bytes, fewer at the end: the columns, and the batches of rows."""
    schema = _message(read)
    if schema is None or schema.number(1, "B") != _SCHEMA:
        raise ValueError("this is no Arrow IPC stream: it does not begin with a schema")
    described = schema.table(2)
    fields = described.tables(1) if described is not None else []
    types = [column_type(each) for each in fields]
    columns = tuple(_column(each, of_type) for each, of_type in zip(fields, types, strict=True))
    return columns, _batches(read, types)


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


def body_length(head: bytes) -> int:
    """How many bytes follow the head of a message."""
    return Table.root(memoryview(head)).number(3, "q")


def _message(read: Callable[[int], bytes]) -> Table | None:
    """The head of the next message; None at the end."""
    head = read(8)
    if len(head) < 8:
        return None
    mark, length = struct.unpack("<Ii", head)
    if mark != 0xFFFFFFFF:
        raise ValueError("the Arrow stream is broken: a message does not begin with its mark")
    return Table.root(memoryview(read(length))) if length else None


def _batches(read: Callable[[int], bytes], types: list[ColumnType]) -> Iterator[Batch]:
    while (message := _message(read)) is not None:
        body = memoryview(read(message.number(3, "q")))
        batch = message.table(2)
        if message.number(1, "B") != _BATCH or batch is None:
            raise ValueError("the Arrow stream has a message that is no batch of rows")
        if batch.table(3) is not None:
            raise ValueError("the batches of the Arrow stream are compressed, which needs pyarrow to be read")
        yield Batch(batch, body, types)
