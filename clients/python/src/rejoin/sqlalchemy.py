"""Dialects of SQLAlchemy 2: its own compilers of SQLite, PostgreSQL and MySQL, over :mod:`rejoin.dbapi`.

>>> import sqlalchemy
>>> engine = sqlalchemy.create_engine("rejoin+postgresql://127.0.0.1:8080/orders")

The database of the URL is the data service resource. `rejoin+sqlite`, `rejoin+postgresql`, `rejoin+mysql` and `rejoin+mariadb`
say what it works on; `?tls=true` is for a service behind TLS, `?database=ledger` for one of several data resources.
"""

from __future__ import annotations

import decimal
import types
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.mysql import types as mysql_types
from sqlalchemy.dialects.mysql.base import MySQLDialect as _MySQL
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect as _MariaDB
from sqlalchemy.dialects.postgresql.base import PGCompiler as _PostgreSQLCompiler
from sqlalchemy.dialects.postgresql.base import PGDialect as _PostgreSQL
from sqlalchemy.dialects.postgresql.base import PGExecutionContext as _PostgreSQLContext
from sqlalchemy.dialects.postgresql.pg_catalog import INT2VECTOR, OIDVECTOR
from sqlalchemy.dialects.sqlite.base import SQLiteDialect as _SQLite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ConnectArgsType, DBAPIModule, IsolationLevel
from sqlalchemy.exc import ArgumentError

from . import dbapi, errors
from .dbapi._statement import doubled

__all__ = ["MariaDBDialect", "MySQLDialect", "PostgreSQLDialect", "SQLiteDialect"]

_ISOLATION = {
    "READ UNCOMMITTED": "readUncommitted",
    "READ COMMITTED": "readCommitted",
    "REPEATABLE READ": "repeatableRead",
    "SERIALIZABLE": "serializable",
}


_TRUTHS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(text)
    return _TRUTHS[text.lower()]


#: What the URL may say behind a `?`, and how it is read.
_OPTIONS: dict[str, Callable[[str], Any]] = {
    "tls": _truth,
    "database": str,
    "isolation": str,
    "fetch_rows": int,
    "session_timeout": float,
    "session_header": str,
    "timeout": float,
    "patience": float,
    "compression": _truth,
}

_TAKEN = {_truth: f"one of {', '.join(_TRUTHS)}", str: "a text", int: "an integer", float: "a number"}


def _option(name: str, value: str | Sequence[str]) -> Any:
    read = _OPTIONS[name]
    try:
        # One that is given twice is a sequence.
        if isinstance(value, str):
            return read(value)
    except ValueError:
        pass
    raise ArgumentError(f"the URL has the option {name!r} with {value!r}; it takes {_TAKEN[read]}, once")


