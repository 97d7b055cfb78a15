"""Type objects and constructors of PEP 249."""

from __future__ import annotations

import datetime
import time

from ..arrow import Column, reader_of


class TypeObject:
    """Compares equal to the type codes of its columns, which are the names of the service's types."""

    def __init__(self, name: str, *codes: str) -> None:
        self._name = name
        self._codes = frozenset(codes)

    def __eq__(self, other: object) -> bool:
        return other in self._codes if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return self._name


_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))

STRING = TypeObject("STRING", "text")
BINARY = TypeObject("BINARY", "binary")
NUMBER = TypeObject("NUMBER", *_INTEGERS, "float32", "float64", "decimal", "boolean")
DATETIME = TypeObject("DATETIME", "date", "time", "timestamp", "timestamptz", "interval")
#: Ids of rows are integers, which are numbers.
ROWID = TypeObject("ROWID")

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:  # noqa: N802 (the names are PEP 249's)
    """The date of a time in seconds since 1970, as the machine's clock shows it.

    >>> DateFromTicks(86_400 * 365).year
    1971
    """
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:  # noqa: N802
    """The time of day of a time in seconds since 1970.

    >>> TimeFromTicks(0.0).second
    0
    """
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:  # noqa: N802
    """The time stamp of a time in seconds since 1970.

    >>> TimestampFromTicks(86_400 * 365).year
    1971
    """
    return Timestamp(*time.localtime(ticks)[:6])


Description = tuple[str, str, None, None, int | None, int | None, bool | None]


def describe(column: Column) -> Description:
    """A column as PEP 249 has it: name, type code, display and internal size, precision, scale, whether it takes NULL."""
    code = column.type.partition("(")[0]
    if reader_of(column) is not None and column.type_name != "uuid":
        # Numbers that travel as text.
        code = "decimal"
    return (column.name, code, None, None, column.precision, column.scale, column.nullable)
