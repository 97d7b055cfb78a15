"""A class for each activity of the service; see `docs/activities.md` there.

Written by generate_activities.py from `rejoin activities --json`: don't edit.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from xml.etree import ElementTree

from .activity import Activity, Bytes, Element, Rows, Stream, Text
from .parameters import Value

__all__ = [
    "ArrowToRows",
    "Authenticate",
    "Begin",
    "BlockAggregator",
    "Cancel",
    "CleanUp",
    "CloseCursor",
    "Column",
    "Create",
    "CreateTable",
    "CsvToRows",
    "Cursor",
    "DataStore",
    "DatabaseSchemaToXML",
    "DeliverFromSession",
    "DeliverToSession",
    "DropTable",
    "Echo",
    "ExtractDatabaseSchema",
    "ExtractPhysicalSchema",
    "Fetch",
    "FetchCursor",
    "HttpIngest",
    "HttpJob",
    "IncrementAttribute",
    "InputStream",
    "LoadIntoTable",
    "OpenCursor",
    "OutputStream",
    "ParquetToRows",
    "Poll",
    "Property",
    "Refuse",
    "RelationalResourceManagement",
    "RelationalResourceManagementColumn",
    "RequestInformation",
    "ResultsetProjection",
    "SessionAttributeManagement",
    "SessionState",
    "SetAttribute",
    "Sleep",
    "SqlBulkLoadRowSet",
    "SqlParameter",
    "SqlQueryStatement",
    "SqlResultsToArrow",
    "SqlResultsToCSV",
    "SqlResultsToJSON",
    "SqlResultsToParquet",
    "SqlResultsToXML",
    "SqlStoredProcedure",
    "SqlStoredProcedureSqlParameter",
    "SqlUpdateStatement",
    "StringTokenizer",
    "ToSession",
    "TransactionManagement",
    "Variable",
    "WebRowSetToRows",
]


@dataclass(eq=False, kw_only=True)
class SqlParameter(Element):
    """`sqlParameter`: the value for the `?` of that position, counted from 1.

    >>> part = SqlParameter(position=1)
    """

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

    >>> step = SqlQueryStatement(expression="SELECT 1")
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

    >>> step = SqlUpdateStatement(expression="UPDATE customer SET credit = 0 WHERE id = 42")
    """

    ELEMENT: ClassVar[str] = "sqlUpdateStatement"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("resultStream", False, False), ("returnedRows", True, False))
    ORDER: ClassVar[Sequence[str]] = ("sqlParameter", "expression", "resultStream", "returnedRows")

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

    @property
    def returned_rows(self) -> Stream[Rows]:
        """Output: rows, those that it gives itself, by `RETURNING`."""
        return self._output("returnedRows")


@dataclass(eq=False, kw_only=True)
class SqlStoredProcedureSqlParameter(Element):
    """`sqlParameter`: a parameter; one of the mode `out` has no value.

    >>> part = SqlStoredProcedureSqlParameter(position=1)
    """

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

    >>> step = SqlStoredProcedure(procedure="name")
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
class LoadIntoTable(Element):
    """`loadIntoTable`: a part of an activity.

    >>> part = LoadIntoTable(table_name="tableName")
    """

    #: The table, as `name` or `schema.name`; without it a new table, named after the first column.
    table_name: str = field(metadata={"attribute": "tableName"})
    #: Whether all rows are loaded or none; without it `true`.
    transactionally: bool | None = field(default=None, metadata={"attribute": "transactionally"})
    #: Whether the table is made first; one that is there is an error then; without it `false`.
    create: bool | None = field(default=None, metadata={"attribute": "create"})


@dataclass(eq=False, kw_only=True)
class SqlBulkLoadRowSet(Activity):
    """Loads a stream of rows into a table, by the fastest way that the database has, and gives their number.

    Needs a database.

    >>> step = SqlBulkLoadRowSet(web_row_set_stream=Echo(text="hello").output)
    """

    ELEMENT: ClassVar[str] = "sqlBulkLoadRowSet"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("resultStream", False, False),)
    ORDER: ClassVar[Sequence[str]] = ("webRowSetStream", "rows", "loadIntoTable", "resultStream")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: A WebRowSet.
    web_row_set_stream: Stream[Text] | None = field(
        default=None, metadata={"child": "webRowSetStream", "choice": 1, "optional": False}
    )
    #: From a query, a session, `csvToRows`, `arrowToRows`, `parquetToRows`.
    rows: Stream[Rows] | None = field(default=None, metadata={"child": "rows", "choice": 1, "optional": False})
    load_into_table: LoadIntoTable | None = field(default=None, metadata={"child": "loadIntoTable"})

    @property
    def result_stream(self) -> Stream[Text]:
        """Output: text, `<updateCount>n</updateCount>`."""
        return self._output("resultStream")


