"""A query that is open in a session."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .errors import RejoinError
from .result import Result

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Cursor"]


class Cursor:
    """A query that is open in a session. Iterating gives its rows, fetched in pages.

    >>> sum(row[0] for row in session.cursor("SELECT id FROM orders"))
    312512500
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name
        self.at_end = False
        self._last: Result | None = None
        # One for all loops: whoever leaves one goes on with the next row.
        self._rows = self._every_row()

    def fetch(self, rows: int = 1000) -> Result:
        """The next rows; fewer than asked for: that was the end, and the cursor is closed. Behind the end there are none.

        >>> cursor = session.cursor("SELECT id FROM orders ORDER BY id")
        >>> cursor.fetch(2).rows, cursor.fetch(1).rows
        ([(1,), (2,)], [(3,)])
        """
        if self.at_end and self._last is not None:
            return self._last._without_rows()
        page = self._session._run(self._session._operations.fetch_cursor(self.name, rows))
        self.at_end, self._last = len(page) < rows, page
        return page

    def pages(self, rows: int = 1000) -> Iterator[Result]:
        """Page after page.

        >>> [len(page) for page in session.cursor("SELECT id FROM orders").pages(10_000)]
        [10000, 10000, 5000]
        """
        while not self.at_end:
            yield self.fetch(rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def _every_row(self) -> Iterator[tuple[Any, ...]]:
        for page in self.pages():
            yield from page

    def close(self) -> None:
        """Closes it before its end.

        >>> cursor = session.cursor("SELECT id FROM orders")
        >>> cursor.close()
        """
        if not self.at_end:
            self._session._run(self._session._operations.close_cursor(self.name))
            self.at_end = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.close()
        except RejoinError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<Cursor {self.name!r}{', at its end' if self.at_end else ''}>"
