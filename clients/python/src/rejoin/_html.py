"""Tables for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """An HTML table; every cell is escaped, None is shown as NULL."""
    cells = "".join(f"<th>{escape(str(cell))}</th>" for cell in head)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{top}<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return "<td><i>NULL</i></td>" if value is None else f"<td>{escape(str(value))}</td>"