@dataclass(eq=False, kw_only=True)
class ResultsetProjection(Activity):
    """Gives the values of one column as text, each a block of its own. A NULL has no text and is left out.

    >>> step = ResultsetProjection(resultset_input=SqlQueryStatement(expression="SELECT 1").result_stream, attribute_name="attributeName")
    """

    ELEMENT: ClassVar[str] = "resultsetProjection"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("attributeValuesOutput", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("resultsetInput", "attributeName", "attributeIndex", "attributeValuesOutput")

    resultset_input: Stream[Rows] = field(metadata={"child": "resultsetInput"})
    #: The column by its name.
    attribute_name: str | None = field(default=None, metadata={"child": "attributeName", "choice": 1, "optional": False})
    #: The column by its number, from 1.
    attribute_index: int | None = field(default=None, metadata={"child": "attributeIndex", "choice": 1, "optional": False})

    @property
    def attribute_values_output(self) -> Stream[Text]:
        """Output: text, a block for each value."""
        return self._output("attributeValuesOutput")


@dataclass(eq=False, kw_only=True)
class SqlResultsToCSV(Activity):
    """Writes rows as comma-separated values (RFC 4180).

    >>> step = SqlResultsToCSV(result_set=SqlQueryStatement(expression="SELECT 1").result_stream)
    """

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
class SqlResultsToXML(Activity):
    """Writes rows as a WebRowSet, the XML that Java's `javax.sql.rowset` reads.

    >>> step = SqlResultsToXML(result_set=SqlQueryStatement(expression="SELECT 1").result_stream)
    """

    ELEMENT: ClassVar[str] = "sqlResultsToXML"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("webRowSet", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("resultSet", "webRowSet", "temporalColumns")

    result_set: Stream[Rows] = field(metadata={"child": "resultSet"})
    #: How dates, times and time stamps are written.
    temporal_columns: Literal["text", "milliseconds"] | None = field(
        default=None, metadata={"value": "temporalColumns", "key": "value"}
    )

    @property
    def web_row_set(self) -> Stream[Text]:
        """Output: text, `application/xml`."""
        return self._output("webRowSet")


@dataclass(eq=False, kw_only=True)
class SqlResultsToJSON(Activity):
    """Writes rows as JSON objects, with the names of the columns as keys in their order.

    >>> step = SqlResultsToJSON(result_set=SqlQueryStatement(expression="SELECT 1").result_stream)
    """

    ELEMENT: ClassVar[str] = "sqlResultsToJSON"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("jsonOutput", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("resultSet", "jsonOutput", "format")

    result_set: Stream[Rows] = field(metadata={"child": "resultSet"})
    #: Whether the objects stand in one array, or each on a line of its own.
    format: Literal["array", "lines"] | None = field(default=None, metadata={"value": "format", "key": "value"})

    @property
    def json_output(self) -> Stream[Text]:
        """Output: text, `application/json` or `application/x-ndjson`."""
        return self._output("jsonOutput")


@dataclass(eq=False, kw_only=True)
class SqlResultsToArrow(Activity):
    """Writes rows as an Arrow IPC stream.

    >>> step = SqlResultsToArrow(result_set=SqlQueryStatement(expression="SELECT 1").result_stream)
    """

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
class SqlResultsToParquet(Activity):
    """Writes rows as a Parquet file.

    >>> step = SqlResultsToParquet(result_set=SqlQueryStatement(expression="SELECT 1").result_stream)
    """

    ELEMENT: ClassVar[str] = "sqlResultsToParquet"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("parquetOutput", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("resultSet", "parquetOutput", "compression")

    result_set: Stream[Rows] = field(metadata={"child": "resultSet"})
    #: How the values are compressed.
    compression: Literal["snappy", "zstd", "none"] | None = field(default=None, metadata={"value": "compression", "key": "value"})

    @property
    def parquet_output(self) -> Stream[Bytes]:
        """Output: bytes, `application/vnd.apache.parquet`."""
        return self._output("parquetOutput")


@dataclass(eq=False, kw_only=True)
class WebRowSetToRows(Activity):
    """Reads rows from a WebRowSet, ours or Java's.

    >>> step = WebRowSetToRows(web_row_set_input=Echo(text="hello").output)
    """

    ELEMENT: ClassVar[str] = "webRowSetToRows"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("rows", True, True),)
    ORDER: ClassVar[Sequence[str]] = ("webRowSetInput", "rows")

    web_row_set_input: Stream[Text] = field(metadata={"child": "webRowSetInput"})

    @property
    def rows(self) -> Stream[Rows]:
        """Output: rows."""
        return self._output("rows")


@dataclass(eq=False, kw_only=True)
class Column(Element):
    """`column`: the type of a column, such as `int64`, `decimal(10,2)` or `date`.

    >>> part = Column(name="name")
    """

    #: The type of a column, such as `int64`, `decimal(10,2)` or `date`.
    name: str = field(metadata={"attribute": "name"})
    #: The type of a column, such as `int64`, `decimal(10,2)` or `date`; without it `text`.
    type: str | None = field(default=None, metadata={"attribute": "type"})


@dataclass(eq=False, kw_only=True)
class CsvToRows(Activity):
    """Reads rows from comma-separated values: the other way round from `sqlResultsToCSV`.

    >>> step = CsvToRows(csv_input=Echo(text="hello").output)
    """

    ELEMENT: ClassVar[str] = "csvToRows"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("rows", True, True),)
    ORDER: ClassVar[Sequence[str]] = (
        "csvInput",
        "rows",
        "delimiter",
        "nullDataStr",
        "includeHeader",
        "escapeFields",
        "inferTypes",
        "column",
    )

    csv_input: Stream[Text] = field(metadata={"child": "csvInput"})
    #: One character between two fields; not a quote or line break.
    delimiter: str | None = field(default=None, metadata={"value": "delimiter", "key": "value"})
    #: What stands for NULL, unless it is in quotes.
    null_data_str: str | None = field(default=None, metadata={"value": "nullDataStr", "key": "value"})
    #: Whether the first record has the names of the columns.
    include_header: bool | None = field(default=None, metadata={"value": "includeHeader", "key": "value"})
    #: Whether fields may be in quotes, with quotes doubled.
    escape_fields: bool | None = field(default=None, metadata={"value": "escapeFields", "key": "value"})
    #: Whether types are guessed from the first 1,024 rows.
    infer_types: bool | None = field(default=None, metadata={"value": "inferTypes", "key": "value", "choice": 1, "optional": True})
    #: The type of a column, such as `int64`, `decimal(10,2)` or `date`.
    column: Sequence[Column] = field(default=(), metadata={"child": "column", "choice": 1, "optional": True})

    @property
    def rows(self) -> Stream[Rows]:
        """Output: rows."""
        return self._output("rows")


@dataclass(eq=False, kw_only=True)
class ArrowToRows(Activity):
    """Reads rows from an Arrow IPC stream.

    >>> step = ArrowToRows(arrow_input=InputStream().to_local)
    """

    ELEMENT: ClassVar[str] = "arrowToRows"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("rows", True, True),)
    ORDER: ClassVar[Sequence[str]] = ("arrowInput", "rows")

    arrow_input: Stream[Bytes] = field(metadata={"child": "arrowInput"})

    @property
    def rows(self) -> Stream[Rows]:
        """Output: rows."""
        return self._output("rows")


@dataclass(eq=False, kw_only=True)
class ParquetToRows(Activity):
    """Reads rows from a Parquet file.

    >>> step = ParquetToRows(parquet_input=InputStream().to_local)
    """

    ELEMENT: ClassVar[str] = "parquetToRows"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("rows", True, True),)
    ORDER: ClassVar[Sequence[str]] = ("parquetInput", "rows")

    parquet_input: Stream[Bytes] = field(metadata={"child": "parquetInput"})

    @property
    def rows(self) -> Stream[Rows]:
        """Output: rows."""
        return self._output("rows")


