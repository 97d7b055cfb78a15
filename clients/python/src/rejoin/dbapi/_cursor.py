"""A cursor: statements, and rows that are fetched in blocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .._answers import Response
from .._operations import AS_ARROW, changed_by, count_of, fetch, returning, statement
from .._xml import element, escape
from ..parameters import batches, given, row_of
from ..result import Result
from ._errors import DatabaseError, InterfaceError, ProgrammingError, raising
from ._statement import Statement, examine
from ._types import Description, describe

if TYPE_CHECKING:
    from ._connection import Connection

#: How many rows `fetchall` asks for at a time.
_ALL_ROWS = 100_000

_LAST_ROW = {"SQLite": "SELECT last_insert_rowid()", "MariaDB": "SELECT LAST_INSERT_ID()", "MySQL": "SELECT LAST_INSERT_ID()"}


class Cursor:
    """A cursor of PEP 249.

    A query is opened in the session, and its first rows come in the same request; the rest is fetched when it is asked for.

    >>> with connection.cursor() as cursor:
    ...     cursor.execute("SELECT id FROM orders WHERE id < ? ORDER BY id", (3,)).fetchall()
    [(1,), (2,)]
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self.description: tuple[Description, ...] | None = None
        self.rowcount = -1
        self._last_row: int | None = None
        # PostgreSQL is asked for it when somebody wants to know, as long as nothing else was done since.
        self._last_row_known_at: int | None = None
        self._rows: deque[tuple[Any, ...]] = deque()
        self._fetched = 0
        # The cursor in the session that has more rows, and the transaction that it belongs to.
        self._name: str | None = None
        self._epoch = 0
        self._closed = False

    def execute(self, operation: str, parameters: Sequence[Any] | None = ()) -> Self:
        """Runs a statement; `?` stands for each parameter, `??` for a question mark.

        >>> connection.cursor().execute("UPDATE customer SET credit = ? WHERE id = ?", (5, 7)).rowcount
        1
        """
        self._begin()
        examined = examine(operation, mysql=self.connection.is_mysql)
        written = self._parameters(parameters)
        if examined.gives_rows:
            self._query(operation, written, examined)
        else:
            self._update(operation, written, examined)
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Sequence[Any]]) -> Self:
        """Runs a statement that writes once for each row of parameters, in one request if there are not very many.

        Rows that it gives itself (`RETURNING`) are thrown away.

        >>> connection.cursor().executemany("UPDATE customer SET credit = ? WHERE id = ?", [(5, 7), (6, 8)]).rowcount
        2
        """
        self._begin()
        examined = examine(operation, mysql=self.connection.is_mysql)
        if examined.gives_rows:
            raise ProgrammingError("executemany() is for statements that write")
        adapted = self.connection._adapted
        rows = ([adapted(value) for value in row_of(row)] for row in seq_of_parameters)
        changed = 0
        with raising():
            for batch in batches(rows):
                response = self.connection._request([batch.write(operation, self.connection.database)])
                assert isinstance(response, Response)
                changed += changed_by(batch, response)
        self.rowcount = changed
        return self

    def callproc(self, procname: str, parameters: Sequence[Any] | None = ()) -> Sequence[Any]:
        """Calls a stored procedure or function; its rows can be fetched. Gives the parameters back as they were.

        >>> connection.cursor().callproc("nothing_of_that_name")
        Traceback (most recent call last):
        rejoin.dbapi._errors.NotSupportedError: ActivityFailed: the activity `call` failed: this database has no stored procedures…
          4 | <flow><sqlStoredProcedure name="call"><procedure name="nothing_of_that_name"/>…
            |       ^
        """
        self._begin()
        content = element("procedure", {"name": procname}) + self._parameters(parameters)
        call = element(
            "sqlStoredProcedure",
            {"name": "call", "resource": self.connection.database},
            content + '<resultStream name="rows"/>',
        )
        self._take(self.connection._request([f"<flow>{call}\n{AS_ARROW}</flow>"], returns="result"))
        self.rowcount = self._fetched
        return list(parameters or ())

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None at the end.

        >>> cursor = connection.cursor().execute("SELECT 1")
        >>> cursor.fetchone(), cursor.fetchone()
        ((1,), None)
        """
        self._demand(1, self.connection.fetch_rows)
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """The next `size` rows, `arraysize` without it; fewer at the end.

        >>> connection.cursor().execute("SELECT id FROM orders ORDER BY id").fetchmany(2)
        [(1,), (2,)]
        """
        wanted = self.arraysize if size is None else size
        self._demand(wanted, max(wanted, self.connection.fetch_rows))
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left.

        >>> len(connection.cursor().execute("SELECT id FROM orders").fetchall())
        25000
        """
        self._demand(None, _ALL_ROWS)
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def close(self) -> None:
        """Closes it.

        >>> cursor = connection.cursor()
        >>> cursor.close()
        """
        if not self._closed:
            self._leave()
            self._closed = True

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Does nothing: nothing needs to be known beforehand.

        >>> connection.cursor().setinputsizes([10])
        """

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing: values of any size come whole.

        >>> connection.cursor().setoutputsize(1000)
        """

    def _begin(self) -> None:
        self._check()
        self._leave()
        self.description, self.rowcount = None, -1
        self._last_row, self._last_row_known_at = None, None
        self._rows.clear()
        self._fetched = 0

    def _check(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        self.connection._open()

    def _leave(self) -> None:
        if self._name is not None:
            self.connection._abandon(self._name, self._epoch)
            self._name = None

    def _parameters(self, parameters: Sequence[Any] | None) -> str:
        try:
            row = row_of(() if parameters is None else parameters)
        except TypeError as error:
            raise ProgrammingError(str(error)) from None
        with raising():
            return given([self.connection._adapted(value) for value in row])

    def _query(self, sql: str, parameters: str, examined: Statement) -> None:
        connection = self.connection
        if not examined.by_cursor:
            query = statement("sqlQueryStatement", "query", sql, parameters, "rows", connection.database)
            self._take(connection._request([f"<flow>{query}\n{AS_ARROW}</flow>"], returns="result"))
            self.rowcount = self._fetched
            return
        name = connection._new_name()
        content = parameters + element("expression", {}, escape(sql))
        opened = element("openCursor", {"name": name, "resource": connection.database}, content)
        first = f"<flow>{fetch(name, connection.fetch_rows)}</flow>"
        self._take(connection._request([opened, first], returns="result"))
        if self._fetched == connection.fetch_rows:
            self._name, self._epoch = name, connection.epoch
        else:
            self.rowcount = self._fetched

    def _update(self, sql: str, parameters: str, examined: Statement) -> None:
        connection = self.connection
        if examined.returns:
            steps = [f"<flow>{returning(sql, parameters, connection.database)}</flow>"]
        else:
            steps = [statement("sqlUpdateStatement", "update", sql, parameters, "changed", connection.database)]
        asks = examined.inserts and not examined.returns and not connection.autocommit
        last_row = _LAST_ROW.get(connection.product) if asks else None
        if last_row is not None:
            asked = statement("sqlQueryStatement", "last", last_row, "", "rows", connection.database)
            steps.append(f"<flow>{asked}\n{AS_ARROW}</flow>")
        response = connection._request(steps, outside=connection.is_mysql and examined.ends_transaction)
        assert isinstance(response, Response)
        with raising():
            if examined.returns:
                self._take(response["result"].content)
            self.rowcount = self._fetched if examined.reads else count_of(response["changed"].content)
            if last_row is not None:
                self._last_row = Result(response["result"].content).scalar() or None
        if asks and connection.product == "PostgreSQL":
            self._last_row_known_at = connection.requests

    @property
    def lastrowid(self) -> int | None:
        """The number that the database made up for the row that the last `execute` inserted; None where it did not.

        In PostgreSQL it is what the last sequence gave, and asked for by a request of its own: before any other statement.
        """
        if self._last_row_known_at is not None and self._last_row_known_at == self.connection.requests:
            self._last_row_known_at = None
            asked = statement("sqlQueryStatement", "last", "SELECT lastval()", "", "rows", self.connection.database)
            try:
                content = self.connection._request([f"<flow>{asked}\n{AS_ARROW}</flow>"], returns="result")
            except DatabaseError:
                # No sequence has given anything.
                return None
            assert isinstance(content, bytes)
            self._last_row = int(Result(content).scalar())
        return self._last_row

    def _take(self, content: Response | bytes) -> None:
        assert isinstance(content, bytes)
        with raising():
            result = Result(content)
            self.description = tuple(describe(column) for column in result.columns)
            self._rows.extend(result.rows)
            self._fetched += len(result.rows)

    def _demand(self, wanted: int | None, block: int) -> None:
        """Has so many rows here, all if it is None, or as many as there are."""
        self._check()
        if self.description is None:
            raise ProgrammingError("there are no rows to fetch: no query was executed")
        while self._name is not None and (wanted is None or len(self._rows) < wanted):
            if self._epoch != self.connection.epoch:
                self._name = None
                raise ProgrammingError("the query ended with its transaction, before all of its rows were fetched")
            before = self._fetched
            self._take(self.connection._request([f"<flow>{fetch(self._name, block)}</flow>"], returns="result"))
            if self._fetched - before < block:
                self._name = None
                self.rowcount = self._fetched

    def __del__(self) -> None:
        # Nobody can fetch from it any more.
        if self.__dict__.get("_name") is not None:
            self._leave()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while (row := self.fetchone()) is not None:
            yield row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
