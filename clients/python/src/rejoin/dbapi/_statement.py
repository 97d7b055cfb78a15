"""What kind of statement a text is: whether it gives rows, and whether it ends the transaction in MariaDB and MySQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Blanks, comments, quoted things, words, anything else. A quote that does not end goes to the end: the database will say so.
_ESCAPED = r"""'(?:[^'\\]|''|\\.)*(?:'|\Z)"""
_PLAIN = r"""'(?:[^']|'')*(?:'|\Z)"""


def _tokens(comment: str, quoted: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
          (?P<skip> \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) {comment} )
        | (?P<quoted> {quoted} | "(?:[^"]|"")*(?:"|\Z) | `[^`]*(?:`|\Z) )
        | (?P<word> [A-Za-z_][A-Za-z_0-9]* )
        | (?P<other> . )
        """,
        re.VERBOSE | re.DOTALL,
    )


# MariaDB and MySQL have backslashes in texts, and comments of their own; the others say `E` before such a text, and in PostgreSQL
# `#` is an operator.
_MYSQL_TOKENS = _tokens(r"| \#[^\n]*", rf"""{_ESCAPED} | "(?:[^"\\]|""|\\.)*(?:"|\Z)""")
_TOKENS = _tokens("", rf"(?<![A-Za-z_0-9])[eE]{_ESCAPED} | {_PLAIN} | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)")

_GIVES_ROWS = {"SELECT", "VALUES", "TABLE", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "PRAGMA"}
# Only these can be read by a cursor in every database.
_BY_CURSOR = {"SELECT", "VALUES", "WITH"}
_WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"}
# https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/
_ENDS_TRANSACTION = {"CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK"}


@dataclass(frozen=True)
class Statement:
    """What is known of a statement."""

    first: str
    gives_rows: bool
    by_cursor: bool
    inserts: bool
    ends_transaction: bool
    returns: bool


def examine(sql: str, *, mysql: bool = False) -> Statement:
    """Looks at the words of a statement, without those in quotes and comments."""
    words = [found["word"].upper() for found in (_MYSQL_TOKENS if mysql else _TOKENS).finditer(sql) if found["word"]]
    first = words[0] if words else ""
    # A `WITH` may stand before a statement that writes; `FOR UPDATE` is no such statement, and `replace()` a function.
    writes_within = first == "WITH" and any(
        word in _WRITES - {"REPLACE"} and (i == 0 or words[i - 1] not in ("FOR", "KEY")) for i, word in enumerate(words)
    )
    gives_rows = first in _GIVES_ROWS and not writes_within
    return Statement(
        first=first,
        gives_rows=gives_rows,
        by_cursor=gives_rows and first in _BY_CURSOR,
        inserts=first in ("INSERT", "REPLACE"),
        ends_transaction=first in _ENDS_TRANSACTION and words[1:2] != ["TEMPORARY"],
        returns=not gives_rows and "RETURNING" in words,
    )


def doubled(sql: str) -> str:
    """The text for PostgreSQL with every question mark doubled that stands in no quotes: an operator."""
    return "".join("??" if found[0] == "?" else found[0] for found in _TOKENS.finditer(sql))