@dataclass(eq=False, kw_only=True)
class Begin(Element):
    """`begin`: begins one.

    >>> part = Begin()
    """

    #: At least this; without it, what the database does by itself.
    isolation: Literal["readUncommitted", "readCommitted", "repeatableRead", "serializable"] | None = field(
        default=None, metadata={"attribute": "isolation"}
    )
    #: Whether updates are refused; without it `false`.
    read_only: bool | None = field(default=None, metadata={"attribute": "readOnly"})


@dataclass(eq=False, kw_only=True)
class TransactionManagement(Activity):
    """Begins and ends the transaction of the session, in which the statements of the requests that follow run.

    Needs a database.

    >>> step = TransactionManagement(begin=Begin())
    """

    ELEMENT: ClassVar[str] = "transactionManagement"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, False),)
    ORDER: ClassVar[Sequence[str]] = (
        "begin",
        "commit",
        "rollback",
        "savepoint",
        "rollbackTo",
        "releaseSavepoint",
        "state",
        "output",
    )

    #: Begins one.
    begin: Begin | None = field(default=None, metadata={"child": "begin", "choice": 1, "optional": False})
    #: Makes it hold.
    commit: bool | None = field(default=None, metadata={"child": "commit", "choice": 1, "optional": False})
    #: Takes everything back.
    rollback: bool | None = field(default=None, metadata={"child": "rollback", "choice": 1, "optional": False})
    #: Marks a place, by a name of at most 63 bytes.
    savepoint: str | None = field(default=None, metadata={"value": "savepoint", "key": "name", "choice": 1, "optional": False})
    #: Takes back what was done since that place, which stays.
    rollback_to: str | None = field(default=None, metadata={"value": "rollbackTo", "key": "name", "choice": 1, "optional": False})
    #: Forgets the place and those after it.
    release_savepoint: str | None = field(
        default=None, metadata={"value": "releaseSavepoint", "key": "name", "choice": 1, "optional": False}
    )
    #: Asks for the latest transaction of the session.
    state: str | bool | None = field(default=None, metadata={"value": "state", "key": "id", "choice": 1, "optional": False})

    @property
    def output(self) -> Stream[Text]:
        """Output: text, `application/xml`: the transaction as it stands afterwards."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class OpenCursor(Activity):
    """Runs a query and keeps its rows open in the session, under the name of the activity, for `fetchCursor`.

    Needs a database.

    >>> step = OpenCursor(expression="SELECT 1")
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
    """`cursor`: a part of an activity.

    >>> part = Cursor(name="name", rows=1)
    """

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
    """Gives rows of a cursor; if they are fewer than were asked for, it is closed, unless it is scrollable.

    Needs a database.

    >>> step = FetchCursor(cursor=Cursor(name="name", rows=1))
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

    >>> step = CloseCursor(cursor="name")
    """

    ELEMENT: ClassVar[str] = "closeCursor"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ("cursor",)

    cursor: str = field(metadata={"value": "cursor", "key": "name"})


