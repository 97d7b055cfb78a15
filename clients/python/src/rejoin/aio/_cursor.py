"""A query that is open in a session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import RejoinError
from ..result import Result

if TYPE_CHECKING:
    from ._session import AsyncSession

__all__ = ["AsyncCursor"]


class AsyncCursor:
    """A query that is open in a session. Iterating gives its rows, fetched in pages.

    >>> async with rejoin.connect_async(url, "demo") as service, service.session() as session:
    ...     async with await session.cursor("SELECT id FROM orders ORDER BY id") as cursor:
    ...         (await cursor.fetch(2)).rows
    [(1,), (2,)]
    """

    def __init__(self, session: AsyncSession, name: str) -> None:
        self._session = session
        self.name = name
        self.at_end = False
        self._last: Result | None = None
        # One for all loops: whoever leaves one goes on with the next row.
        self._rows = self._every_row()

    async def fetch(self, rows: int = 1000) -> Result:
        """The next rows; fewer than asked for: that was the end, and the cursor is closed. Behind the end there are none."""
        if self.at_end and self._last is not None:
            return self._last._without_rows()
        page = await self._session._run(self._session._operations.fetch_cursor(self.name, rows))
        self.at_end, self._last = len(page) < rows, page
        return page

    async def pages(self, rows: int = 1000) -> AsyncIterator[Result]:
        """Page after page."""
        while not self.at_end:
            yield await self.fetch(rows)

    def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        return self._rows

    async def _every_row(self) -> AsyncIterator[tuple[Any, ...]]:
        async for page in self.pages():
            for row in page:
                yield row

    async def close(self) -> None:
        """Closes it before its end."""
        if not self.at_end:
            await self._session._run(self._session._operations.close_cursor(self.name))
            self.at_end = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self.close()
        except RejoinError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<AsyncCursor {self.name!r}{', at its end' if self.at_end else ''}>"
