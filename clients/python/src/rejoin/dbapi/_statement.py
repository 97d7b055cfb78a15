"""What kind of statement a text is: whether it gives rows, and whether it ends the transaction in MariaDB and MySQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

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
_READS = {"SELECT", "VALUES", "TABLE"}
_WRITES = {"INSERT", "UPDATE", "DELETE", "MERGE"}
# https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/
_ENDS_TRANSACTION = {"CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK"}
# `SELECT … FOR UPDATE`, `FOR SHARE`, `FOR NO KEY UPDATE`, `LOCK IN SHARE MODE`.
_LOCKS = {("FOR", "UPDATE"), ("FOR", "SHARE"), ("FOR", "NO"), ("FOR", "KEY"), ("LOCK", "IN")}


@dataclass(frozen=True)
class Statement:
    """What is known of a statement."""

    #: Whether it is a query.
    gives_rows: bool
    #: Whether a cursor can read it.
    by_cursor: bool
    #: Whether it writes, or locks, and gives rows all the same.
    returns: bool
    #: Whether the rows that it gives are all that counts of it.
    reads: bool
    inserts: bool
    ends_transaction: bool


def examine(sql: str, *, mysql: bool = False) -> Statement:
    """Looks at the words of a statement, without those in quotes and comments."""
    words: list[str] = []
    # Those that stand in no parentheses.
    outer: list[str] = []
    depth = 0
    for found in (_MYSQL_TOKENS if mysql else _TOKENS).finditer(sql):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found["word"]:
            words.append(found["word"].upper())
            outer += [words[-1]] if depth == 0 else []
    first = words[0] if words else ""
    pairs = set(pairwise(words))
    locks = first in _BY_CURSOR | _READS and not pairs.isdisjoint(_LOCKS)
    # A `WITH` may stand before a statement that writes, or hold one.
    writing = (after for before, after in pairwise(words) if before not in ("FOR", "KEY"))
    writes = first == "WITH" and not _WRITES.isdisjoint(writing)
    main = next((word for word in outer if word in _READS | _WRITES), first) if first == "WITH" else first
    # (In MariaDB and MySQL a query locks; in PostgreSQL a statement that writes does.)
    gives_rows = first in _GIVES_ROWS and not writes and (mysql or not locks)
    return Statement(
        gives_rows=gives_rows,
        by_cursor=gives_rows and first in _BY_CURSOR and not locks,
        returns=not gives_rows and ("RETURNING" in outer or locks or (writes and main in _READS)),
        reads=main in _READS,
        inserts=main in ("INSERT", "REPLACE"),
        ends_transaction=first in _ENDS_TRANSACTION and words[1:2] != ["TEMPORARY"],
    )


def doubled(sql: str) -> str:
    """The text for PostgreSQL with every question mark doubled that stands in no quotes: an operator."""
    return "".join("??" if found[0] == "?" else found[0] for found in _TOKENS.finditer(sql))