@dataclass(eq=False, kw_only=True)
class ExtractDatabaseSchema(Activity):
    """Gives the tables and views of the database, with their columns and keys: as rows, as XML, or both.

    Needs a database.

    >>> step = ExtractDatabaseSchema()
    """

    ELEMENT: ClassVar[str] = "extractDatabaseSchema"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("databaseSchema", True, False), ("output", False, False))
    ORDER: ClassVar[Sequence[str]] = ("schema", "table", "tablesOnly", "namesOnly", "databaseSchema", "output")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: The schema, of MariaDB the database; without it the one that the connection works in.
    schema: str | None = field(default=None, metadata={"child": "schema"})
    #: Which tables and views: a name, or a pattern of SQL (`%` for any characters, `_` for one); without it all.
    table: str | None = field(default=None, metadata={"child": "table"})
    #: Whether views are left out.
    tables_only: bool | None = field(default=None, metadata={"value": "tablesOnly", "key": "value"})
    #: Whether columns are left out.
    names_only: bool | None = field(default=None, metadata={"value": "namesOnly", "key": "value"})

    @property
    def database_schema(self) -> Stream[Rows]:
        """Output: rows, one for each column."""
        return self._output("databaseSchema")

    @property
    def output(self) -> Stream[Text]:
        """Output: text, `application/xml`."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class DatabaseSchemaToXML(Activity):
    """Writes the rows of `extractDatabaseSchema` as XML, at once or from a session that has kept them.

    >>> step = DatabaseSchemaToXML(database_schema=SqlQueryStatement(expression="SELECT 1").result_stream)
    """

    ELEMENT: ClassVar[str] = "databaseSchemaToXML"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("databaseSchema", "output")

    #: With the columns named above.
    database_schema: Stream[Rows] = field(metadata={"child": "databaseSchema"})

    @property
    def output(self) -> Stream[Text]:
        """Output: text, `application/xml`."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class ExtractPhysicalSchema(Activity):
    """Gives how many rows and bytes tables have, and which indexes and foreign keys.

    Needs a database.

    >>> step = ExtractPhysicalSchema()
    """

    ELEMENT: ClassVar[str] = "extractPhysicalSchema"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("getTables", "output")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: Which tables: a name, or a pattern of SQL; `schema.` may stand before it.
    get_tables: str | None = field(default=None, metadata={"value": "getTables", "key": "name"})

    @property
    def output(self) -> Stream[Text]:
        """Output: text, `application/xml`."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class RelationalResourceManagementColumn(Element):
    """`column`: a column.

    >>> part = RelationalResourceManagementColumn(name="name", type="type")
    """

    #: Its name.
    name: str = field(metadata={"attribute": "name"})
    #: A type of rows, such as `int64`, `text`, `decimal(10,2)`, `timestamptz` or `int32[]`.
    type: str = field(metadata={"attribute": "type"})
    #: Of `text`: how many characters it has at the most. MariaDB wants it for a column of a key.
    length: int | None = field(default=None, metadata={"attribute": "length"})
    #: Whether it takes NULL; without it `true`.
    nullable: bool | None = field(default=None, metadata={"attribute": "nullable"})
    #: Its place in the primary key, from 1; without it it is not in the key.
    primary_key: int | None = field(default=None, metadata={"attribute": "primaryKey"})


@dataclass(eq=False, kw_only=True)
class CreateTable(Element):
    """`createTable`: makes a table.

    >>> part = CreateTable(name="name", sql="sql")
    """

    #: Makes a table.
    name: str = field(metadata={"attribute": "name"})
    #: Whether one that is there is left as it is; without it `false`.
    if_not_exists: bool | None = field(default=None, metadata={"attribute": "ifNotExists"})
    #: What stands between the parentheses, in the words of the database.
    sql: str | None = field(default=None, metadata={"child": "sql", "choice": 1, "optional": False})
    #: A column.
    column: Sequence[RelationalResourceManagementColumn] = field(
        default=(), metadata={"child": "column", "choice": 1, "optional": False}
    )


@dataclass(eq=False, kw_only=True)
class DropTable(Element):
    """`dropTable`: drops a table.

    >>> part = DropTable(name="name")
    """

    #: Drops a table.
    name: str = field(metadata={"attribute": "name"})
    #: Whether it is well if it is not there; without it `false`.
    if_exists: bool | None = field(default=None, metadata={"attribute": "ifExists"})


@dataclass(eq=False, kw_only=True)
class RelationalResourceManagement(Activity):
    """Makes a table, or drops one. It has to be granted.

    Has to be granted in the activity configuration document.

    >>> step = RelationalResourceManagement(create_table=CreateTable(name="name", sql="sql"))
    """

    ELEMENT: ClassVar[str] = "relationalResourceManagement"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, False),)
    ORDER: ClassVar[Sequence[str]] = ("createTable", "dropTable", "output")

    #: The name of the data resource; without it the first.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: Makes a table.
    create_table: CreateTable | None = field(default=None, metadata={"child": "createTable", "choice": 1, "optional": False})
    #: Drops a table.
    drop_table: DropTable | None = field(default=None, metadata={"child": "dropTable", "choice": 1, "optional": False})

    @property
    def output(self) -> Stream[Text]:
        """Output: text, `application/xml`: `<createdTable name="…"/>` or `<droppedTable name="…"/>`."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class ToSession(Element):
    """`toSession`: a part of an activity.

    >>> part = ToSession(attribute="attribute")
    """

    #: The name of the attribute.
    attribute: str = field(metadata={"attribute": "attribute"})
    #: Whether it takes the place of what is there or goes behind it; that has to be of the same type; without it `replace`.
    mode: Literal["replace", "append"] | None = field(default=None, metadata={"attribute": "mode"})


