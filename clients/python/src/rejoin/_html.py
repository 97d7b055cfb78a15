"""Tables for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import Fault

#: Of a longer text a table shows the beginning.
_LONGEST = 200


def plain(value: object) -> str:
    """A value on one line: what can't be seen, or would move the cursor, is written as Python writes it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(value)[: _LONGEST + 1])


def fault(problem: Fault) -> str:
    """A fault, with the line of the document that it is about."""
    known = [("message", problem.message), ("SQLSTATE", problem.sqlstate), ("status", problem.status or None)]
    known += [("retryable", "yes" if problem.retryable else None), ("request", problem.request_id or None)]
    shown = table((problem.code, ""), [(name, value) for name, value in known if value is not None])
    return shown if problem.place is None else f"{shown}<pre>{escape(problem.place)}</pre>"


def table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """An HTML table; every cell is escaped, and cut if it is long; None is shown as NULL."""
    cells = "".join(f"<th>{escape(str(cell))}</th>" for cell in head)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{top}<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return "<td><i>NULL</i></td>"
    text = str(value)
    return f"<td>{escape(text if len(text) <= _LONGEST else text[:_LONGEST] + '…')}</td>"
