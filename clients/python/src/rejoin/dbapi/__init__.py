"""A driver of Python's Database API 2.0 (PEP 249).

>>> from rejoin import dbapi
>>> with dbapi.connect("http://127.0.0.1:8080", "orders") as connection:
...     cursor = connection.cursor()
...     cursor.execute("UPDATE account SET balance = balance - ? WHERE id = ?", (25, 7))

A connection is a session, and in it a transaction from the first statement on; ``commit`` and ``rollback`` end it, and closing the
connection rolls it back. Queries are cursors of the session, fetched in blocks. ``executemany`` sends all rows of parameters in one
request. An answer that is lost is asked for again: no statement is run twice.
"""

from __future__ import annotations

from typing import Any

from ._connection import Connection
from ._cursor import Cursor
from ._errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
    raising,
)
from ._types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]

apilevel = "2.0"
#: Threads may share the module and connections.
threadsafety = 2
#: ``?`` stands for a parameter.
paramstyle = "qmark"


def connect(
    url: str,
    resource: str | None = None,
    *,
    database: str | None = None,
    isolation: str | None = None,
    autocommit: bool = False,
    fetch_rows: int = 1000,
    session_timeout: float | None = None,
    **options: Any,
) -> Connection:
    """Opens a connection: a session of a data service resource.

    `database` names one of several data resources of it. `isolation` is that of the transactions: `readUncommitted`,
    `readCommitted`, `repeatableRead` or `serializable`; without it, what the database does by itself. `fetch_rows` is how many rows
    come in a block. `session_timeout` is for how many seconds nothing may be asked before the session ends. Everything else is as
    for :func:`rejoin.connect`.

    >>> with dbapi.connect(url, "demo", fetch_rows=100) as connection:
    ...     connection.cursor().execute("SELECT count(*) FROM orders").fetchone()
    (25000,)
    """
    from .. import connect as connect_service

    with raising():
        service = connect_service(url, resource, **options)
    try:
        return Connection(
            service,
            database=database,
            isolation=isolation,
            autocommit=autocommit,
            fetch_rows=fetch_rows,
            session_timeout=session_timeout,
        )
    except BaseException:
        service.close()
        raise