@dataclass(eq=False, kw_only=True)
class DeliverToSession(Activity):
    """Keeps a stream as a session attribute.

    >>> step = DeliverToSession(from_local=Echo(text="hello").output, to_session=ToSession(attribute="attribute"))
    """

    ELEMENT: ClassVar[str] = "deliverToSession"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ("fromLocal", "toSession")

    from_local: Stream[Any] = field(metadata={"child": "fromLocal"})
    to_session: ToSession = field(metadata={"child": "toSession"})


@dataclass(eq=False, kw_only=True)
class DeliverFromSession(Activity):
    """Makes a stream of what a session attribute keeps. The attribute stays.

    >>> step = DeliverFromSession(from_session="attribute")
    """

    ELEMENT: ClassVar[str] = "deliverFromSession"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("toLocal", True, False),)
    ORDER: ClassVar[Sequence[str]] = ("fromSession", "toLocal")

    from_session: str = field(metadata={"value": "fromSession", "key": "attribute"})

    @property
    def to_local(self) -> Stream[Any]:
        """Output: any, what was kept."""
        return self._output("toLocal")


@dataclass(eq=False, kw_only=True)
class SetAttribute(Element):
    """`setAttribute`: sets a value.

    >>> part = SetAttribute(name="name")
    """

    #: Its content.
    content: str | Stream[Text] | ElementTree.Element | None = field(default=None, metadata={"text": True})
    #: Sets a value.
    name: str = field(metadata={"attribute": "name"})
    #: What the value is; of the type `xml` it is one element; without it `text`.
    type: Literal["text", "integer", "real", "boolean", "xml"] | None = field(default=None, metadata={"attribute": "type"})


@dataclass(eq=False, kw_only=True)
class IncrementAttribute(Element):
    """`incrementAttribute`: adds to an integer; one that is not there counts from 0.

    >>> part = IncrementAttribute(name="name")
    """

    #: Adds to an integer; one that is not there counts from 0.
    name: str = field(metadata={"attribute": "name"})
    #: How much; without it `1`.
    by: int | None = field(default=None, metadata={"attribute": "by"})


