"""The asynchronous client: the same as the blocking client, awaited.

>>> async with rejoin.connect_async("http://127.0.0.1:8080", "demo") as service, service.session() as session:
...     rows = await session.query("SELECT name FROM customer WHERE town = ?", ["Oban"])
"""

from ._background import AsyncPendingRequest, AsyncSessionStream
from ._cursor import AsyncCursor
from ._rows import AsyncRowStream
from ._service import AsyncDataService
from ._session import AsyncSession
from ._transaction import AsyncTransaction

__all__ = [
    "AsyncCursor",
    "AsyncDataService",
    "AsyncPendingRequest",
    "AsyncRowStream",
    "AsyncSession",
    "AsyncSessionStream",
    "AsyncTransaction",
]