class _Rejoin:
    """What the dialects have in common."""

    driver = "rejoin"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    # Where a database has RETURNING, it tells the keys that it made up in autocommit, too.
    favor_returning_over_lastrowid = True
    supports_server_side_cursors = False
    # As SQLAlchemy keeps it: `create_engine(isolation_level=…)`.
    _on_connect_isolation_level: str | None

    @classmethod
    def import_dbapi(cls) -> DBAPIModule:
        """The driver."""
        return dbapi  # type: ignore[return-value]

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        """The arguments of `rejoin.dbapi.connect`, from `rejoin+…://user:password@host:port/resource`."""
        wrong = set(url.query) - set(_OPTIONS)
        if wrong:
            raise ArgumentError(f"the URL has the option {sorted(wrong)[0]!r}; there are {', '.join(_OPTIONS)}")
        options: dict[str, Any] = {name: _option(name, value) for name, value in url.query.items()}
        scheme = "https" if options.pop("tls", False) else "http"
        port = url.port or (443 if scheme == "https" else 8080)
        host = url.host or "127.0.0.1"
        if url.username is not None:
            options["auth"] = (url.username, url.password or "")
        return (f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}", url.database or ""), options

    def is_disconnect(self, e: Exception, connection: object, cursor: object) -> bool:
        """Whether the session, and with it the connection, is gone."""
        fault = getattr(e, "fault", None)
        gone = (errors.SessionEnded, errors.SessionNotFound, errors.LostAnswer)
        return isinstance(fault, gone) or (isinstance(e, dbapi.InterfaceError) and "closed" in str(e))

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Keeps the session alive."""
        dbapi_connection.ping()
        return True

    def get_isolation_level_values(self, dbapi_conn: object) -> list[IsolationLevel]:
        """What may be asked for."""
        return ["AUTOCOMMIT", *_ISOLATION]  # type: ignore[list-item]

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """Sets it for the transactions that begin from now on."""
        dbapi_connection.autocommit = level == "AUTOCOMMIT"
        if level != "AUTOCOMMIT":
            dbapi_connection.isolation = _ISOLATION[level]

    def reset_isolation_level(self, dbapi_connection: Any) -> None:
        """Goes back to what the connection was opened with, and the engine asks for."""
        dbapi_connection.autocommit, dbapi_connection.isolation = dbapi_connection.opened_with
        if self._on_connect_isolation_level is not None:
            self.set_isolation_level(dbapi_connection, self._on_connect_isolation_level)

    def get_isolation_level(self, dbapi_connection: Any) -> str:
        """What it is."""
        if dbapi_connection.autocommit:
            return "AUTOCOMMIT"
        named = {value: key for key, value in _ISOLATION.items()}
        return named.get(dbapi_connection.isolation, self._isolation_by_itself)

    def get_default_isolation_level(self, dbapi_conn: object) -> str:
        """What the database does by itself."""
        return self._isolation_by_itself

    _isolation_by_itself = "SERIALIZABLE"

    def do_savepoint(self, connection: Any, name: str) -> None:
        """Marks a place in the transaction."""
        connection.connection.dbapi_connection.savepoint(name)

    def do_rollback_to_savepoint(self, connection: Any, name: str) -> None:
        """Takes back what was done since."""
        connection.connection.dbapi_connection.rollback_to(name)

    def do_release_savepoint(self, connection: Any, name: str) -> None:
        """Forgets the place."""
        connection.connection.dbapi_connection.release(name)


class _ExactNumeric(sqltypes.Numeric[Any]):
    """Columns of `NUMERIC` and `DECIMAL` come as text, which holds integers and fractions both exactly."""

    def result_processor(self, dialect: object, coltype: object) -> Callable[[Any], Any]:
        if self.asdecimal:
            return lambda value: None if value is None else decimal.Decimal(str(value))
        return lambda value: None if value is None else float(value)


class SQLiteDialect(_Rejoin, _SQLite):  # type: ignore[misc]
    """SQLite behind the service."""

    colspecs = {**_SQLite.colspecs, sqltypes.Numeric: _ExactNumeric}  # noqa: RUF012 (the form is SQLAlchemy's)

    supports_statement_cache = True
    supports_default_values = True

    @classmethod
    def import_dbapi(cls) -> DBAPIModule:
        """The driver, and the version of SQLite that the dialect wants to know: at least this one is in the service."""
        module = types.SimpleNamespace(**{name: getattr(dbapi, name) for name in dbapi.__all__})
        module.sqlite_version_info = (3, 50, 0)
        module.sqlite_version = "3.50.0"
        return module  # type: ignore[return-value]

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        return tuple(int(part) for part in connection.exec_driver_sql("SELECT sqlite_version()").scalar().split("."))


class _PostgreSQLRejoinCompiler(_PostgreSQLCompiler):
    # PostgreSQL has operators of question marks.

    def escape_literal_column(self, text: str) -> str:
        return doubled(super().escape_literal_column(text))  # type: ignore[no-untyped-call]

    def post_process_text(self, text: str) -> str:
        return doubled(super().post_process_text(text))  # type: ignore[no-untyped-call]


class _PostgreSQLRejoinContext(_PostgreSQLContext):
    def fire_sequence(self, seq: Any, type_: Any) -> Any:
        # `nextval` writes, which a query can't; a call can.
        name = self.identifier_preparer.format_sequence(seq)
        self.cursor.callproc("nextval", (name,))
        row = self.cursor.fetchone()
        return row[0] if row else None


class _Cast:
    """Says its type in the statement, where PostgreSQL could not find it out."""

    render_bind_cast = True


def _cast(base: type[sqltypes.TypeEngine[Any]]) -> type[sqltypes.TypeEngine[Any]]:
    return type(f"_Cast{base.__name__}", (_Cast, base), {})


class _TextUuid(sqltypes.Uuid[uuid.UUID]):
    """UUIDs come as text."""

    render_bind_cast = True

    def bind_processor(self, dialect: object) -> Callable[[Any], Any]:
        return lambda value: None if value is None else str(value)

    def result_processor(self, dialect: object, coltype: object) -> Callable[[Any], Any]:
        return lambda value: value if value is None else uuid.UUID(str(value)) if self.as_uuid else str(value)


class _Vector:
    """Vectors of the catalogue come as numbers with blanks between."""

    def result_processor(self, dialect: object, coltype: object) -> Callable[[Any], Any]:
        return lambda value: [int(number) for number in value.split()] if isinstance(value, str) else value


class _Int2Vector(_Vector, INT2VECTOR):
    cache_ok = True


class _OidVector(_Vector, OIDVECTOR):
    cache_ok = True


class _IntegerIndex(_Cast, sqltypes.JSON.JSONIntIndexType):
    __visit_name__ = "json_int_index"


class _TextIndex(_Cast, sqltypes.JSON.JSONStrIndexType):
    __visit_name__ = "json_str_index"


class PostgreSQLDialect(_Rejoin, _PostgreSQL):  # type: ignore[misc]
    """PostgreSQL behind the service."""

    supports_statement_cache = True
    execution_ctx_cls = _PostgreSQLRejoinContext
    statement_compiler = _PostgreSQLRejoinCompiler
    _isolation_by_itself = "READ COMMITTED"
    colspecs = {  # noqa: RUF012 (the form is SQLAlchemy's)
        **_PostgreSQL.colspecs,
        **{
            each: _cast(each)
            for each in (
                sqltypes.Integer,
                sqltypes.SmallInteger,
                sqltypes.BigInteger,
                sqltypes.Boolean,
                sqltypes.Date,
                sqltypes.DateTime,
                sqltypes.Time,
                sqltypes.Float,
                sqltypes.String,
            )
        },
        sqltypes.Uuid: _TextUuid,
        INT2VECTOR: _Int2Vector,
        OIDVECTOR: _OidVector,
        sqltypes.JSON.JSONIntIndexType: _IntegerIndex,
        sqltypes.JSON.JSONStrIndexType: _TextIndex,
    }


class _Time(mysql_types.TIME):
    """Times of day come as such; other drivers give spans."""

    def result_processor(self, dialect: object, coltype: object) -> None:  # type: ignore[override]
        return None


class _Bit(mysql_types.BIT):
    """Bits come as a number; other drivers give bytes."""

    def result_processor(self, dialect: object, coltype: object) -> Callable[[Any], Any]:
        return lambda value: None if value is None else int(value)


#: The numbers of errors that the dialect looks for, by their SQLSTATE.
_MYSQL_NUMBERS = {"42S02": 1146, "42S01": 1050, "3D000": 1046, "42000": 1064}


class MySQLDialect(_Rejoin, _MySQL):  # type: ignore[misc]
    """MySQL or MariaDB behind the service."""

    supports_statement_cache = True
    # A row that is set to what it was is not counted.
    supports_sane_rowcount = False
    supports_sane_multi_rowcount = False
    _isolation_by_itself = "REPEATABLE READ"
    colspecs = {**_MySQL.colspecs, sqltypes.Time: _Time, mysql_types.TIME: _Time, mysql_types.BIT: _Bit}  # noqa: RUF012

    def _detect_charset(self, connection: object) -> str:
        return "utf8mb4"

    def _extract_error_code(self, exception: Any) -> int | None:
        return _MYSQL_NUMBERS.get(getattr(exception, "sqlstate", None) or "")


class MariaDBDialect(_MariaDB, MySQLDialect):  # type: ignore[misc]
    """MariaDB behind the service, with what it has beyond MySQL."""

    supports_statement_cache = True