@dataclass(eq=False, kw_only=True)
class SessionAttributeManagement(Activity):
    """Sets, counts up, gets, removes or lists session attributes, and gives the attribute, or the list, as XML.

    >>> step = SessionAttributeManagement(set_attribute=SetAttribute(name="name"))
    """

    ELEMENT: ClassVar[str] = "sessionAttributeManagement"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, False),)
    ORDER: ClassVar[Sequence[str]] = (
        "setAttribute",
        "incrementAttribute",
        "getAttribute",
        "removeAttribute",
        "listAttributes",
        "output",
    )

    #: Sets a value.
    set_attribute: SetAttribute | None = field(default=None, metadata={"child": "setAttribute", "choice": 1, "optional": False})
    #: Adds to an integer; one that is not there counts from 0.
    increment_attribute: IncrementAttribute | None = field(
        default=None, metadata={"child": "incrementAttribute", "choice": 1, "optional": False}
    )
    #: Gives the attribute.
    get_attribute: str | None = field(
        default=None, metadata={"value": "getAttribute", "key": "name", "choice": 1, "optional": False}
    )
    #: Removes it, and gives its name.
    remove_attribute: str | None = field(
        default=None, metadata={"value": "removeAttribute", "key": "name", "choice": 1, "optional": False}
    )
    #: Gives names and types.
    list_attributes: bool | None = field(default=None, metadata={"child": "listAttributes", "choice": 1, "optional": False})

    @property
    def output(self) -> Stream[Text]:
        """Output: text, `application/xml`: the attribute as it is afterwards, or the list."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class InputStream(Activity):
    """Takes in what a client writes to the stream of the session that has the name of the activity.

    >>> step = InputStream()
    """

    ELEMENT: ClassVar[str] = "inputStream"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("toLocal", True, True),)
    ORDER: ClassVar[Sequence[str]] = ("toLocal",)

    @property
    def to_local(self) -> Stream[Any]:
        """Output: any, text or bytes, as the client writes them."""
        return self._output("toLocal")


@dataclass(eq=False, kw_only=True)
class OutputStream(Activity):
    """Makes a stream of text or bytes a stream of the session, by the name of the activity, for a client to read.

    >>> step = OutputStream(from_local=Echo(text="hello").output)
    """

    ELEMENT: ClassVar[str] = "outputStream"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ("fromLocal",)

    #: Text or bytes.
    from_local: Stream[Any] = field(metadata={"child": "fromLocal"})


@dataclass(eq=False, kw_only=True)
class BlockAggregator(Activity):
    """Joins blocks of text into larger ones.

    >>> step = BlockAggregator(input=Echo(text="hello").output, blocksize=1)
    """

    ELEMENT: ClassVar[str] = "blockAggregator"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("output", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("input", "blocksize", "output")

    input: Stream[Text] = field(metadata={"child": "input"})
    #: How many blocks become one.
    blocksize: int = field(metadata={"value": "blocksize", "key": "size"})

    @property
    def output(self) -> Stream[Text]:
        """Output: text."""
        return self._output("output")


@dataclass(eq=False, kw_only=True)
class StringTokenizer(Activity):
    """Cuts text into tokens at any of some characters; each token is a block.

    >>> step = StringTokenizer(string_blocks_input=Echo(text="hello").output)
    """

    ELEMENT: ClassVar[str] = "stringTokenizer"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("stringTokensOutput", False, True),)
    ORDER: ClassVar[Sequence[str]] = ("stringBlocksInput", "delimiters", "stringTokensOutput")

    string_blocks_input: Stream[Text] = field(metadata={"child": "stringBlocksInput"})
    #: The characters to cut at.
    delimiters: str | None = field(default=None, metadata={"value": "delimiters", "key": "value"})

    @property
    def string_tokens_output(self) -> Stream[Text]:
        """Output: text, a block for each token."""
        return self._output("stringTokensOutput")


@dataclass(eq=False, kw_only=True)
class Property(Element):
    """`property`: a property and its value; it stands over the one of the resource with the same name.

    >>> part = Property(content="property", key="key")
    """

    #: Its content.
    content: str = field(metadata={"text": True})
    #: A property and its value; it stands over the one of the resource with the same name.
    key: str = field(metadata={"attribute": "key"})


@dataclass(eq=False, kw_only=True)
class Variable(Element):
    """`variable`: a name for templates, and where its value is in the answer.

    >>> part = Variable(name="name")
    """

    #: A name for templates, and where its value is in the answer.
    name: str = field(metadata={"attribute": "name"})
    #: Where it is in the JSON of the answer, such as `job.id`.
    path: str | None = field(default=None, metadata={"attribute": "path"})
    #: Or in which header.
    header: str | None = field(default=None, metadata={"attribute": "header"})
    #: A regular expression: its first group is the value, or all that it matches.
    match: str | None = field(default=None, metadata={"attribute": "match"})


@dataclass(eq=False, kw_only=True)
class Authenticate(Element):
    """`authenticate`: the request for credentials, sent before the first request, and again when they are refused; its variables are secrets, which are where templates name them.

    >>> part = Authenticate()
    """

    #: How long before credentials that were refused are asked for again; without it `0`.
    delay: str | int | None = field(default=None, metadata={"attribute": "delay"})
    #: How often a request is sent in all when its credentials are refused; without it `3`.
    attempts: int | None = field(default=None, metadata={"attribute": "attempts"})
    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})
    #: A name for templates, and where its value is in the answer.
    variable: Sequence[Variable] = field(default=(), metadata={"child": "variable"})


@dataclass(eq=False, kw_only=True)
class SessionState(Element):
    """`sessionState`: a part of an activity.

    >>> part = SessionState(attribute="attribute")
    """

    #: The session attribute that keeps how far it has come.
    attribute: str = field(metadata={"attribute": "attribute"})
    #: When that counts: after every page, whatever becomes of the request, or with its other changes, but for what may have been created, which is noted at once; without it `page`.
    save: Literal["page", "request"] | None = field(default=None, metadata={"attribute": "save"})


@dataclass(eq=False, kw_only=True)
class HttpIngest(Activity):
    """Goes on with a session that somebody else's HTTP service keeps, until it is complete.

    Needs an HTTP service as data resource.

    >>> step = HttpIngest()
    """

    ELEMENT: ClassVar[str] = "httpIngest"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (
        ("records", True, False),
        ("json", False, False),
        ("responses", False, False),
        ("decisions", True, False),
    )
    ORDER: ClassVar[Sequence[str]] = (
        "property",
        "authenticate",
        "sessionState",
        "secondary",
        "records",
        "json",
        "responses",
        "decisions",
    )

    #: The name of the data resource; without it the first that is an HTTP service.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})
    #: The request for credentials, sent before the first request, and again when they are refused; its variables are secrets, which are where templates name them.
    authenticate: Authenticate | None = field(default=None, metadata={"child": "authenticate"})
    session_state: SessionState | None = field(default=None, metadata={"child": "sessionState"})
    #: Each of which is a *unit*: an ingestion of its own, with the columns of its row as variables.
    secondary: Stream[Rows] | None = field(default=None, metadata={"child": "secondary"})

    @builtins.property
    def records(self) -> Stream[Rows]:
        """Output: rows, typed by `ms.output.schema`, or by the first page."""
        return self._output("records")

    @builtins.property
    def json(self) -> Stream[Text]:
        """Output: text, one record to a line, as it was written but for its own line breaks ([JSON Lines](https://jsonlines.org))."""
        return self._output("json")

    @builtins.property
    def responses(self) -> Stream[Bytes]:
        """Output: bytes, the bodies of the answers that hold records; not of a download."""
        return self._output("responses")

    @builtins.property
    def decisions(self) -> Stream[Rows]:
        """Output: rows, one for each request."""
        return self._output("decisions")


@dataclass(eq=False, kw_only=True)
class Create(Element):
    """`create`: the request that creates the job: it is sent once.

    >>> part = Create()
    """

    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})
    #: A name for templates, and where its value is in the answer.
    variable: Sequence[Variable] = field(default=(), metadata={"child": "variable"})


