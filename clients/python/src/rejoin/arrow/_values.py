"""Turns the buffers of one column into values of Python, by its type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from ..errors import UnexpectedAnswer
from ._flatbuffer import Table

# The numbers of the union `Type` in Arrow's schema.
_INT, _FLOAT, _BINARY, _UTF8, _BOOL, _DECIMAL, _DATE, _TIME, _TIMESTAMP, _INTERVAL, _LIST = (
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)

_EPOCH = datetime(1970, 1, 1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class ColumnType:
    """The type of a column: its name as the service says it, and how its values are read."""

    name: str
    kind: int
    width: int = 0
    letter: str = ""
    scale: int = 0
    zone: bool = False
    element: ColumnType | None = field(default=None)
    precision: int | None = None


def column_type(described: Table) -> ColumnType:
    """Reads the type of a `Field` of the schema."""
    kind = described.number(2, "B")
    details = described.table(3)
    if details is None:
        raise UnexpectedAnswer("a column of the Arrow stream has no type")
    if kind == _INT:
        bits, signed = details.number(0, "i"), details.flag(1)
        letter = {8: "b", 16: "h", 32: "i", 64: "q"}[bits]
        return ColumnType(f"{'' if signed else 'u'}int{bits}", kind, bits // 8, letter if signed else letter.upper())
    if kind == _FLOAT:
        single = details.number(0, "h") == 1
        return ColumnType("float32" if single else "float64", kind, 4 if single else 8, "f" if single else "d")
    if kind == _DECIMAL:
        precision, scale, bits = details.number(0, "i"), details.number(1, "i"), details.number(2, "i", 128)
        return ColumnType(f"decimal({precision},{scale})", kind, bits // 8, scale=scale, precision=precision)
    if kind == _TIMESTAMP:
        zone = details.text(1) != ""
        return ColumnType("timestamptz" if zone else "timestamp", kind, 8, "q", zone=zone)
    if kind == _LIST:
        element = column_type(described.tables(5)[0])
        return ColumnType(f"{element.name}[]", kind, element=element)
    simple = {
        _BINARY: ColumnType("binary", kind),
        _UTF8: ColumnType("text", kind),
        _BOOL: ColumnType("boolean", kind),
        _DATE: ColumnType("date", kind, 4, "i"),
        _TIME: ColumnType("time", kind, 8, "q"),
        _INTERVAL: ColumnType("interval", kind, 16),
    }
    if kind not in simple:
        raise UnexpectedAnswer(f"the Arrow stream has a column of the type {kind}, which this reader does not know")
    return simple[kind]


class Buffers:
    """The nodes and buffers of a record batch, in the order in which columns take them."""

    def __init__(self, nodes: Iterable[tuple[int, ...]], buffers: Iterable[memoryview]) -> None:
        self._nodes = iter(nodes)
        self._buffers = iter(buffers)

    def column(self, of_type: ColumnType) -> list[Any]:
        """The values of the next column; NULL is None."""
        length, nulls = next(self._nodes)
        valid = next(self._buffers)
        values = self._values(of_type, length)
        if nulls and len(valid) > 0:
            return [value if valid[i >> 3] >> (i & 7) & 1 else None for i, value in enumerate(values)]
        return values

    def _values(self, of_type: ColumnType, length: int) -> list[Any]:
        kind = of_type.kind
        if kind in (_UTF8, _BINARY):
            offsets, data = self._offsets(length), next(self._buffers)
            if kind == _BINARY:
                return [bytes(data[start:end]) for start, end in pairwise(offsets)]
            whole = bytes(data)
            return [whole[start:end].decode("utf-8") for start, end in pairwise(offsets)]
        if kind == _LIST:
            offsets = self._offsets(length)
            items = self.column(of_type.element) if of_type.element is not None else []
            return [items[start:end] for start, end in pairwise(offsets)]
        data = next(self._buffers)
        if kind == _BOOL:
            return [bool(data[i >> 3] >> (i & 7) & 1) for i in range(length)]
        if kind == _DECIMAL:
            width, scale = of_type.width, of_type.scale
            whole = bytes(data[: length * width])
            starts = range(0, length * width, width)
            return [_decimal(int.from_bytes(whole[at : at + width], "little", signed=True), scale) for at in starts]
        if kind == _INTERVAL:
            return [_interval(*parts) for parts in struct.iter_unpack("<iiq", data[: length * 16])]
        numbers = list(struct.unpack_from(f"<{length}{of_type.letter}", data)) if length else []
        return list(map(_reader(of_type), numbers)) if kind in (_DATE, _TIME, _TIMESTAMP) else numbers

    def _offsets(self, length: int) -> tuple[int, ...]:
        data = next(self._buffers)
        return struct.unpack_from(f"<{length + 1}i", data) if len(data) else (0,) * (length + 1)


def _decimal(unscaled: int, scale: int) -> Decimal:
    digits = tuple(map(int, str(abs(unscaled))))
    return Decimal((int(unscaled < 0), digits, -scale))


def _reader(of_type: ColumnType) -> Callable[[int], Any]:
    if of_type.kind == _DATE:
        return _date
    if of_type.kind == _TIME:
        return _time
    return _moment if of_type.zone else _timestamp


def _date(days: int) -> date | str:
    ordinal = days + _EPOCH_DAY
    # Python's calendar has the years 1 to 9999 alone.
    return date.fromordinal(ordinal) if 1 <= ordinal <= date.max.toordinal() else f"{days:+d} days since 1970-01-01"


def _time(micros: int) -> time | str:
    if micros >= 86_400_000_000:
        return "24:00:00"
    seconds, micro = divmod(micros, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micro)


def _timestamp(micros: int) -> datetime | str:
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return f"{micros:+d} microseconds since 1970-01-01"


def _moment(micros: int) -> datetime | str:
    moment = _timestamp(micros)
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else moment


def _interval(months: int, days: int, nanos: int) -> timedelta | str:
    if months == 0:
        return timedelta(days=days, microseconds=nanos // 1000)
    # A month has no fixed length: the form of ISO 8601 keeps what was meant.
    seconds = Decimal(nanos).scaleb(-9)
    clock = f"T{seconds.normalize():f}S" if nanos else ""
    return f"P{months}M{days}D{clock}"
