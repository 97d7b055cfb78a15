"""A class for each activity of the service; see `docs/activities.md` there.

Written by generate_activities.py from `rejoin activities --json`: don't edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from .activity import Activity, Bytes, Element, Rows, Stream, Text
from .parameters import Value

__all__ = [
    "CloseCursor",
    "Cursor",
    "Echo",
    "FetchCursor",
    "OpenCursor",
    "SqlParameter",
    "SqlQueryStatement",
    "SqlResultsToArrow",
    "SqlResultsToCSV",
    "SqlStoredProcedure",
    "SqlStoredProcedureSqlParameter",
    "SqlUpdateStatement",
]


@dataclass(eq=False, kw_only=True)
class SqlParameter(Element):
    """`sqlParameter`: the value for the `?` of that position, counted from 1."""

    #: Its content.
    content: str | Stream[Text] | None = field(default=None, metadata={"text": True})
    #: The value for the `?` of that position, counted from 1.
    position: int = field(metadata={"attribute": "position"})
    #: What the text is read as; `binary` is base64; without it `text`.
    type: Literal["text", "integer", "real", "boolean", "binary"] | None = field(default=None, metadata={"attribute": "type"})
    #: The text that stands for NULL; without it none does.
    null_data_str: str | None = field(default=None, metadata={"attribute": "nullDataStr"})


@dataclass(eq=False, kw_only=True)
class SqlQueryStatement(Activity):
    """Runs one SQL statement that only reads, and gives its rows.

    Needs a database.
    """

    ELEMENT: ClassVar[str] = "sqlQueryStatement"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("resultStream", True, False),)
    ORDER: ClassVar[Sequence[str]] = ("sqlParameter", "expression", "resultStream")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: The value for the `?` of that position, counted from 1.
    sql_parameter: Sequence[SqlParameter | Stream[Text] | Value] = field(default=(), metadata={"child": "sqlParameter"})
    #: The statement (up to 1 MiB).
    expression: str | Stream[Text] = field(metadata={"child": "expression"})

    @property
    def result_stream(self) -> Stream[Rows]:
        """Output: rows."""
        return self._output("resultStream")


@dataclass(eq=False, kw_only=True)
class SqlUpdateStatement(Activity):
    """Runs one SQL statement that writes, all or nothing, and gives the number of rows that it changed.

    Needs a database.
    """

    ELEMENT: ClassVar[str] = "sqlUpdateStatement"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("resultStream", False, False),)
    ORDER: ClassVar[Sequence[str]] = ("sqlParameter", "expression", "resultStream")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: The value for the `?` of that position, counted from 1.
    sql_parameter: Sequence[SqlParameter | Stream[Text] | Value] = field(default=(), metadata={"child": "sqlParameter"})
    #: The statement (up to 1 MiB).
    expression: str | Stream[Text] = field(metadata={"child": "expression"})

    @property
    def result_stream(self) -> Stream[Text]:
        """Output: text, `<updateCount>n</updateCount>`."""
        return self._output("resultStream")


@dataclass(eq=False, kw_only=True)
class SqlStoredProcedureSqlParameter(Element):
    """`sqlParameter`: a parameter; one of the mode `out` has no value."""

    #: Its content.
    content: str | Stream[Text] | None = field(default=None, metadata={"text": True})
    #: A parameter; one of the mode `out` has no value.
    position: int = field(metadata={"attribute": "position"})
    #: Which way it goes; without it `in`.
    mode: Literal["in", "out", "inout"] | None = field(default=None, metadata={"attribute": "mode"})
    #: What the text is read as; `binary` is base64; without it `text`.
    type: Literal["text", "integer", "real", "boolean", "binary"] | None = field(default=None, metadata={"attribute": "type"})
    #: The text that stands for NULL; without it none does.
    null_data_str: str | None = field(default=None, metadata={"attribute": "nullDataStr"})


@dataclass(eq=False, kw_only=True)
class SqlStoredProcedure(Activity):
    """Calls a procedure or function that the database stores.

    Needs a database.
    """

    ELEMENT: ClassVar[str] = "sqlStoredProcedure"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("resultStream", True, False), ("outputParameters", False, False))
    ORDER: ClassVar[Sequence[str]] = ("procedure", "sqlParameter", "resultStream", "outputParameters")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    procedure: str = field(metadata={"value": "procedure", "key": "name"})
    #: A parameter; one of the mode `out` has no value.
    sql_parameter: Sequence[SqlStoredProcedureSqlParameter | Stream[Text] | Value] = field(
        default=(), metadata={"child": "sqlParameter"}
    )

    @property
    def result_stream(self) -> Stream[Rows]:
        """Output: rows, those that it gives."""
        return self._output("resultStream")

    @property
    def output_parameters(self) -> Stream[Text]:
        """Output: text, `application/xml`: what it gives back otherwise."""
        return self._output("outputParameters")


@dataclass(eq=False, kw_only=True)
class SqlResultsToCSV(Activity):
    """Writes rows as comma-separated values (RFC 4180)."""

    ELEMENT: ClassVar[str] = "sqlResultsToCSV"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("csvOutput", False, True),)
    ORDER: ClassVar[Sequence[str]] = (
        "resultSet",
        "csvOutput",
        "delimiter",
        "lineBreak",
        "nullDataStr",
        "includeHeader",
        "escapeFields",
    )

    result_set: Stream[Rows] = field(metadata={"child": "resultSet"})
    #: One character between two fields; not a quote or line break.
    delimiter: str | None = field(default=None, metadata={"value": "delimiter", "key": "value"})
    #: What ends a line.
    line_break: Literal["CR", "LF", "CRLF"] | None = field(default=None, metadata={"value": "lineBreak", "key": "value"})
    #: What stands for NULL.
    null_data_str: str | None = field(default=None, metadata={"value": "nullDataStr", "key": "value"})
    #: Whether the names of the columns come first.
    include_header: bool | None = field(default=None, metadata={"value": "includeHeader", "key": "value"})
    #: Whether fields that hold the delimiter, a quote or a line break are quoted, with quotes doubled.
    escape_fields: bool | None = field(default=None, metadata={"value": "escapeFields", "key": "value"})

    @property
    def csv_output(self) -> Stream[Text]:
        """Output: text, `text/csv; charset=utf-8`."""
        return self._output("csvOutput")


@dataclass(eq=False, kw_only=True)
class SqlResultsToArrow(Activity):
    """Writes rows as an Arrow IPC stream."""

    ELEMENT: ClassVar[str] = "sqlResultsToArrow"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("arrowOutput", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("resultSet", "arrowOutput", "compression")

    result_set: Stream[Rows] = field(metadata={"child": "resultSet"})
    #: How the values are compressed.
    compression: Literal["none", "zstd"] | None = field(default=None, metadata={"value": "compression", "key": "value"})

    @property
    def arrow_output(self) -> Stream[Bytes]:
        """Output: bytes, `application/vnd.apache.arrow.stream`."""
        return self._output("arrowOutput")


@dataclass(eq=False, kw_only=True)
class OpenCursor(Activity):
    """Runs a query and keeps its rows open in the session, under the name of the activity, for `fetchCursor`.

    Needs a database.
    """

    ELEMENT: ClassVar[str] = "openCursor"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ("sqlParameter", "expression")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: Whether the cursor can go back and jump, in the databases that can (PostgreSQL); without it `false`.
    scrollable: bool | None = field(default=None, metadata={"attribute": "scrollable"})
    #: The value for the `?` of that position, counted from 1.
    sql_parameter: Sequence[SqlParameter | Stream[Text] | Value] = field(default=(), metadata={"child": "sqlParameter"})
    #: The statement (up to 1 MiB).
    expression: str | Stream[Text] = field(metadata={"child": "expression"})


@dataclass(eq=False, kw_only=True)
class Cursor(Element):
    """`cursor`: a part of an activity."""

    #: The name of the `openCursor`.
    name: str = field(metadata={"attribute": "name"})
    #: How many rows are wanted.
    rows: int = field(metadata={"attribute": "rows"})
    #: Of a scrollable cursor: the number of the first row, from 1.
    absolute: int | None = field(default=None, metadata={"attribute": "absolute"})
    #: Of a scrollable cursor: so many rows from where the next fetch would begin; back, if it is negative.
    relative: int | None = field(default=None, metadata={"attribute": "relative"})


@dataclass(eq=False, kw_only=True)
class FetchCursor(Activity):
    """Gives rows of a cursor that the session has open. Fewer than were asked for: that was the end, and the cursor is closed, unless it is scrollable.

    Needs a database.
    """

    ELEMENT: ClassVar[str] = "fetchCursor"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("resultStream", True, False),)
    ORDER: ClassVar[Sequence[str]] = ("cursor", "resultStream")

    cursor: Cursor = field(metadata={"child": "cursor"})

    @property
    def result_stream(self) -> Stream[Rows]:
        """Output: rows."""
        return self._output("resultStream")


@dataclass(eq=False, kw_only=True)
class CloseCursor(Activity):
    """Closes a cursor and takes it out of the session.

    Needs a database.
    """

    ELEMENT: ClassVar[str] = "closeCursor"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ("cursor",)

    cursor: str = field(metadata={"value": "cursor", "key": "name"})


@dataclass(eq=False, kw_only=True)
class Echo(Activity):
    """Says a text."""

    ELEMENT: ClassVar[str] = "echo"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, False),)
    ORDER: ClassVar[Sequence[str]] = ("text", "output")

    #: What to say.
    text: str = field(metadata={"child": "text"})

    @property
    def output(self) -> Stream[Text]:
        """Output: text."""
        return self._output("output")