@dataclass(eq=False, kw_only=True)
class Poll(Element):
    """`poll`: asks until a condition says that the job is done, or has failed: `ms.session.key.field` with a `condition`, or `rejoin.stop.when`.

    >>> part = Poll()
    """

    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})
    #: A name for templates, and where its value is in the answer.
    variable: Sequence[Variable] = field(default=(), metadata={"child": "variable"})


@dataclass(eq=False, kw_only=True)
class Fetch(Element):
    """`fetch`: fetches the results, page after page if its properties say so; what it brings goes to the outputs. It writes no files (`rejoin.download`).

    >>> part = Fetch()
    """

    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})


@dataclass(eq=False, kw_only=True)
class Cancel(Element):
    """`cancel`: the request that is sent when the job is not wanted any more.

    >>> part = Cancel()
    """

    #: Whether it is sent, too, when the poll says that the job has failed; without it `false`.
    after_failure: bool | None = field(default=None, metadata={"attribute": "afterFailure"})
    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})


@dataclass(eq=False, kw_only=True)
class CleanUp(Element):
    """`cleanUp`: the request that is sent at last, however the job has ended.

    >>> part = CleanUp()
    """

    #: A property and its value; it stands over the one of the resource with the same name.
    property_: Sequence[Property] = field(default=(), metadata={"child": "property"})


