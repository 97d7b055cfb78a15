"""Values of Python as parameters of statements: `sqlParameter` elements, and streams of values for many rows."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from ._xml import element, escape

__all__ = ["NULL", "Batch", "Value", "batches", "given", "parameter", "text_of"]

#: What a parameter may be; None is NULL.
Value = (
    str
    | int
    | float
    | bytes
    | decimal.Decimal
    | datetime.date
    | datetime.time
    | datetime.datetime
    | datetime.timedelta
    | uuid.UUID
    | list[Any]
    | dict[str, Any]
    | None
)

#: What stands for NULL, as long as no value is this text.
NULL = "\\N"

_LARGEST_INTEGER = 2**63 - 1

#: Bounds of a batch, below those that the service sets for a document (10 MiB, 100,000 elements, 1,000 activities).
_BATCH_VALUES = 50_000
_BATCH_BYTES = 4 * 1024 * 1024
_BATCH_RUNS = 400


def text_of(value: Any) -> tuple[str, str | None]:
    """The type of a parameter, as `sqlParameter` names it, and its text; None is NULL.

    Decimals, dates and times travel as text: the database reads them as what they are compared with or stored into, exactly.
    """
    match value:
        case None:
            return "text", None
        case bool():
            return "boolean", "true" if value else "false"
        # Members of enumerations are what they stand for.
        case int():
            return ("integer" if -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER else "text"), str(int(value))
        case float():
            return "real", repr(float(value))
        case str():
            return "text", str.__str__(value)
        case bytes() | bytearray() | memoryview():
            return "binary", base64.b64encode(value).decode("ascii")
        case decimal.Decimal():
            return "text", format(value, "f") if value.is_finite() else str(value)
        case datetime.datetime():
            # What pandas has for a missing one is a datetime, too.
            return "text", value.isoformat(sep=" ") if value == value else None  # noqa: PLR0124
        case datetime.date() | datetime.time():
            return "text", value.isoformat()
        case datetime.timedelta():
            return (
                "text",
                f"P{value.days}DT{decimal.Decimal(value.seconds) + decimal.Decimal(value.microseconds).scaleb(-6):f}S",
            )
        case uuid.UUID():
            return "text", str(value)
        case dict():
            return "text", json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return "text", array_of(value)
    if type(value).__name__ == "NAType":
        # What pandas has for a missing value.
        return "text", None
    if getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None)):
        return text_of(_scalar(value))
    raise TypeError(
        f"a parameter can't be of the type {type(value).__name__}: pass None, bool, int, float, Decimal, str, bytes, a date, "
        "a time, a datetime, a timedelta, a UUID, a list (for an array) or a dict (for JSON)"
    )


def _scalar(value: Any) -> Any:
    """The Python value of one of numpy; its times of nanoseconds would be numbers."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return value.astype(f"{kind}8[us]").item() if kind in ("M", "m") else value.item()


def array_of(values: Sequence[Any]) -> str:
    """Values in the form of PostgreSQL's arrays."""
    return "{" + ",".join(map(_array_item, values)) + "}"


def _array_item(value: Any) -> str:
    if isinstance(value, list | tuple):
        return array_of(value)
    if isinstance(value, bytes | bytearray | memoryview):
        text: str | None = f"\\x{bytes(value).hex()}"
    else:
        _, text = text_of(value)
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def row_of(values: Any) -> Sequence[Any]:
    """One row of parameters, if it is one: a text is a sequence, too, and a dictionary has no order that a `?` could follow."""
    if isinstance(values, str | bytes | bytearray | Mapping | Set) or not isinstance(values, Iterable):
        raise TypeError(f"parameters are a sequence, one value for each ?, and not {type(values).__name__}")
    return values if isinstance(values, Sequence) else list(values)


def given(values: Sequence[Any]) -> str:
    """The `sqlParameter` elements of one row of values."""
    return "".join(parameter(position, value) for position, value in enumerate(row_of(values), 1))


def parameter(position: int, value: Any) -> str:
    """The `sqlParameter` element of one value."""
    kind, text = text_of(value)
    if text is None:
        return element("sqlParameter", {"position": str(position), "nullDataStr": NULL}, escape(NULL))
    named = None if kind == "text" else kind
    return element("sqlParameter", {"position": str(position), "type": named}, escape(text))


class Batch:
    """As many rows of parameters as go into one document: runs of rows whose values have the same types."""

    def __init__(self) -> None:
        self.runs: list[tuple[list[str], list[list[str | None]]]] = []
        self.values = 0
        self.bytes = 0

    @property
    def full(self) -> bool:
        """Whether the next row should begin a new batch."""
        return self.values >= _BATCH_VALUES or self.bytes >= _BATCH_BYTES or len(self.runs) >= _BATCH_RUNS

    @property
    def outputs(self) -> list[str]:
        """The end-points that say how many rows were changed."""
        return [f"changed{index}" for index in range(1, len(self.runs) + 1)]

    def add(self, row: Sequence[Any]) -> None:
        """Takes a row."""
        kinds, texts = [], []
        for value in row_of(row):
            kind, text = text_of(value)
            kinds.append("" if text is None else kind)
            texts.append(text)
            self.bytes += 0 if text is None else len(text)
        self.values += len(texts)
        if self.runs and (kinds or self.runs[-1][0]):
            merged = _merge(self.runs[-1][0], kinds)
            if merged is not None:
                self.runs[-1] = (merged, self.runs[-1][1])
                self.runs[-1][1].append(texts)
                return
        self.runs.append((kinds, [texts]))

    def write(self, sql: str, resource: str | None) -> str:
        """The activities that run the statement once for each row, one after the other."""
        expression = element("expression", {}, escape(sql))
        written = []
        for index, ((kinds, rows), output) in enumerate(zip(self.runs, self.outputs, strict=True), 1):
            texts = [text for row in rows for text in row]
            null = f"null-{uuid.uuid4()}" if NULL in texts else NULL
            items = "".join(f"<item>{escape(null if text is None else text)}</item>" for text in texts)
            stream = f"values{index}"
            parameters = "".join(
                element(
                    "sqlParameter",
                    {
                        "position": str(position),
                        "from": stream,
                        "type": None if kind in ("", "text") else kind,
                        "nullDataStr": null,
                    },
                )
                for position, kind in enumerate(kinds, 1)
            )
            # A row without values stands alone: nothing in it could be repeated.
            store = f'<dataStore name="store{index}">{items}<itemCursor name="{stream}"/></dataStore>' if kinds else ""
            update = element(
                "sqlUpdateStatement",
                {"name": f"update{index}", "resource": resource},
                f'{parameters}{expression}<resultStream name="{output}"/>',
            )
            written.append(f"<flow>{store}\n{update}</flow>")
        lines = "\n".join(written)
        return f"<sequence>\n{lines}\n</sequence>" if len(written) > 1 else lines


def _merge(run: list[str], row: list[str]) -> list[str] | None:
    """The types of a run that takes in a row, or None if it can't: a value would mean something else. `""` is NULL alone."""
    if len(run) != len(row):
        raise ValueError(f"rows of parameters differ in length: {len(run)} and {len(row)}")
    merged = []
    for one, other in zip(run, row, strict=True):
        if one == other or not other:
            merged.append(one)
        elif not one:
            merged.append(other)
        else:
            return None
    return merged


def batches(rows: Iterator[Sequence[Any]]) -> Iterator[Batch]:
    """The rows in as many documents as they need."""
    batch = Batch()
    for row in rows:
        batch.add(row)
        if batch.full:
            yield batch
            batch = Batch()
    if batch.runs:
        yield batch