@dataclass(eq=False, kw_only=True)
class HttpJob(Activity):
    """Has somebody else's HTTP service do a job, as one unit: creates it, polls until it is done, fetches the results.

    Needs an HTTP service as data resource.

    >>> step = HttpJob(create=Create(), poll=Poll())
    """

    ELEMENT: ClassVar[str] = "httpJob"
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (
        ("records", True, False),
        ("json", False, False),
        ("responses", False, False),
        ("decisions", True, False),
    )
    ORDER: ClassVar[Sequence[str]] = (
        "create",
        "poll",
        "fetch",
        "cancel",
        "cleanUp",
        "sessionState",
        "records",
        "json",
        "responses",
        "decisions",
    )

    #: The name of the data resource; without it the first that is an HTTP service.
    resource: str | None = field(default=None, metadata={"attribute": "resource"})
    #: How long everything may take, from the create request; seven days at the most; without it `PT10M`.
    timeout: str | int | None = field(default=None, metadata={"attribute": "timeout"})
    #: The request that creates the job: it is sent once.
    create: Create = field(metadata={"child": "create"})
    #: Asks until a condition says that the job is done, or has failed: `ms.session.key.field` with a `condition`, or `rejoin.stop.when`.
    poll: Poll = field(metadata={"child": "poll"})
    #: Fetches the results, page after page if its properties say so; what it brings goes to the outputs. It writes no files (`rejoin.download`).
    fetch: Fetch | None = field(default=None, metadata={"child": "fetch"})
    #: The request that is sent when the job is not wanted any more.
    cancel: Cancel | None = field(default=None, metadata={"child": "cancel"})
    #: The request that is sent at last, however the job has ended.
    clean_up: CleanUp | None = field(default=None, metadata={"child": "cleanUp"})
    #: The session attribute that keeps the job, at once whenever something has happened.
    session_state: str | None = field(default=None, metadata={"value": "sessionState", "key": "attribute"})

    @property
    def records(self) -> Stream[Rows]:
        """Output: rows, typed by `ms.output.schema`, or by the first page."""
        return self._output("records")

    @property
    def json(self) -> Stream[Text]:
        """Output: text, one record to a line, as it was written but for its own line breaks ([JSON Lines](https://jsonlines.org))."""
        return self._output("json")

    @property
    def responses(self) -> Stream[Bytes]:
        """Output: bytes, the bodies of the answers that hold records; not of a download."""
        return self._output("responses")

    @property
    def decisions(self) -> Stream[Rows]:
        """Output: rows, one for each request, with the columns of `httpIngest` behind `phase`: `create`, `poll`, `fetch`, `cancel`, `cleanUp`."""
        return self._output("decisions")


@dataclass(eq=False, kw_only=True)
class DataStore(Activity):
    """Gives blocks of text that stand in the document, or reads ahead of the reader of a stream.

    >>> step = DataStore(input=Echo(text="hello").output)
    """

    ELEMENT: ClassVar[str] = "dataStore"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (("itemCursor", True, True),)
    ORDER: ClassVar[Sequence[str]] = ("item", "input", "itemCursor")

    #: A block of text.
    item: Sequence[str] = field(default=(), metadata={"child": "item", "choice": 1, "optional": True})
    input: Stream[Any] | None = field(default=None, metadata={"child": "input", "choice": 1, "optional": False})

    @property
    def item_cursor(self) -> Stream[Any]:
        """Output: any, the items as text, or what the input carries."""
        return self._output("itemCursor")


@dataclass(eq=False, kw_only=True)
class Echo(Activity):
    """Says a text.

    >>> step = Echo(text="text")
    """

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


@dataclass(eq=False, kw_only=True)
class Refuse(Activity):
    """A condition: fails with the message, unless data come.

    >>> step = Refuse(message="message")
    """

    ELEMENT: ClassVar[str] = "refuse"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ("unless", "message")

    #: Rows, text or bytes; one row, or one character or byte, is enough, and the rest is not read.
    unless: Stream[Any] | None = field(default=None, metadata={"child": "unless"})
    #: What the client is told.
    message: str = field(metadata={"child": "message"})


@dataclass(eq=False, kw_only=True)
class RequestInformation(Activity):
    """Says who asks, under which id, and for what.

    >>> step = RequestInformation()
    """

    ELEMENT: ClassVar[str] = "requestInformation"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = (
        ("principal", False, False),
        ("requestId", False, False),
        ("document", False, False),
    )
    ORDER: ClassVar[Sequence[str]] = ("principal", "requestId", "document")

    @property
    def principal(self) -> Stream[Text]:
        """Output: text, the principal; no character for who did not say who he is."""
        return self._output("principal")

    @property
    def request_id(self) -> Stream[Text]:
        """Output: text, the id of the request."""
        return self._output("requestId")

    @property
    def document(self) -> Stream[Text]:
        """Output: text, `application/xml`: the names of the request's activities as an element."""
        return self._output("document")


@dataclass(eq=False, kw_only=True)
class Sleep(Activity):
    """Waits, and so keeps the request in its session for that long. For trying things out.

    >>> step = Sleep(duration="PT1S")
    """

    ELEMENT: ClassVar[str] = "sleep"
    CHANGES: ClassVar[bool] = False
    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = ()
    ORDER: ClassVar[Sequence[str]] = ()

    #: Milliseconds such as `250`, or a duration such as `PT2S`.
    duration: str | int = field(metadata={"attribute": "duration"})
